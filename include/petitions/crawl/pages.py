"""The pages of one list of a site, in order: how many at once, and where the list ends."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from petitions.crawl.answer import Answer
from petitions.errors import SiteChangedError
from petitions.sources.site import Listing

MOST_REPEATED_PAGES = 20  # in a row with the petitions of the page before


def precedes(listing: Listing, day: date | None) -> bool:
    """Tell whether all of a page is of before a day; False without a day, and of a page without petitions."""
    return day is not None and bool(listing.entries) and all(entry.sorted_by < day for entry in listing.entries)


class AskPages(Protocol):
    """Asks for some pages of a list at once."""

    def __call__(self, numbers: Sequence[int], /) -> Iterator[tuple[Answer, Listing]]:
        """The answers in the order of the numbers, and what was read from them."""


class PageReader:
    """Reads a list page by page; twice as many at once each time while `is_hurried`, so that few are asked in vain."""

    def __init__(self, ask: AskPages, most_at_once: int) -> None:
        self._ask, self._most_at_once = ask, most_at_once
        self.is_hurried = False
        self.is_sorted = True  # as far as it was read, and so fit to be left before its end

    def read_from(self, first: int) -> Iterator[tuple[int, Answer, Listing]]:
        """Read pages from number `first` on, without end.

        Raises:
            SiteChangedError: the same page comes again and again.
        """
        number, n_at_once, n_repeated, before = first, 1, 0, Listing(entries=())
        while True:
            n_at_once = min(2 * n_at_once, self._most_at_once) if self.is_hurried else 1
            numbers = range(number, number + n_at_once)
            for number, (answer, listing) in zip(numbers, self._ask(numbers), strict=True):
                n_repeated = n_repeated + 1 if listing.entries == before.entries else 0
                if n_repeated >= MOST_REPEATED_PAGES:
                    raise SiteChangedError(f"{answer.url}: {n_repeated} pages up to {number} bring nothing new")
                days = [entry.sorted_by for entry in (*before.entries[-1:], *listing.entries)]
                self.is_sorted &= days == sorted(days, reverse=True)
                before = listing
                yield number, answer, listing
            number = numbers.stop
