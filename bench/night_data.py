"""The petitions of the nights that `night.py` measures: real ones of the Blue House, as long as there are any."""

import gzip
import json
import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from stand_in import BLUEHOUSE_DATA, read_rows

FIRST, SECOND, NEW_DAY = "2019-09-01", "2019-09-03", "2019-09-02"  # the days that the windows leave out; all new begin
NIGHTS = (("first", FIRST), ("second", SECOND), ("nothing new", SECOND))  # names, and the days that they leave out
IN_WINDOW, BEFORE = ("2019-06", "2019-07", "2019-08"), ("2019-04", "2019-05")
LATER = BLUEHOUSE_DATA.parent / "corpus" / "bluehouse_2020-01_05.jsonl.gz"
OPEN_DAYS = 30
Row = dict[str, Any]


def count_real() -> tuple[int, int]:
    """The real petitions of the window, and all whose texts are real."""
    inside, others = _read_real(seed=0)
    return len(inside), len(inside) + len(others)


def write_rows(path: Path, n: int, n_new: int, seed: int = 0) -> None:
    """Write n petitions of three months, and n_new that begin on the second night.

    First those that did begin in the three months; then others, of 2019-04 to 05 and of early 2020, whose days are
    moved into them. Beyond those their sentences are shuffled under other ids.
    """
    chance = random.Random(seed)
    rows = sum(_read_real(seed), [])
    chosen = rows[: n + n_new]
    for copy in range(1, -(-(n + n_new) // len(rows))):
        for row in rows[: n + n_new - len(chosen)]:
            sentences = row["content"].split(". ")
            chance.shuffle(sentences)
            chosen.append({**row, "id": str(int(row["id"]) + copy * 10_000_000), "content": ". ".join(sentences)})
    chosen[n:] = [_move(row, date.fromisoformat(NEW_DAY)) for row in chosen[n:]]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")


def _read_real(seed: int) -> tuple[list[Row], list[Row]]:
    chance = random.Random(seed)
    inside = read_rows(*_name_months(IN_WINDOW))
    chance.shuffle(inside)
    others = read_rows(*_name_months(BEFORE))
    if LATER.exists():
        with gzip.open(LATER, "rt", encoding="utf-8") as lines:
            others += [json.loads(line) for line in lines]
    chance.shuffle(others)
    first, until = date.fromisoformat(f"{IN_WINDOW[0]}-01"), date.fromisoformat(FIRST)
    n_days = (until - first).days
    return inside, [_move(row, first + timedelta(days=place % n_days)) for place, row in enumerate(others)]


def _name_months(months: Sequence[str]) -> list[Path]:
    return [BLUEHOUSE_DATA / f"{month}.jsonl" for month in months]


def _move(row: Row, begin: date) -> Row:
    return {**row, "begin": str(begin), "end": str(begin + timedelta(days=OPEN_DAYS))}
