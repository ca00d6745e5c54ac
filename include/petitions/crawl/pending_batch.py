"""What a crawl gathers between two safe points: answers on their way into one archive file, and what they brought."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.crawl.place import Place
from petitions.crawl.reading import CrawlBatch, Item, find_mass, name_fault
from petitions.errors import FetchError, SiteChangedError
from petitions.records import Reject, Source


class PendingBatch:
    """Close it in any case: an error keeps the answers in the archive. `finish` also gives what was read from them."""

    def __init__(self, archive: Archive, source: Source, *, at: datetime) -> None:
        self._exit = ExitStack()
        self._file = self._exit.enter_context(archive.open_batch(source, at=at))
        self._brought: list[tuple[int | None, Sequence[Item]]] = []

    def close(self) -> None:
        """Write the archive file, if there was an answer."""
        self._exit.close()

    def add(self, answer: Answer, items: Sequence[Item] = ()) -> int:
        """Keep an answer, and what was read from it; gives its number, for `refer`."""
        number = self._file.add(answer)
        self._brought.append((number, items))
        return number

    def add_unanswered(self, item: Item) -> None:
        """Keep what is known of a petition for which nothing came."""
        self._brought.append((None, [item]))

    def refer(self, number: int) -> str:
        """Close the file and name the place of an answer in the archive."""
        self.close()
        return self._file.reference(number)

    def finish(self, place: Place, odd: Collection[str] = ()) -> CrawlBatch:
        """Close the file and give what its answers brought.

        Args:
            place: where the crawl is then.
            odd: URLs that brought no petition on an earlier night.

        Raises:
            SiteChangedError: too many of the answers are no petitions; the message names the last one.
            FetchError: too many petitions have no answer.
        """
        self.close()
        items = [
            item if number is None else replace(item, artifact=self._file.reference(number))
            for number, few in self._brought
            for item in few
        ]
        bad = find_mass(items, odd)
        if isinstance(bad, Reject) and bad.is_aside:
            raise FetchError(f"the site answers for lists, but not for most petitions: {name_fault(bad)}")
        if bad is not None:
            raise SiteChangedError(f"the site has changed: {name_fault(bad)}")
        return CrawlBatch(items=items, seen_at=self._file.seen_at, place=place)
