"""The crawl of one source over one window, in batches that are safe in the archive before anybody stores them.

First the lists of the site, and the details of each petition in them that is not stored yet; then the stored petitions
that are open; then a small sample of the others, those first that were not looked at for the longest time, to notice
that one was hidden or edited. A list is read no further than to where all is known, and was covered by an earlier
crawl; the lists of ended petitions only by a thorough crawl, every third night. Each batch names the place that the
crawl has come to, from which a killed one goes on.

A fault of the site never makes a petition hidden, missing or empty: it is asked for again until there is an answer.
One that has none while others have is set aside, as a Reject, and asked for again on later nights; where nothing is
answered the crawl stops with a FetchError. An answer that is no petition after all tries is a Reject; too many of
them, or a list that has another shape, stop the crawl with a SiteChangedError. Raw answers are kept in all cases. What
brought no petition on an earlier night counts no second time.
"""

import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Protocol

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.crawl.asking import Asker
from petitions.crawl.details import Details
from petitions.crawl.pages import PageReader, precedes
from petitions.crawl.pending_batch import PendingBatch
from petitions.crawl.place import DONE, KNOWN, SAMPLE, Place
from petitions.crawl.reading import (
    FEWEST_BAD,
    CrawlBatch,
    Item,
    is_bad,
    name_fault,
    parse_answer,
    read_counts,
    read_faults,
)
from petitions.errors import FetchError, ParseError, SiteChangedError
from petitions.records import Reject, Status, korean_day
from petitions.sources.site import Entry, Listing, Site

logger = logging.getLogger(__name__)

BATCH = 100
MOST_BAD_SHARE, FEWEST_FOR_SHARE = 0.02, 50
FEWEST_FOR_HALF = 10
QUIET_PAGES = 3  # of a list, in a row, with nothing to ask for: a petition that surfaces late is met above them
SAMPLE_SHARE = 0.05  # of the open petitions: so many of the closed ones are looked at again
MOST_OVERHEAD = 0.2  # of lists and sample to new and open petitions, as long as the sample can give way
MOST_REJECTED = FEWEST_BAD - 1  # of what brought no petition lately is tried again
FEWEST_OPEN = 10  # stored open petitions that an empty list belies


class Ledger(Protocol):
    """What the crawl has to know of what is stored: of its source, within its window."""

    @property
    def place(self) -> Place:
        """Where to begin: the place of a crawl that was killed."""

    @property
    def covered_until(self) -> date | None:
        """All petitions of the window that began before this day were in a list once, and are stored."""

    @property
    def is_thorough(self) -> bool:
        """Read the lists of ended petitions too, in which one is new that began and ended since the last such crawl."""

    def read_statuses(self, source_ids: Collection[str]) -> Mapping[str, Status]:
        """The status of those that are stored."""

    def count_open(self, today: date) -> int:
        """How many are stored as open, and have not come to their last day."""

    def read_open(self, after: str, limit: int) -> Sequence[str]:
        """Those stored as open and not seen by this crawl, in the order of their ids, greater than `after`."""

    def read_closed(self, limit: int) -> Sequence[str]:
        """Those stored as not open and not seen by this crawl, the longest unseen first."""

    def read_pending(self, limit: int) -> Sequence[str]:
        """Those of any window that were referred and not looked at for a week, the longest unseen first."""

    def read_rejected(self, limit: int) -> Sequence[str]:
        """URLs that lately brought no petition."""

    def read_odd(self, urls: Collection[str]) -> Collection[str]:
        """Those that ever brought no petition."""


