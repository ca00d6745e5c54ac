"""Numbers come in; the points of a line go out, for the <svg> elements of the templates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

WEEK = 7  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line in a box of width by height, y downwards, and the box filled under it."""

    width: int
    height: int
    points: str
    area: str
    places: Sequence[tuple[float, float]]  # of each value, on the line or not
    highest: float
    top: float  # the value at the top: what lies above it is drawn there


def draw_line(
    values: Sequence[float],
    width: int,
    height: int,
    days: Sequence[date] | None = None,
    margin: float = 3,
    n_days: Sequence[int] | None = None,
    scale: float | None = None,
) -> Line | None:
    """Draw values from the left to the right, 0 at the bottom.

    Args:
        values: one a place.
        width: of the box.
        height: of the box.
        days: of each value, else they stand at equal distances.
        margin: that keeps a thick line within the box.
        n_days: of the week of each value; that of a week that was cut short has a place, at the top where it is higher
            than all whole ones, but neither sets the scale nor belongs to the line; with fewer than two whole, all do.
        scale: the value at the top, where several lines are to be compared; else the highest one.

    Returns:
        None for fewer than two values, which make no line.
    """
    if len(values) < 2:
        return None
    places = [(day - days[0]).days for day in days] if days else list(range(len(values)))
    joined = find_joined(n_days or [WEEK] * len(values))
    span, highest = max(places[-1], 1), scale or max(*(values[place] for place in joined), 1e-9)
    inner, tall = width - 2 * margin, height - 2 * margin
    points = [
        (round(margin + inner * place / span, 1), round(margin + tall * (1 - min(value / highest, 1)), 1))
        for place, value in zip(places, values, strict=True)
    ]
    drawn = " ".join("{},{}".format(*points[place]) for place in joined)
    return Line(
        width=width,
        height=height,
        points=drawn,
        area=f"{points[joined[0]][0]},{height} {drawn} {points[joined[-1]][0]},{height}",
        places=points,
        highest=max(values[place] for place in joined),
        top=highest,
    )


def find_joined(n_days: Sequence[int]) -> Sequence[int]:
    """The places of the weeks that a line joins: the whole ones, and with fewer than two of these all."""
    whole = [place for place, n in enumerate(n_days) if n >= WEEK]
    return whole if len(whole) >= 2 else range(len(n_days))


def find_highest(lines: Iterable[Sequence[Mapping[str, Any]]]) -> float:
    """The highest share that any line joins: the one scale of them all."""
    return max(
        (float(rows[place]["share"]) for rows in lines for place in find_joined([row["n_days"] for row in rows])),
        default=0.0,
    )
