"""What a stage is: the work, who does it, and how much of it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[3] / "shared"
MONTHS = ("2019-06", "2019-07", "2019-08")
ALL_MONTHS = ("2019-04", "2019-05", *MONTHS)
Arguments = dict[str, Any]
Judge = Callable[[Path, Arguments], dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One way to do the work: a maker of its stage's module, and the environment that it runs in."""

    name: str
    maker: str
    environment: str = "ours"
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The work of one table. The first contestant is ours, whom all are compared with.

    `sizes` gives the arguments of each mode, `rounds` among them; `prepare` makes what all share, and adds to them;
    `judge` looks at what the contestants left in the folder, and gives more figures by contestant.
    """

    title: str
    module: str
    unit: str  # of which `n` are done
    contestants: tuple[Contestant, ...]
    sizes: Mapping[str, Mapping[str, Any]]
    prepare: Callable[[Arguments, Path], AbstractContextManager[Arguments]]
    judge: Judge | None = None
    note: str = ""


def data_files(months: tuple[str, ...] = MONTHS) -> list[Path]:
    """The real petitions of some months of the Blue House."""
    return [SHARED / "data/bluehouse" / f"{month}.jsonl" for month in months]
