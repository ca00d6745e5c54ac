"""The series of `night.py --growth` as tables in Markdown, for its own output and for docs/benchmarks.md."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

FIXED = 36
BY_SHARE, BY_NUMBER, NOTHING = "2 % new", f"{FIXED} new", "nothing new"
NAMES = ("first", BY_SHARE, BY_NUMBER, NOTHING)
Rows = dict[str, Any]


def tell_series(rows: Rows) -> list[str]:
    """All sizes: the nights, then the second night of 36 new by steps with their exponents."""
    sizes = sorted(map(int, rows))
    nights = {n: {night["name"]: night for night in rows[str(n)]["nights"]} for n in sizes}
    return [*_tell_nights(sizes, nights), "", *_tell_steps(sizes, nights)]


def fit_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of the size that costs grow by, by least squares of the logarithms; NaN of fewer than two."""
    points = [(math.log(size), math.log(cost)) for size, cost in zip(sizes, costs, strict=True) if cost > 0]
    if len(points) < 2:
        return math.nan
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


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