class Crawler:
    """Crawls one site once; all that it asks for goes through the fetcher, all that it gets into the archive."""

    def __init__(
        self,
        open_site: Callable[[date], Site],
        asker: Asker,
        archive: Archive,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare a crawl.

        Args:
            open_site: the site as of a day in Korea.
            asker: what asks it.
            archive: where the raw answers go.
            ledger: what is stored.
            now: the moment of each batch.
        """
        self._open_site, self._asker, self._archive, self._ledger = open_site, asker, archive, ledger
        self._now = now
        self._largest = 0  # most rows of a page; one with fewer ends its list, but not the first: sites cap their pages
        self._n_listed, self._n_asked, self._n_aside = 0, 0, 0
        self._bad, self._bad_ids = list[Item](), set[str]()
        self._details = Details(asker, ledger.read_odd)
        self._begin_batch()

    def crawl(self) -> Iterator[CrawlBatch]:
        """Go through lists, known and closed petitions from the place where the ledger stands; see the module.

        Raises:
            FetchError: the site did not answer in the tries that the policy allows; the message says what is missing.
            SiteChangedError: too many answers are no petitions, or a list has another shape.
            ConfigError: the site's robots.txt forbids what is asked.
        """
        begin = self._ledger.place
        try:
            for stage in self._list_stages(begin.stage):
                place = begin if stage == begin.stage else Place(stage=stage)
                yield from {KNOWN: self._crawl_known, SAMPLE: self._crawl_sample}.get(stage, self._crawl_list)(place)
            yield self._finish_batch(Place(stage=DONE))
        finally:
            self._pending.close()
        told = "%s: asked for %d petitions, %d of them bad, %d set aside"
        logger.info(told, self._site.source, self._n_asked, len(self._bad), self._n_aside)

    def _list_stages(self, first: str) -> Sequence[str]:
        """The lists and what follows them, from where a crawl that was killed was.

        Where that was a list that is not read any more, a crawl of another window has covered what it holds: its own
        end made this one not thorough. A stage that this code does not know tells nothing: all is read from the start.
        """
        lists = self._site.queries[: None if self._ledger.is_thorough else 1]
        stages = [*lists, KNOWN, SAMPLE]
        if first in self._site.queries and first not in lists:
            first = KNOWN
        return stages[stages.index(first) :] if first in stages else stages

    def _crawl_list(self, place: Place) -> Iterator[CrawlBatch]:
        """Read one list down to what is covered, and ask for what is new in it."""
        place = replace(place, page=self._find_page(place))
        reader = PageReader(partial(self._ask_pages, place.stage), self._asker.most_at_once)
        n_quiet, due = 0, dict[str, Entry]()
        for number, answer, listing in reader.read_from(place.page + 1):
            self._note_page(answer, listing)
            news = self._find_due(listing)
            due |= news
            is_quiet = not news and not listing.faults and precedes(listing, self._ledger.covered_until)
            n_quiet = n_quiet + 1 if is_quiet and reader.is_sorted else 0
            reader.is_hurried = len(news) > len(listing.entries) / 2
            is_end = (
                n_quiet == QUIET_PAGES
                or listing.n_rows < self._largest
                or not listing.n_rows
                or (reader.is_sorted and precedes(listing, self._site.window.since))
            )
            if is_end or len(due) >= BATCH:
                reached = replace(place, page=number)
                yield from self._ask_details(list(due), before=place, after=reached)
                place, due = reached, {}
            if is_end:
                return

    def _crawl_known(self, place: Place) -> Iterator[CrawlBatch]:
        """Ask for what is stored as open: agreements, status, edits, and what became of it."""
        while due := self._ledger.read_open(place.after, BATCH):
            reached = replace(place, after=due[-1])
            yield from self._ask_details(due, before=place, after=reached)
            place = reached

    def _crawl_sample(self, place: Place) -> Iterator[CrawlBatch]:
        """Ask for what was referred, for a few of the others, and again for a few that brought no petition."""
        n_open = self._ledger.count_open(korean_day(self._now()))
        n_spared = math.floor(MOST_OVERHEAD * self._n_asked) - self._n_listed - 1  # robots.txt
        n_least = int(self._ledger.is_thorough)
        pending = self._ledger.read_pending(max(n_spared, n_least))
        yield from self._ask_details(pending, place, place)
        n_left = max(n_spared, n_least) - len(pending)
        n_sample = max(0, min(math.ceil(SAMPLE_SHARE * n_open) or 1, n_left))
        yield from self._ask_details(self._ledger.read_closed(n_sample), place, place)
        self._check_share()
        urls = self._ledger.read_rejected(MOST_REJECTED)
        ids = {source_id for url in urls if (source_id := self._site.find_petition(url))} - self._bad_ids
        yield from self._ask_details(sorted(ids - self._ledger.read_statuses(ids).keys()), place, place)

    def _find_page(self, place: Place) -> int:
        """How many pages need not be read again: a list may have moved since, so the last of them must hold no news."""
        page, step = place.page, 1
        while page:
            (answer, listing) = next(iter(self._ask_pages(place.stage, [page])))
            self._note_page(answer, listing)
            if listing.entries and not self._find_due(listing):
                return page
            page, step = max(0, page - step), step * 2
        return 0

    def _find_due(self, listing: Listing) -> dict[str, Entry]:
        """The petitions of the window that are not stored, or not with the status that the list tells."""
        inside = {entry.source_id: entry for entry in listing.entries if entry.begins_on in self._site.window}
        known = self._ledger.read_statuses(inside)
        return {
            source_id: entry
            for source_id, entry in inside.items()
            if source_id not in self._bad_ids and _is_due(entry, known.get(source_id))
        }

    def _note_page(self, answer: Answer, listing: Listing) -> None:
        self._pending.add(answer, read_faults(self._site, answer, listing))
        self._details.counts |= read_counts(listing)
        self._n_listed += 1
        self._largest = max(self._largest, listing.n_rows)

    def _ask_pages(self, query: str, numbers: Sequence[int]) -> Iterator[tuple[Answer, Listing]]:
        requests = [self._site.list_request(query, number) for number in numbers]
        try:
            pages = self._asker.ask_all(requests, [self._read_page] * len(requests))
            for number, (answer, found) in zip(numbers, pages, strict=True):
                if isinstance(found, ParseError):
                    reference = self._pending.refer(self._pending.add(answer))
                    raise SiteChangedError(f"{found} (list {query}, page {number}; raw answer: {reference})")
                if number == 1 and query == self._site.queries[0] and not found.n_rows:
                    self._refuse_empty(answer.url)
                yield answer, found
        except FetchError as error:
            raise FetchError(f"{error}; the list {query} is not read from page {numbers[0]} on") from error

    def _refuse_empty(self, url: str) -> None:
        n_open = self._ledger.count_open(korean_day(self._now()))
        if n_open >= FEWEST_OPEN:
            raise SiteChangedError(f"{url}: the list is empty, but {n_open} petitions are stored as open")

    def _ask_details(self, ids: Sequence[str], before: Place, after: Place) -> Iterator[CrawlBatch]:
        """Ask for petitions, batch by batch; only with the last one the place is reached."""
        for first in range(0, len(ids), BATCH):
            few = ids[first : first + BATCH]
            n_read = n_bad = 0
            try:
                for source_id, item in zip(few, self._details.ask(self._site, few, self._pending), strict=True):
                    n_read += 1
                    n_bad += isinstance(item, Reject) and item.url not in self._details.odd
                    if is_bad(item):
                        self._bad_ids.add(source_id)
                    if n_bad == n_read == FEWEST_BAD:  # all fail alike: the others are not waited for
                        yield self._finish_batch(before)
            except FetchError as error:
                yield self._finish_batch(before)
                n_missing = len(ids) - first - n_read
                raise FetchError(f"{error}; at least {n_missing} petitions are still to be read") from error
            yield self._finish_batch(after if first + BATCH >= len(ids) else before)
        if not ids:
            yield self._finish_batch(after)

    def _read_page(self, answer: Answer) -> Listing | ParseError:
        try:
            return parse_answer(answer, self._site.parse_list)
        except ParseError as error:
            return error

    def _begin_batch(self) -> None:
        """Begin an archive file; the site is that of the day on which it begins."""
        at = self._now()
        self._site = self._open_site(korean_day(at))
        self._pending = PendingBatch(self._archive, self._site.source, at=at)

    def _finish_batch(self, place: Place) -> CrawlBatch:
        batch = self._pending.finish(place, self._details.odd)
        self._n_asked += len(batch.items)
        rejects = [item for item in batch.items if isinstance(item, Reject)]
        self._n_aside += sum(item.is_aside for item in rejects)
        self._bad += [item for item in rejects if not item.is_aside and item.url not in self._details.odd]
        self._begin_batch()
        return batch

    def _check_share(self) -> None:
        """Stop where more are bad than single bad pages explain: 2 %, or half of a few; never for a handful."""
        n_bad, n_all = len(self._bad), self._n_asked
        most = MOST_BAD_SHARE * n_all if n_all >= FEWEST_FOR_SHARE else n_all / 2
        if n_all >= FEWEST_FOR_HALF and n_bad > most:
            last = name_fault(self._bad[-1])
            raise SiteChangedError(f"{n_bad} of {n_all} answers are no petitions, at most {most:.0f} may be; {last}")


def _is_due(entry: Entry, status: Status | None) -> bool:
    return status is None or (status is not Status.OPEN and entry.status not in (None, status))
