"""The step crawl: what a site brings, into the store; the glue between crawl, text and tables."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine

from petitions.crawl.archive import Archive
from petitions.crawl.asking import Asker
from petitions.crawl.crawler import BATCH, Crawler
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.limiter import Clock, HeldPace
from petitions.crawl.policy import RetryPolicy
from petitions.crawl.reading import CrawlBatch, Item
from petitions.crawl.replay import replay
from petitions.crawl.sites import open_site, require_site
from petitions.crawl.stopping import CrawlThreads, StoppableClock, end_on_sigterm
from petitions.crawl.taking_in import take_in
from petitions.errors import EmptyWindowError, ParseError
from petitions.privacy import redact_error
from petitions.records import Hidden, Petition, Reject, Source, Window, korean_day
from petitions.settings import Settings
from petitions.sources.registry import SOURCES
from petitions.steps.crawl_ledger import StoredLedger
from petitions.steps.open_data import ASSEMBLY, ask_open_data
from petitions.steps.step import Run
from petitions.store import crawl_progress
from petitions.store.handling import read_counts, read_unknown_codes, record_handling
from petitions.store.pace import SharedPace
from petitions.store.petitions import (
    insert_rejects,
    mark_hidden,
    name_reject,
    read_seen_since,
    read_texts,
    record_agreements,
    upsert_petitions,
)
from petitions.store.upsert import Counts
from petitions.store.volumes import check_volume
from petitions.text.normalize import normalize_petition

logger = logging.getLogger(__name__)


def crawl(run: Run, *, is_replay: bool, recorded: Sequence[Path] = ()) -> int:
    """Fetch what is new or may have changed, or read the archive again; returns the petitions and other answers read.

    Args:
        run: what is crawled.
        is_replay: ask no site.
        recorded: WARC files of other tools to read in the place of the whole archive, into which they are taken.

    Raises:
        FetchError, SiteChangedError: the site; what came before is kept.
        EmptyWindowError: the site has no petition in the window.
    """
    with end_on_sigterm(), run.step("crawl") as told:
        parts = (run.engine, Archive(run.artifacts), run.source, run.window, run.settings)
        for n_items, written in gather_again(*parts, recorded) if is_replay else gather(*parts, now=run.clock):
            told.rows_in += n_items
            told.rows_out += written.inserted + written.updated
        if run.source == ASSEMBLY and not is_replay:
            ask_open_data(run.engine, run.settings, now=run.clock)
    return told.rows_in


def crawl_site(
    ledger: StoredLedger,
    archive: Archive,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    clock: StoppableClock | None = None,
    make_pace: Callable[[Engine, str, float, int, Clock], HeldPace] = SharedPace,
) -> Iterator[CrawlBatch]:
    """Crawl a site at the pace and over the connections that all processes share.

    Args:
        ledger: what is stored, and where the crawl begins.
        archive: where the raw answers go.
        settings: where the site is, and the most that it is asked.
        now: the moment of each batch; its day is the day on which the site is read.
        clock: what pauses wait by; stopped where the crawl ends by an error.
        make_pace: the pace that is kept, of a site by its URL, its requests a second and its connections.

    Raises:
        FetchError, SiteChangedError, ConfigError: see Crawler.crawl.
    """
    open_on = partial(open_site, ledger.source, ledger.window, settings)
    base_url = open_on(korean_day(now())).base_url
    policy, clock = RetryPolicy(), clock or StoppableClock()
    pace = make_pace(ledger.engine, base_url, settings.requests_per_second, settings.connections, clock)
    login = settings.site_logins.get(ledger.source)
    fetcher = Fetcher(
        base_url, contact=settings.contact, limiter=pace, policy=policy, login=login, clock=clock, now=now
    )
    with (
        pace.hold_connections() as connections,
        closing(fetcher),
        CrawlThreads(connections, clock) as pool,
    ):
        asker = Asker(fetcher, pool, most_at_once=connections, policy=policy, clock=clock)
        yield from Crawler(open_on, asker, archive, ledger, now=now).crawl()


def gather(
    engine: Engine,
    archive: Archive,
    source: Source,
    window: Window,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    clock: StoppableClock | None = None,
    make_pace: Callable[[Engine, str, float, int, Clock], HeldPace] = SharedPace,
) -> Iterator[tuple[int, Counts]]:
    """Crawl, and store batch by batch, each with the place that the crawl has come to.

    Yields:
        After each batch is stored: the number of its items, and what became of the rows of `petition`.

    Raises:
        FetchError, SiteChangedError, ConfigError: see Crawler.crawl; what came before is kept.
        ConfigError: the site is closed and no mirror is named.
        EmptyWindowError: the site has no petition in the window.
    """
    if not SOURCES[source].url:
        yield from store_batches(engine, _read_shipped(source, window, now))
    else:
        require_site(source, settings)
        with engine.begin() as conn:
            start = crawl_progress.begin_crawl(conn, source, window, at=now())
        ledger = StoredLedger(engine=engine, source=source, window=window, start=start)
        yield from store_batches(
            engine, crawl_site(ledger, archive, settings, now=now, clock=clock, make_pace=make_pace), ledger
        )
        _warn_of_codes(engine, source)
        with engine.connect() as conn:  # of days that are over; what begins before the window may never have been read
            until, since = (
                min(window.until, korean_day(now())),
                max(window.since, settings.volume_since or window.since),
            )
            check_volume(conn, source, until, since)
    _require_petitions(engine, source, window)


def gather_again(
    engine: Engine,
    archive: Archive,
    source: Source,
    window: Window,
    settings: Settings,
    recorded: Sequence[Path] = (),
) -> Iterator[tuple[int, Counts]]:
    """Store what the archive holds, or what other tools recorded, without asking the site; see `gather`.

    A recorded answer that is older than what is stored of its petition is kept in the archive alone.
    """
    files = take_in(recorded, source, window, archive, settings) if recorded else None
    batches = replay(source, window, archive, settings, files)
    yield from store_batches(engine, _drop_older(engine, batches) if recorded else batches)
    _warn_of_codes(engine, source)
    _require_petitions(engine, source, window)


def store_batches(
    engine: Engine, batches: Iterator[CrawlBatch], ledger: StoredLedger | None = None
) -> Iterator[tuple[int, Counts]]:
    """Store each batch in one transaction, with its place where a ledger is kept; see `gather`."""
    for batch in batches:
        with engine.begin() as conn:
            written = write_batch(conn, batch.items, seen_at=batch.seen_at, seen_on=korean_day(batch.seen_at))
            if ledger:
                crawl_progress.write_place(conn, ledger.source, ledger.window, batch.place, ledger.start)
        yield len(batch.items), written


def write_batch(conn: Connection, batch: Sequence[Item], *, seen_at: datetime, seen_on: date) -> Counts:
    """Normalize and write one batch, in the caller's transaction.

    A petition whose text cannot be normalized, and a hidden one that was never stored, become rejects.

    Args:
        conn: inside a transaction.
        batch: what the crawl read.
        seen_at: the moment.
        seen_on: the day of the agreements, in Korea.

    Returns:
        What became of the rows of `petition`.
    """
    petitions: list[Petition] = []
    hidden = [item for item in batch if isinstance(item, Hidden)]
    rejects = [item for item in batch if isinstance(item, Reject)]
    for item in batch:
        if isinstance(item, Petition):
            try:
                petitions.append(normalize_petition(item))
            except ParseError as error:
                rejects.append(Reject(source=item.source, url=item.url, reason=str(error), artifact=item.artifact))
    petitions = _count_as_stored(conn, petitions)
    written = upsert_petitions(conn, petitions, seen_at=seen_at)
    record_agreements(conn, [item for item in petitions if item.is_counted], seen_on=seen_on)
    record_handling(conn, petitions, seen_on=seen_on)
    for item in mark_hidden(conn, hidden, seen_at=seen_at):
        reason = "the site knows no such petition" if item.is_vanished else "hidden"
        rejects.append(Reject(source=item.source, url=item.url, reason=reason, artifact=item.artifact))
    insert_rejects(conn, rejects, seen_at=seen_at)
    for item in rejects:
        told = "no petition at %s: %s (row of crawl_reject: %s; raw answer: %s)"
        reason = redact_error(ParseError(item.reason))  # its end may quote the answer
        logger.warning(told, item.url, reason, name_reject(item), item.artifact or "none")
    return written


def _count_as_stored(conn: Connection, petitions: Sequence[Petition]) -> list[Petition]:
    """Give those of which the site did not say how many agreed the number that is stored."""
    counts = read_counts(conn, [item.petition_id for item in petitions if not item.is_counted])
    return [
        item if item.is_counted else replace(item, n_agreements=counts.get(item.petition_id, 0)) for item in petitions
    ]


def _drop_older(engine: Engine, batches: Iterator[CrawlBatch]) -> Iterator[CrawlBatch]:
    """Leave out petitions that were seen at their site after an answer was recorded."""
    for batch in batches:
        ids = [f"{item.source}:{item.source_id}" for item in batch.items if not isinstance(item, Reject)]
        with engine.connect() as conn:
            later = read_seen_since(conn, ids, batch.seen_at)
        items = [
            item for item in batch.items if isinstance(item, Reject) or f"{item.source}:{item.source_id}" not in later
        ]
        yield replace(batch, items=items)


def _warn_of_codes(engine: Engine, source: Source) -> None:
    with engine.connect() as conn:
        for code in read_unknown_codes(conn, source):
            logger.warning("a code that is not known is kept as the site says it: %s", code.tell())


def _read_shipped(source: Source, window: Window, now: Callable[[], datetime]) -> Iterator[CrawlBatch]:
    petitions = SOURCES[source].load_reader()(window)
    while items := list[Item](islice(petitions, BATCH)):
        yield CrawlBatch(items=items, seen_at=now())


def _require_petitions(engine: Engine, source: Source, window: Window) -> None:
    with engine.connect() as conn:
        if not read_texts(conn, source, window, limit=1):
            raise EmptyWindowError(f"{source} has no petition that begins from {window.since} to before {window.until}")
