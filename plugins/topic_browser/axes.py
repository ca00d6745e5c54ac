"""Weeks and values of topics come in; a chart with axes goes out, for the <svg> element of the templates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from typing import Any

from topic_browser.charts import WEEK, find_joined

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 30, 22, 34  # of the box around the lines
MOST_WEEKS_NAMED, MOST_VALUES_TOLD = 10, 14
_APART = 14  # between the letters of two lines
_ROUND = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A week of a line; of one that was cut short the value may lie above the top."""

    x: float
    y: float
    text: str  # of its value
    is_cut: bool
    text_y: float | None  # where its value stands, if at all: below it where both sides rise


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line of whole weeks, all dots, and where its letter stands."""

    points: str
    dots: Sequence[Dot]
    letter_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of WIDTH by HEIGHT."""

    curves: Sequence[Curve]
    weeks: Sequence[Tick]
    values: Sequence[Tick]
    cut: Sequence[float]  # the places of weeks that the window cuts short
    band: float  # the width of a week


def draw_chart(series: Sequence[Sequence[Mapping[str, Any]]], name: str, tell: Callable[[float], str]) -> Chart | None:
    """Draw lines over the same weeks on one scale from 0.

    Args:
        series: of each line its weeks, with week, n_days and the value.
        name: of the value, such as share.
        tell: a value as people read it.

    Returns:
        None for fewer than two weeks.
    """
    weeks = series[0] if series else []
    if len(weeks) < 2:
        return None
    joined = find_joined([row["n_days"] for row in weeks])
    highest = max((float(rows[place][name]) for rows in series for place in joined), default=0)
    step, top = find_scale(highest)
    curves = [_draw_curve(rows, name, tell, joined, top, is_alone=len(series) == 1) for rows in series]
    named = ceil(len(weeks) / MOST_WEEKS_NAMED)
    return Chart(
        curves=_part_letters(curves),
        weeks=[Tick(at=_x(n, len(weeks)), text=tell_day(weeks[n]["week"])) for n in range(0, len(weeks), named)],
        values=[Tick(at=_y(step * n, top), text=tell(step * n)) for n in range(round(top / step) + 1)],
        cut=[_x(place, len(weeks)) for place, row in enumerate(weeks) if row["n_days"] < WEEK],
        band=round((WIDTH - LEFT - RIGHT) / len(weeks), 1),
    )


def find_scale(highest: float) -> tuple[float, float]:
    """A round step and the top of an axis from 0 that holds a value, in two to five steps."""
    if highest <= 0:
        return 1, 1
    size = 10 ** floor(log10(highest / 4))
    step = next(size * part for part in _ROUND if size * part * 4 >= highest * (1 - 1e-9))
    return step, step * max(2, ceil(highest / step - 1e-9))


def tell_day(day: date) -> str:
    """Month and day, the same in both languages; the year stands below a chart."""
    return f"{day:%m-%d}"


def _draw_curve(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    tell: Callable[[float], str],
    joined: Sequence[int],
    top: float,
    *,
    is_alone: bool,
) -> Curve:
    values = [float(row[name]) for row in rows]
    best = max(joined, key=lambda place: values[place])
    told = set(joined) if len(rows) <= MOST_VALUES_TOLD else {best, joined[-1]}
    dots = [
        Dot(
            x=_x(place, len(rows)),
            y=_y(min(value, top), top),
            text=tell(value),
            is_cut=rows[place]["n_days"] < WEEK,
            text_y=_place_text(values, place, top) if is_alone and place in told else None,
        )
        for place, value in enumerate(values)
    ]
    points = " ".join(f"{dots[place].x},{dots[place].y}" for place in joined)
    return Curve(points=points, dots=dots, letter_y=dots[joined[-1]].y)


def _place_text(values: list[float], place: int, top: float) -> float:
    beside = values[max(0, place - 1) : place] + values[place + 1 : place + 2]
    is_low = all(value > values[place] for value in beside) and values[place] > 0.1 * top  # there is room below it
    return round(_y(min(values[place], top), top) + (17 if is_low else -8), 1)


def _part_letters(curves: Sequence[Curve]) -> Sequence[Curve]:
    """Move the letters at the ends of lines apart, downwards, and up again from the bottom."""
    order = sorted(range(len(curves)), key=lambda place: curves[place].letter_y)
    places: list[float] = []
    for one in order:
        places.append(max(curves[one].letter_y, places[-1] + _APART if places else TOP))
    lowest: float = HEIGHT - BOTTOM
    for n in reversed(range(len(places))):
        places[n] = min(places[n], lowest)
        lowest = places[n] - _APART
    moved = dict(zip(order, places, strict=True))
    return [
        Curve(points=curve.points, dots=curve.dots, letter_y=round(moved[place], 1))
        for place, curve in enumerate(curves)
    ]


def _x(place: int, n: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / n, 1)


def _y(value: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)
