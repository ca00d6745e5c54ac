"""Whole crawls of a stand-in into a database, at a chosen moment and in a hurry: for slow tests and benches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, func, select

from crawl.site_server import FastClock
from own_pace import Limiter
from petitions.crawl.archive import Archive
from petitions.crawl.limiter import Clock
from petitions.records import SEOUL, Petition, Source, Status, Window
from petitions.settings import Settings
from petitions.steps.crawl import gather
from petitions.store.crawl_tables import crawl_reject
from petitions.store.tables import petition
from petitions.text.normalize import normalize_petition

ALL_FAULTS = "429,503,500,403,cut,slow,garbage,reset,interstitial"
SPEED = 10_000.0
GROWS_FOR_DAYS = 30  # the agreements of a stand-in's petition
# What differs between two crawls that bring the same: moments, and the archive files that are named by them.
NOT_COMPARED = ("first_seen_at", "last_seen_at", "changed_at", "artifact")


class FastPace(Limiter):
    """In place of SharedPace, which waits by the clock of the database server: no clock of a test is faster."""

    def __init__(self, engine: Engine, site: str, requests_per_second: float, connections: int, clock: Clock) -> None:
        super().__init__(requests_per_second, clock)
        self._connections = connections

    @contextmanager
    def hold_connections(self) -> Iterator[int]:
        yield self._connections


def tick_from(moment: datetime) -> Callable[[], datetime]:
    """A clock for `now` that moves on by a millisecond at each look."""
    ticks = count()
    return lambda: moment + timedelta(milliseconds=next(ticks))


def begin_night(day: date) -> Callable[[], datetime]:
    """03:00 in Seoul, ticking."""
    return tick_from(datetime.combine(day, time(3), SEOUL))


def crawl(
    engine: Engine,
    archive: Archive,
    source: Source,
    window: Window,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    clock: FastClock | None = None,
    pace: type[FastPace] = FastPace,
) -> int:
    """Crawl and store, with all pauses divided by the clock's speed; gives the number of items."""
    clock = clock or FastClock(SPEED)
    batches = gather(engine, archive, source, window, settings, now=now, clock=clock, make_pace=pace)
    return sum(n_items for n_items, _ in batches)


def read_petitions(engine: Engine) -> dict[str, dict[str, Any]]:
    """All rows of `petition` by source_id, without what differs between two crawls that bring the same."""
    columns = [column for column in petition.columns if column.name not in NOT_COMPARED]
    with engine.connect() as conn:
        return {row["source_id"]: dict(row) for row in conn.execute(select(*columns)).mappings()}


def count_rejects(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(crawl_reject)) or 0


def expect_row(source: Source, record: dict[str, Any], day: date) -> dict[str, Any]:
    """What the table should hold of a record of the stand-in on a day, white space of the texts aside."""
    is_open, is_answered = record["end"] >= day.isoformat(), record["status"] in ("브리핑", "답변완료")
    share = min(1.0, ((day - date.fromisoformat(record["begin"])).days + 1) / GROWS_FOR_DAYS)
    closed = Status.ANSWERED if is_answered and source == "bluehouse" else Status.ENDED
    told = Petition(
        source=source,
        source_id=record["id"],
        title=record["title"],
        body=record["content"] or f"청원의 본문입니다. {record['title']}",
        category=record["category"],
        status=Status.OPEN if is_open else closed,
        n_agreements=int(record["num_agree"] * share),
        begins_on=date.fromisoformat(record["begin"]),
        ends_on=date.fromisoformat(record["end"]),
        url="",
    )
    clean = normalize_petition(told)
    return {name: flatten(getattr(clean, name)) for name in COMPARED_WITH_RECORDS}


COMPARED_WITH_RECORDS = ("title", "body", "category", "status", "n_agreements", "begins_on", "ends_on")


def flatten(value: Any) -> Any:
    """A text with one blank for each run of white space: the site's pages render line ends as breaks."""
    return " ".join(value.split()) if isinstance(value, str) else value
