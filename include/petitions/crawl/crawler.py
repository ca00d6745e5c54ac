"""The crawl of one source over one window: lists first, then each petition, in batches that are safe in the archive.

A fault of the site never makes a petition hidden, missing or empty: it is asked for again until there is an answer,
or the crawl stops with a FetchError. An answer that is no petition after all tries is a Reject; more than 2 % of them,
or a list that has another shape, stop the crawl with a SiteChangedError. Raw answers are kept in both cases.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import count, islice
from typing import Generic, TypeVar

from tenacity import Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive, ArchiveBatch
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.limiter import Clock, Limiter
from petitions.crawl.policy import MAX_BODY_BYTES, RetryPolicy
from petitions.errors import FetchError, ParseError, SiteChangedError
from petitions.records import Hidden, Petition, Reject, Source, Status, Window
from petitions.settings import Settings
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.sources.sample import read_sample
from petitions.sources.site import Entry, HiddenPage, Listing, Request, Site

logger = logging.getLogger(__name__)

BATCH = 100
MOST_BAD_SHARE, FEWEST_FOR_SHARE = 0.02, 50
FEWEST_FOR_HALF = 10
MOST_REPEATED_PAGES = 20  # of a list, in a row, without a petition that was not there before

Item = Petition | Hidden | Reject
T = TypeVar("T")


def crawl(
    source: Source,
    window: Window,
    *,
    known: Mapping[str, Status],
    settings: Settings,
    archive: Archive,
    today: date,
) -> Iterator[list[Item]]:
    """Read the petitions of a source that begin in the window, in batches of about 100.

    A batch comes out after the raw answers that it was read from are safe in the archive. `known` maps the source_id
    of what is stored to its status: what has ended is not asked for again, unless the list itself tells another status.

    Raises:
        FetchError: the site did not answer in the tries that the policy allows; the message says what is missing.
        SiteChangedError: too many answers are no petitions, or a list has another shape.
        ConfigError: the site's robots.txt forbids what is asked.
    """
    if source is Source.SAMPLE:
        petitions = read_sample(window)
        while batch := list(islice(petitions, BATCH)):
            yield list[Item](batch)
        return
    policy = RetryPolicy()
    site = open_site(source, window, settings, today)
    limiter = Limiter(settings.requests_per_second, time)
    with closing(Fetcher(site.base_url, contact=settings.contact, limiter=limiter, policy=policy)) as fetcher:
        yield from Crawler(site, fetcher, archive, policy=policy, connections=settings.connections).crawl(known)


def open_site(source: Source, window: Window, settings: Settings, today: date) -> Site:
    """Choose what to ask and how to read it."""
    if source is Source.ASSEMBLY:
        return AssemblySite(base_url=settings.assembly_url.rstrip("/"), window=window, today=today)
    return BlueHouseSite(base_url=settings.bluehouse_url.rstrip("/"), window=window)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome(Generic[T]):
    """An answer and what the parser found in it."""

    answer: Answer
    found: T | ParseError

    @property
    def may_heal(self) -> bool:
        """True where asking again may give what this answer should have been."""
        return isinstance(self.found, ParseError) and self.answer.status == 200 and not self.answer.is_cut


class Crawler:
    """Crawls one site; all that it asks for goes through the fetcher, all that it gets into the archive."""

    def __init__(
        self,
        site: Site,
        fetcher: Fetcher,
        archive: Archive,
        *,
        policy: RetryPolicy,
        connections: int,
        clock: Clock = time,
    ) -> None:
        self._site, self._fetcher, self._archive = site, fetcher, archive
        self._policy, self._connections, self._clock = policy, connections, clock

    def crawl(self, known: Mapping[str, Status]) -> Iterator[list[Item]]:
        """Read the lists, then each petition of the window that is new or may have changed; see `crawl`."""
        started = self._clock.monotonic()
        entries, rejects = self._read_lists()
        if rejects:
            yield list[Item](rejects)
        self._check_share(len(rejects), len(entries) + len(rejects), rejects)
        due = [entry for entry in entries if _is_due(entry, known)]
        bad: list[Reject] = []
        with ThreadPoolExecutor(max_workers=self._connections, thread_name_prefix="crawl") as pool:
            for first in range(0, len(due), BATCH):
                items = self._read_details(pool, due, first)
                bad += [item for item in items if isinstance(item, Reject)]
                yield items
                self._check_share(len(bad), len(due), bad)
        seconds = self._clock.monotonic() - started
        counts = len(entries), len(due), len(bad) + len(rejects)
        logger.info(
            "%s: %d petitions in the window, %d asked for, %d rejects, %.1f s", self._site.source, *counts, seconds
        )

    def _read_lists(self) -> tuple[list[Entry], list[Reject]]:
        entries: dict[str, Entry] = {}
        rejects: list[Reject] = []
        for query in self._site.queries:
            for listing, url, reference in self._read_list(query):
                for entry in listing.entries:
                    if entry.begins_on in self._site.window:
                        entries.setdefault(entry.source_id, entry)
                rejects += [self._reject(url, fault, reference) for fault in listing.faults]
        return list(entries.values()), rejects

    def _read_list(self, query: str) -> Iterator[tuple[Listing, str, str]]:
        """Read a list page by page up to its end; with each page its URL and its place in the archive."""
        seen: set[str] = set()
        n_repeated = 0
        for first in count(1, BATCH):
            with self._open_batch() as batch:
                for page in range(first, first + BATCH):
                    listing, url, reference = self._read_page(query, page, batch)
                    if self._site.is_last(listing):
                        yield listing, url, reference
                        return
                    ids = {entry.source_id for entry in listing.entries}
                    n_repeated = n_repeated + 1 if ids <= seen else 0
                    if n_repeated >= MOST_REPEATED_PAGES:
                        raise SiteChangedError(
                            f"{url}: {n_repeated} pages up to {page} of the list {query} bring nothing new"
                        )
                    seen |= ids
                    yield listing, url, reference

    def _read_page(self, query: str, page: int, batch: ArchiveBatch) -> tuple[Listing, str, str]:
        request = self._site.list_request(query, page)
        outcome = self._ask(request, self._site.parse_list)
        reference = batch.add(outcome.answer)
        if isinstance(outcome.found, ParseError):
            raise SiteChangedError(f"{outcome.found} (list {query}, page {page}; raw answer: {reference})")
        return outcome.found, request.url, reference

    def _read_details(self, pool: ThreadPoolExecutor, due: Sequence[Entry], first: int) -> list[Item]:
        items: list[Item] = []
        with self._open_batch() as batch:
            try:
                for outcome in pool.map(self._ask_detail, due[first : first + BATCH]):
                    items.append(self._settle(outcome, batch.add(outcome.answer)))
            except FetchError as error:
                n_missing = len(due) - first - len(items)
                raise FetchError(f"{error}; {n_missing} of {len(due)} petitions are still to be read") from error
        return items

    def _ask_detail(self, entry: Entry) -> _Outcome[Petition | HiddenPage]:
        def parse(body: bytes, url: str) -> Petition | HiddenPage:
            return self._site.parse_detail(body, url, entry.source_id)

        return self._ask(self._site.detail_request(entry.source_id), parse)

    def _settle(self, outcome: _Outcome[Petition | HiddenPage], reference: str) -> Item:
        found, url = outcome.found, outcome.answer.url
        if isinstance(found, ParseError):
            return self._reject(url, str(found), reference)
        if isinstance(found, HiddenPage):
            return Hidden(source=self._site.source, source_id=found.source_id, url=url, artifact=reference)
        return found

    def _ask(self, request: Request, parse: Callable[[bytes, str], T]) -> _Outcome[T]:
        """Ask until the answer can be read, as often as the policy allows; gives the last outcome."""

        def ask_once() -> _Outcome[T]:
            answer = self._fetcher.fetch(request)
            try:
                return _Outcome(answer=answer, found=_parse(answer, parse))
            except ParseError as error:
                return _Outcome(answer=answer, found=error)

        policy = self._policy
        retrying = Retrying(
            stop=stop_after_attempt(policy.parse_tries),
            wait=wait_exponential_jitter(policy.first_pause_s, policy.longest_pause_s, jitter=policy.first_pause_s),
            sleep=self._clock.sleep,
            retry=retry_if_result(lambda outcome: outcome.may_heal),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        outcome: _Outcome[T] = retrying(ask_once)
        return outcome

    def _open_batch(self) -> ArchiveBatch:
        return self._archive.open_batch(self._site.source, self._site.window.until)

    def _reject(self, url: str, reason: str, reference: str) -> Reject:
        return Reject(source=self._site.source, url=url, reason=reason, artifact=reference)

    def _check_share(self, n_bad: int, n_all: int, rejects: Sequence[Reject]) -> None:
        """Stop where more are bad than single bad pages explain: 2 %, or half of a few; never for a handful."""
        most = MOST_BAD_SHARE * n_all if n_all >= FEWEST_FOR_SHARE else n_all / 2
        if n_all < FEWEST_FOR_HALF:
            return
        if n_bad > most:
            last = rejects[-1]
            raise SiteChangedError(
                f"{n_bad} of {n_all} answers are no petitions, at most {most:.0f} may be; "
                f"the last one: {last.reason} (raw answer: {last.artifact})"
            )


def _parse(answer: Answer, parse: Callable[[bytes, str], T]) -> T:
    if answer.status != 200:
        raise ParseError(f"missing: {answer.url} answered with status {answer.status}")
    if answer.is_cut:
        raise ParseError(f"{answer.url}: the answer goes on past {MAX_BODY_BYTES} bytes")
    return parse(answer.body, answer.url)


def _is_due(entry: Entry, known: Mapping[str, Status]) -> bool:
    status = known.get(entry.source_id)
    return status in (None, Status.OPEN) or entry.status not in (None, status)
