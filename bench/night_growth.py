"""What a second night costs as more and more is stored: the series of `night.py --growth`, kept size by size as JSON.

Of each size N: the first night over N petitions; from copies of what it leaves, a second one with 2 % new and one with
36 new, whatever N is; and after that one with nothing new. A size that is in the file already, of the same commit, is
not measured again, so that the series can be made piece by piece.
"""

import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crawl_ground import open_ground
from machine import describe_machine, name_commit
from night_data import FIRST, SECOND, count_real, write_rows
from night_run import Night, measure_night
from sqlalchemy import create_engine, make_url, text

from stand_in import StandIn, run_stand_in

SIZES = (228, 456, 911, 1821, 3642, 7284)
SHARE, FIXED = 0.02, 36
BY_SHARE, BY_NUMBER, NOTHING = "2 % new", f"{FIXED} new", "nothing new"
NAMES = ("first", BY_SHARE, BY_NUMBER, NOTHING)
MakeEnviron = Callable[[str, StandIn, Path], dict[str, str]]
Rows = dict[str, Any]


def measure_growth(sizes: Sequence[int], kept: Path, make_environ: MakeEnviron) -> Rows:
    """Measure the sizes that are not kept yet, and keep each as soon as it is done; gives all that is kept."""
    commit = name_commit()
    rows: Rows = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for n in sizes:
        if rows.get(str(n), {}).get("commit") == commit:
            continue
        nights = _measure_size(n, make_environ)
        rows[str(n)] = {"commit": commit, "machine": describe_machine(), "nights": [asdict(night) for night in nights]}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"{n} petitions are measured and kept in {kept}", flush=True)
    return rows


def _measure_size(n: int, make_environ: MakeEnviron) -> list[Night]:
    place = Path(tempfile.mkdtemp(prefix="night-"))
    data, n_new = place / "rows.jsonl", max(1, round(n * SHARE))
    try:
        with open_ground() as make:
            engine, _ = make()
            engine.dispose()
            url = engine.url.render_as_string(hide_password=False)
            write_rows(data, n, n_new)
            with run_stand_in("bluehouse", data, today=FIRST) as site:
                environ, port = make_environ(url, site, place), int(site.url.rpartition(":")[2])
                nights = [measure_night(environ, "first", FIRST, site)]
                nights.append(measure_night(_copy(environ, "share"), BY_SHARE, SECOND, site))
            write_rows(data, n, FIXED)
            with run_stand_in("bluehouse", data, today=FIRST, port=port) as site:
                number = _copy(environ, "number")
                nights += [measure_night(number, name, SECOND, site) for name in (BY_NUMBER, NOTHING)]
    finally:
        shutil.rmtree(place)
    return nights


def _copy(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """The settings of a night over a copy of the database and the artifacts that the first one left."""
    url = make_url(environ["PETITIONS_DATABASE_URL"])
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE night_{name} TEMPLATE {url.database}"))
    admin.dispose()
    artifacts = environ["PETITIONS_ARTIFACTS"]
    subprocess.run(["cp", "-r", artifacts, f"{artifacts}-{name}"], check=True)
    copied = url.set(database=f"night_{name}").render_as_string(hide_password=False)
    return {**environ, "PETITIONS_DATABASE_URL": copied, "PETITIONS_ARTIFACTS": f"{artifacts}-{name}"}


def fit_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of the size that costs grow by, by least squares of the logarithms; NaN of fewer than two."""
    points = [(math.log(size), math.log(cost)) for size, cost in zip(sizes, costs, strict=True) if cost > 0]
    if len(points) < 2:
        return math.nan
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def tell_growth(rows: Rows) -> str:
    """Tables of all sizes in Markdown: the nights, then the second night of 36 new by steps with their exponents."""
    sizes = sorted(map(int, rows))
    nights = {n: {night["name"]: night for night in rows[str(n)]["nights"]} for n in sizes}
    inside, real = count_real()
    texts = f"{inside:,} did begin in the three months; up to {real:,} are real ones of other months under other days"
    if max(sizes) + FIXED > real:
        texts += ", the rest have their sentences shuffled"
    return "\n".join([f"Of the petitions {texts}.", "", *_tell_nights(sizes, nights), "", *_tell_steps(sizes, nights)])


def _tell_nights(sizes: Sequence[int], nights: Mapping[int, Rows]) -> list[str]:
    titles = " | ".join(f"{name}: wall s, CPU s, Postgres s, MB" for name in NAMES)
    lines = [f"| petitions | {titles} | share of the first, CPU: {', '.join(NAMES[1:])} |", f"|--:|{'---|' * 5}"]
    for n in sizes:
        cells = [
            f"{night['seconds']:.0f}, {night['cpu_s']:.1f}, {night['server_s']:.1f}, {night['peak_mb']:.0f}"
            for night in (nights[n][name] for name in NAMES)
        ]
        costs = {name: nights[n][name]["cpu_s"] + nights[n][name]["server_s"] for name in NAMES}
        shares = ", ".join(f"{costs[name] / costs['first']:.1%}" for name in NAMES[1:])
        lines.append(f"| {n:,} | {' | '.join(cells)} | {shares} |")
    return lines


def _tell_steps(sizes: Sequence[int], nights: Mapping[int, Rows]) -> list[str]:
    """CPU seconds of each step, those of Postgres added, the exponent of its growth, and its most memory."""
    of_steps: dict[str, list[float]] = {}
    peaks: dict[str, float] = {}
    for n in sizes:
        for line in nights[n][BY_NUMBER]["lines"]:
            of_steps.setdefault(line["name"], []).append(line["cpu_s"] + line["server_s"])
            peaks[line["name"]] = max(peaks.get(line["name"], 0), line["peak_mb"])
    of_steps["all"] = [sum(costs[place] for costs in of_steps.values()) for place in range(len(sizes))]
    titles = " | ".join(f"{n:,}" for n in sizes)
    lines = [f"| {BY_NUMBER}, CPU s | {titles} | exponent | MB |", f"|---|{'--:|' * (len(sizes) + 2)}"]
    for name, costs in of_steps.items():
        figures = " | ".join(f"{cost:.1f}" for cost in costs)
        peak = f"{peaks[name]:.0f}" if name in peaks else ""
        lines.append(f"| {name} | {figures} | {fit_exponent(sizes, costs):.2f} | {peak} |")
    return lines
