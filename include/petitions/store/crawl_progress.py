"""How far the crawl of a source over a window came, and which stored petitions it has to ask for.

A crawl reads the lists of the site, then asks for the petitions that are stored as open (KNOWN), then for a few of the
others (SAMPLE). Each batch is stored together with its place (`write_place`), from which a killed crawl goes on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from petitions.crawl.place import DONE, Place
from petitions.records import Source, Status, Window, korean_day
from petitions.store.crawl_tables import crawl_progress, crawl_reject
from petitions.store.petitions import in_window
from petitions.store.tables import petition

GOES_ON_FOR = timedelta(hours=48)  # a crawl that was killed longer ago begins anew
REJECTS_ASKED_AGAIN_FOR = timedelta(days=14)
THOROUGH_EVERY = timedelta(days=3)  # the lists of ended petitions are read so often


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlStart:
    """When a crawl began, where it goes on, and before which day all that began in its window is stored already."""

    started_at: datetime
    place: Place
    covered_until: date | None

    @property
    def is_thorough(self) -> bool:
        """All lists are read by this crawl; always where nothing, or not enough, is covered."""
        began_on = korean_day(self.started_at)
        return self.covered_until is None or self.covered_until <= began_on - THOROUGH_EVERY


def begin_crawl(conn: Connection, source: Source, window: Window, *, at: datetime) -> CrawlStart:
    """Begin a crawl, or go on with one over the same window that was killed.

    What is covered is told by the thorough crawls that came to their end: a petition that began in one's window, before
    that crawl's own day, was in a list then and is stored.
    """
    row = conn.execute(select(crawl_progress).where(_is_of(source, window))).one_or_none()
    if row is None or row.stage == DONE or row.started_at < at - GOES_ON_FOR:
        begun = {"started_at": at, "stage": "", "page": 0, "after": ""}
        key = {"source": str(source), "since": window.since, "until": window.until}
        statement = insert(crawl_progress).values(**key, **begun)
        conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=begun))
        started_at, place = at, Place()
    else:
        started_at, place = row.started_at, Place(stage=row.stage, page=row.page, after=row.after)
    covered = select(func.max(func.least(crawl_progress.c.until, crawl_progress.c.finished_on))).where(
        crawl_progress.c.source == str(source),
        crawl_progress.c.since <= window.since,
        crawl_progress.c.finished_on.is_not(None),
    )
    return CrawlStart(started_at=started_at, place=place, covered_until=conn.scalar(covered))


def write_place(conn: Connection, source: Source, window: Window, place: Place, start: CrawlStart) -> None:
    """Record where a crawl is; where a thorough one is DONE, all that began before its day in Korea is covered."""
    values: dict[str, object] = {"stage": place.stage, "page": place.page, "after": place.after}
    if place.stage == DONE and start.is_thorough:
        values["finished_on"] = korean_day(start.started_at)
    conn.execute(update(crawl_progress).where(_is_of(source, window)).values(values))


def read_statuses(conn: Connection, source: Source, source_ids: Collection[str]) -> dict[str, Status]:
    """Read the status of those petitions that are stored, hidden ones too, by the site's own id."""
    known = select(petition.c.source_id, petition.c.status).where(
        petition.c.source == str(source), petition.c.source_id.in_(source_ids)
    )
    return {source_id: Status(status) for source_id, status in conn.execute(known)}


def read_open(
    conn: Connection, source: Source, window: Window, *, not_since: datetime, after: str, limit: int
) -> list[str]:
    """Read which petitions are stored as open and were not seen since a moment, in the order of the site's ids.

    Args:
        conn: an open connection.
        source: whose petitions.
        window: begins_on is in it.
        not_since: the start of the crawl.
        after: only ids greater than this one.
        limit: the most that is read.
    """
    is_due = and_(in_window(source, window), petition.c.status == str(Status.OPEN), petition.c.source_id > after)
    due = select(petition.c.source_id).where(is_due, petition.c.last_seen_at < not_since)
    return list(conn.scalars(due.order_by(petition.c.source_id).limit(limit)))


def count_open(conn: Connection, source: Source, window: Window, *, today: date) -> int:
    """Count the petitions of a window that are stored as open and have not come to their last day."""
    is_open = and_(in_window(source, window), petition.c.status == str(Status.OPEN), petition.c.ends_on >= today)
    return conn.scalar(select(func.count()).where(is_open)) or 0


def read_closed(conn: Connection, source: Source, window: Window, *, not_since: datetime, limit: int) -> list[str]:
    """Read which petitions, no longer open or hidden, were not looked at for the longest time."""
    is_due = and_(in_window(source, window), petition.c.status != str(Status.OPEN))
    due = select(petition.c.source_id).where(is_due, petition.c.last_seen_at < not_since)
    return list(conn.scalars(due.order_by(petition.c.last_seen_at, petition.c.petition_id).limit(limit)))


def read_rejected(conn: Connection, source: Source, *, at: datetime, limit: int) -> list[str]:
    """Read URLs that brought no petition in the last days; from day to day others come first."""
    is_due = and_(crawl_reject.c.source == str(source), crawl_reject.c.seen_at >= at - REJECTS_ASKED_AGAIN_FOR)
    turn = func.md5(crawl_reject.c.url + f"{at:%F}")
    return list(
        conn.scalars(select(crawl_reject.c.url).where(is_due).group_by(crawl_reject.c.url).order_by(turn).limit(limit))
    )


def read_odd(conn: Connection, source: Source, urls: Collection[str], *, before: datetime) -> set[str]:
    """Read which of these URLs brought no petition before a moment."""
    is_odd = and_(crawl_reject.c.source == str(source), crawl_reject.c.url.in_(urls), crawl_reject.c.seen_at < before)
    return set(conn.scalars(select(crawl_reject.c.url).where(is_odd)))


def read_set_aside(conn: Connection) -> list[tuple[str, date]]:
    """Read why petitions were set aside that have not been seen since, and on which day in Korea each first was."""
    row = crawl_reject.c
    names_it = row.url.regexp_match(func.concat("[/=]", petition.c.source_id, "([?&/]|$)"))
    is_seen = exists().where(petition.c.source == row.source, petition.c.last_seen_at > row.seen_at, names_it)
    found = select(row.reason, func.min(row.seen_at).label("at")).where(row.is_aside, ~is_seen).group_by(row.reason)
    return [(reason, korean_day(at)) for reason, at in conn.execute(found.order_by("at", row.reason))]


def _is_of(source: Source, window: Window) -> ColumnElement[bool]:
    progress = crawl_progress.c
    return and_(progress.source == str(source), progress.since == window.since, progress.until == window.until)
