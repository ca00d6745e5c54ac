"""What docs/benchmarks.md says, out of the JSON of a run; what failed or is missing is told by name."""

import statistics
from collections.abc import Sequence
from typing import Any

from compare import measure_lead
from growth_table import tell_series

Row = dict[str, Any]
HEAD = """# Side by side

Written by `make bench`, in one run on one machine; do not change it by hand. Each row is a process of its own; all of a
stage take turns, and times are medians over the turns. **Ours is faster by** is the row's time by ours, of the same
round: the median, with the least and the most; over 1 ours is faster, under 1 the row is. Memory is the most that
the process, or one child of it, has had resident; CPU seconds are all of its threads and children.

`make bench-peers` makes the peers' environments, `make bench-quick` runs a part of it in five minutes, and
`python bench/run.py full crawl --again` one stage again. Nights as more is stored are measured by `bench/night.py
--growth`, nights through Airflow by `--through airflow cluster` ([operations.md](operations.md#what-a-night-costs)).
"""


def render(told: Row) -> str:
    """The whole page."""
    parts = [HEAD, _tell_machine(told["machine"], told["mode"])]
    parts += [render_stage(stage) for stage in told["stages"].values()]
    if told["missing"]:
        parts.append(f"Not run: {', '.join(told['missing'])}.\n")
    if told.get("growth"):
        parts.append(render_growth(told["growth"]))
    if told.get("quality"):
        parts.append(render_quality(told["quality"]))
    return "\n".join(parts)


def _tell_machine(machine: Row, mode: str) -> str:
    ours = ", ".join(f"{name} {version}" for name, version in machine["ours"].items())
    peers = "\n".join(f"- peers, {name}: {', '.join(pins)}" for name, pins in machine["peers"].items())
    return (
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, {machine['system']}, Python "
        f"{machine['python']}; the {mode} run, at commit {machine['commit']}.\n\n- ours: {ours}\n{peers}\n"
    )


def render_stage(stage: Row) -> str:
    """A heading, what was done, and a row for each contestant, the first of which is ours."""
    if "broken" in stage:
        return f"## {stage['title']}\n\nFailed at {stage['commit']}: {stage['broken']}\n"
    rows = stage["rows"]
    ours = rows[0]["turns"]
    columns = list(dict.fromkeys(key for row in rows for key in row.get("figures", {})))
    heads = ["", "seconds", f"{stage['unit']} a second", "ours is faster by", "CPU s", "memory, MB", *columns]
    lines = [_line(heads), _line(["---", *["--:"] * (len(heads) - 1)])]
    for row in rows:
        lines.append(_line([row["name"], *_tell_row(row, stage, ours), *_tell_figures(row, columns)]))
    failed = [f"- **{row['name']}** failed: {row['failed']}" for row in rows if "failed" in row]
    told = f"{stage['n']:,} {stage['unit']}, {stage['rounds']} rounds, at {stage['commit']}, {stage['at'][:16]} UTC."
    text = f"## {stage['title']}\n\n{told} {stage['note']}".rstrip()
    return "\n".join([text, "", *lines, *(["", *failed] if failed else []), ""])


def render_growth(rows: Row) -> str:
    """The nights as more and more is stored."""
    commits = ", ".join(dict.fromkeys(row["commit"] for row in rows.values()))
    told = f"By `bench/night.py --growth`, at {commits}: wall seconds, CPU seconds of ours and of Postgres, and memory."
    told += " The exponents are of CPU seconds, Postgres' own among them."
    return "\n".join(["## Nights as more is stored", "", told, "", *tell_series(rows), ""])


def render_quality(quality: Row) -> str:
    """One table of what ours reaches, each beside its plain baseline."""
    lines = [_line(["asked", "ours", "baseline"]), _line(["---", "---", "---"])]
    lines += [_line([row["asked"], row["ours"], row["baseline"]]) for row in quality["rows"]]
    head = f"## How good it is\n\nBy `make bench-quality`, at {quality['commit']}, {quality['at'][:16]} UTC."
    notes = [f"- {note}" for note in quality.get("notes", ())]
    return "\n".join([head, "", *lines, *(["", *notes] if notes else []), ""])


def _tell_row(row: Row, stage: Row, ours: Sequence[Row]) -> list[str]:
    turns = row["turns"]
    if not turns:
        return ["failed", *[""] * 4]
    seconds = [turn["seconds"] for turn in turns]
    middle = statistics.median(seconds)
    if turns is ours or not ours:
        lead = "1" if turns is ours else ""
    else:
        median, least, most = measure_lead([turn["seconds"] for turn in ours], seconds)
        lead = f"{_round(median)} [{_round(least)}, {_round(most)}]"
    cpu = [turn["cpu_s"] for turn in turns if turn.get("cpu_s") is not None]
    memory = max(turn["peak_mb"] for turn in turns)
    return [
        _round(middle),
        _round(stage["n"] / middle) if middle else "",
        lead,
        _round(statistics.median(cpu)) if cpu else "",
        f"{memory:,.0f}",
    ]


def _tell_figures(row: Row, columns: Sequence[str]) -> list[str]:
    figures = row.get("figures", {})
    return ["" if figures.get(name) is None else _show(figures[name]) for name in columns]


def _show(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _round(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
