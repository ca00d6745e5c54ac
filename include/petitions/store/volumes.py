"""How many petitions begin in a week, and whether the latest days are far off the weeks before.

The days come from the stored petitions, hidden ones counted too; a site that suddenly gives few, or far too many, has
most likely changed its shape, even though every answer could be parsed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from sqlalchemy import Connection, func, select

from petitions.errors import SiteChangedError
from petitions.records import Source
from petitions.store.tables import petition

# Chosen by bench/volume_alarms.py over every night of three real histories: of 1,807 nights none reports a fall and
# four a rise, all the Assembly's: its level rose tenfold (March 2020, May 2022), and a burst (January 2024).
#
# Days of a span: the part (one in so many) of the usual that it may fall to. The Blue House really fell to 1/6.6 of it
# in 5 days, 1/2.4 in 7 and 1/1.9 in 14. In 3 days nothing at all began on a long weekend (1 to 3 May 2020).
FALLS = {5: 8.0, 7: 3.0, 14: 2.0}
# Times the usual. Real news brought the Blue House 8 times as many in 5 days, and 5 times in 14 (February 2020): a
# limit of 2 would stop 72 of those nights. So a list that is only doubled passes: no count tells it from news.
RISE = 10.0
# And so many standard deviations off: 2 sqrt(n) of a Poisson count n has a deviation of 1. It is what counts where
# few come: a week of holidays with none was 6.5 off at 10 a week (Assembly, October 2023).
DEVIATIONS = 7.0
MOST_WEEKS, LEAST_WEEKS = 10, 4  # compared with; the most, and the latest 14 days, fit in a window of three months


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A span of the latest days whose number of petitions is out of the range [low, high] that was expected."""

    n_days: int
    n_petitions: int
    low: int
    high: int
    n_weeks: int
    usual: float  # median of those weeks


def read_days(conn: Connection, source: Source, until: date, since: date | None = None) -> list[int]:
    """Read how many stored petitions began on each of the days before `until`, the latest last.

    Args:
        conn: an open connection.
        source: whose petitions; hidden ones are counted.
        until: the first day that is not counted.
        since: days before it are left out, as are those before the first stored petition.

    Returns:
        At most as many days as are compared; empty where none is left.
    """
    is_counted = (petition.c.source == str(source)) & (petition.c.begins_on < until)
    first = conn.scalar(select(func.min(petition.c.begins_on)).where(is_counted))
    if first is None:
        return []
    first = max(first, since or first, until - timedelta(days=7 * MOST_WEEKS + max(FALLS)))
    is_counted &= petition.c.begins_on >= first
    rows = conn.execute(select(petition.c.begins_on, func.count()).where(is_counted).group_by(petition.c.begins_on))
    counts: dict[date, int] = dict(rows.all())
    return [counts.get(first + timedelta(days=number), 0) for number in range((until - first).days)]


def find_oddity(days: Sequence[int]) -> Oddity | None:
    """Find the shortest span of the latest days that is far off the full weeks before the longest span.

    Args:
        days: petitions a day, the latest last.

    Returns:
        None where all is as usual, or with too few weeks to tell.
    """
    before = days[: -max(FALLS)]
    weeks = [sum(before[end - 7 : end]) for end in range(len(before), 6, -7)][:MOST_WEEKS]
    if len(weeks) < LEAST_WEEKS:
        return None
    usual = median(weeks)
    for n_days, fall in FALLS.items():
        low, high = _expect(usual * n_days / 7, fall)
        n_petitions = sum(days[-n_days:])
        if not low <= n_petitions <= high:
            return Oddity(n_days=n_days, n_petitions=n_petitions, low=low, high=high, n_weeks=len(weeks), usual=usual)
    return None


def check_volume(conn: Connection, source: Source, until: date, since: date | None = None) -> None:
    """Refuse a volume far off that of the weeks before; a store with too few weeks has none to compare with.

    Args:
        conn: an open connection.
        source: whose stored petitions are counted.
        until: the first day that is not counted; a day that is not over yet looks like a fall.
        since: days before it are not compared.

    Raises:
        SiteChangedError: names the count, the range that was expected, and the setting that accepts the new level.
    """
    found = find_oddity(read_days(conn, source, until, since))
    if found is None:
        return
    start, compared = (until - timedelta(days=days) for days in (found.n_days, max(FALLS)))
    raise SiteChangedError(
        f"{source}: {found.n_petitions} petitions began from {start} to before {until}, expected {found.low} to "
        f"{found.high} by the {found.n_weeks} weeks before {compared} (median {found.usual:g} a week); if the site "
        f"is right, PETITIONS_VOLUME_SINCE={start} accepts the new level"
    )


def _expect(usual: float, fall: float) -> tuple[int, int]:
    """The least and the most petitions of a span that usually has `usual`."""
    root, slack = math.sqrt(usual), DEVIATIONS / 2
    low = min(usual / fall, max(root - slack, 0.0) ** 2)
    high = max(usual * RISE, (root + slack) ** 2)
    return math.ceil(low), math.floor(high)
