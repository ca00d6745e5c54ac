"""Numbers come in; the points of a line go out, for the <svg> elements of the templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line in a box of width by height, y downwards, and the box filled under it."""

    width: int
    height: int
    points: str
    area: str
    places: Sequence[tuple[float, float]]  # of each value
    highest: float


def draw_line(
    values: Sequence[float], width: int, height: int, days: Sequence[date] | None = None, margin: float = 3
) -> Line | None:
    """Draw values from the left to the right, 0 at the bottom.

    Args:
        values: one a place.
        width: of the box.
        height: of the box.
        days: of each value, else they stand at equal distances.
        margin: that keeps a thick line within the box.

    Returns:
        None for fewer than two values, which make no line.
    """
    if len(values) < 2:
        return None
    places = [(day - days[0]).days for day in days] if days else list(range(len(values)))
    span, highest = max(places[-1], 1), max(max(values), 1e-9)
    inner, tall = width - 2 * margin, height - 2 * margin
    points = [
        (round(margin + inner * place / span, 1), round(margin + tall * (1 - value / highest), 1))
        for place, value in zip(places, values, strict=True)
    ]
    drawn = " ".join(f"{x},{y}" for x, y in points)
    return Line(
        width=width,
        height=height,
        points=drawn,
        area=f"{points[0][0]},{height} {drawn} {points[-1][0]},{height}",
        places=points,
        highest=max(values),
    )
