"""Petitions and where they stand come in; circles and the names of topics go out, for the <svg> of the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median_low
from typing import Any

from sqlalchemy import Connection

from petitions.errors import PermanentError
from petitions.records import Source
from petitions.settings import Settings
from topic_browser.rows import Rows, read_rows

COLOURS = 12  # of the style sheet; topics beyond them begin anew, and names tell all apart
FIRST = 3  # petitions of a topic with most agreements, which the keyboard reaches; all those of a topic that is chosen
SMALL, LARGE = 5, 16  # radius, by the square root of agreements
LINE, LETTER = 30, 22  # height of a name, and width of a letter of Hangul
LONGEST = 14  # letters of a name
MARGIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A petition."""

    row: Mapping[str, Any]  # petition_id, title, n_agreements
    x: int
    y: int
    radius: float
    is_first: bool  # the keyboard comes by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A topic, its petitions and its name in their midst."""

    topic_id: int
    label: str
    name: str  # the label, cut to LONGEST letters
    colour: int
    is_shown: bool  # not another one was chosen
    x: int
    y: int
    circles: Sequence[Circle]  # the largest first, so that none covers a smaller one


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionMap:
    """All that is drawn."""

    groups: Sequence[Group]  # as topics stand on the first page
    box: str  # the viewBox
    n: int  # petitions


def read_petition_map(
    conn: Connection, source: Source, artifact: str, topics: Rows, chosen: int | None
) -> PetitionMap | None:
    """Read where the petitions of the published fit stand; None where that was not kept, or may not be read."""
    from petitions.steps.petition_map import read_map
    from petitions.store.artifacts import ArtifactStore

    try:
        places = read_map(ArtifactStore(Settings.from_env().artifacts), artifact)
    except (PermanentError, OSError):
        return None
    query = """
        SELECT petition_id, title, topic_id, n_agreements FROM petitions.current_petition
        WHERE source = :source AND petition_id = ANY (:ids) AND topic_id IS NOT NULL
        ORDER BY n_agreements DESC, petition_id
    """
    return draw_map(read_rows(conn, query, source=str(source), ids=list(places)), places, topics, chosen)


def draw_map(
    rows: Rows, places: Mapping[str, tuple[int, int]], topics: Rows, chosen: int | None = None
) -> PetitionMap | None:
    """Draw petitions as circles around the names of their topics.

    Args:
        rows: petitions, those with most agreements first.
        places: x and y by petition_id, whole numbers from 0 to 1000.
        topics: topic_id and label, the largest first.
        chosen: the topic that stands out; None: none does.

    Returns:
        None where no petition stands on it.
    """
    if not rows:
        return None
    most = max(row["n_agreements"] for row in rows) or 1
    of_topic: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        of_topic.setdefault(row["topic_id"], []).append(row)
    heights = [places[row["petition_id"]][1] for row in rows]
    low, high = min(heights) - MARGIN, max(heights) + MARGIN
    groups: list[Group] = []
    for number, topic in enumerate(topics):
        of_this = of_topic.get(topic["topic_id"], [])
        if of_this:
            groups.append(_draw_group(topic, number, of_this, places, chosen, most, groups))
    low, high = min([low, *(group.y - LINE for group in groups)]), max([high, *(group.y + LINE for group in groups)])
    return PetitionMap(groups=groups, box=f"{-MARGIN} {low} {1000 + 2 * MARGIN} {high - low}", n=len(rows))


def _draw_group(
    topic: Mapping[str, Any],
    number: int,
    rows: Rows,
    places: Mapping[str, tuple[int, int]],
    chosen: int | None,
    most: int,
    before: Sequence[Group],
) -> Group:
    label, is_chosen = str(topic["label"]), topic["topic_id"] == chosen
    name = label if len(label) <= LONGEST else f"{label[:LONGEST]}…"
    half = len(name) * LETTER // 2
    x = median_low([places[row["petition_id"]][0] for row in rows])
    x = max(min(half, 500), min(x, max(1000 - half, 500)))
    return Group(
        topic_id=topic["topic_id"],
        label=label,
        name=name,
        colour=number % COLOURS + 1,
        is_shown=chosen is None or is_chosen,
        x=x,
        y=_find_free(x, median_low([places[row["petition_id"]][1] for row in rows]), half, before),
        circles=[
            Circle(
                row=row,
                x=places[row["petition_id"]][0],
                y=places[row["petition_id"]][1],
                radius=round(SMALL + (LARGE - SMALL) * sqrt(row["n_agreements"] / most), 1),
                is_first=is_chosen or (chosen is None and rank < FIRST),
            )
            for rank, row in enumerate(rows)
        ],
    )


def _find_free(x: int, y: int, half: int, before: Sequence[Group]) -> int:
    """The height nearest to y at which a name covers none of those before."""
    near = [one.y for one in before if abs(one.x - x) < half + len(one.name) * LETTER // 2]
    free = [at for at in (y, *(one + way * LINE for one in near for way in (-1, 1))) if _is_free(at, near)]
    return min(free, key=lambda at: (abs(at - y), at))


def _is_free(at: int, near: Sequence[int]) -> bool:
    return all(abs(at - one) >= LINE for one in near)
