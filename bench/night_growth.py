"""What a second night costs as more and more is stored: the series of `night.py --growth`, kept size by size as JSON.

Of each size N: the first night over N petitions; from copies of what it leaves, a second one with 2 % new and one with
36 new, whatever N is; and after that one with nothing new. A size that is in the file already, of the same commit, is
not measured again, so that the series can be made piece by piece.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from crawl_ground import open_ground
from growth_table import BY_NUMBER, BY_SHARE, FIXED, NOTHING, Rows, tell_series
from machine import describe_machine, name_commit
from night_data import FIRST, SECOND, count_real, write_rows
from night_rewind import copy_database
from night_run import Night, measure_night
from sqlalchemy import make_url

from stand_in import StandIn, run_stand_in

SIZES = (228, 456, 911, 1821, 3642, 7284)
SHARE = 0.02
MakeEnviron = Callable[[str, StandIn, Path], dict[str, str]]


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
                nights = [measure_night(environ, site, "first", FIRST)]
                nights.append(measure_night(_copy(environ, "share"), site, BY_SHARE, SECOND))
            write_rows(data, n, FIXED)
            with run_stand_in("bluehouse", data, today=FIRST, port=port) as site:
                number = _copy(environ, "number")
                nights += [measure_night(number, site, name, SECOND) for name in (BY_NUMBER, NOTHING)]
    finally:
        shutil.rmtree(place)
    return nights


def _copy(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """The settings of a night over a copy of the database and the artifacts that the first one left."""
    url = make_url(environ["PETITIONS_DATABASE_URL"])
    copy_database(environ["PETITIONS_DATABASE_URL"], f"night_{name}")
    artifacts = environ["PETITIONS_ARTIFACTS"]
    subprocess.run(["cp", "-r", artifacts, f"{artifacts}-{name}"], check=True)
    copied = url.set(database=f"night_{name}").render_as_string(hide_password=False)
    return {**environ, "PETITIONS_DATABASE_URL": copied, "PETITIONS_ARTIFACTS": f"{artifacts}-{name}"}


def tell_growth(rows: Rows) -> str:
    """The tables of all sizes in Markdown, and what the texts are."""
    inside, real = count_real()
    texts = f"{inside:,} did begin in the three months; up to {real:,} are real ones of other months under other days"
    if max(map(int, rows)) + FIXED > real:
        texts += ", the rest have their sentences shuffled"
    return "\n".join([f"Of the petitions {texts}.", "", *tell_series(rows)])
