"""What a crawl has to know of what is stored, asked of the tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from petitions.crawl.place import Place
from petitions.records import Source, Status, Window, korean_day
from petitions.store import crawl_progress
from petitions.store.crawl_progress import CrawlStart
from petitions.store.handling import read_pending


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLedger:
    """What is stored of a source within a window, for a crawl that began at `start`."""

    engine: Engine
    source: Source
    window: Window
    start: CrawlStart

    @property
    def place(self) -> Place:
        """Where the crawl goes on."""
        return self.start.place

    @property
    def covered_until(self) -> date | None:
        """All of the window that began before this day is stored."""
        return self.start.covered_until

    @property
    def is_thorough(self) -> bool:
        """Read the lists of ended petitions too."""
        return self.start.is_thorough

    def read_statuses(self, source_ids: Collection[str]) -> Mapping[str, Status]:
        """The status of those that are stored."""
        with self.engine.connect() as conn:
            return crawl_progress.read_statuses(conn, self.source, source_ids)

    def count_open(self, today: date) -> int:
        """How many are stored as open, and have not come to their last day."""
        with self.engine.connect() as conn:
            return crawl_progress.count_open(conn, self.source, self.window, today=today)

    def read_open(self, after: str, limit: int) -> Sequence[str]:
        """Those stored as open that this crawl has not seen."""
        at = self.start.started_at
        with self.engine.connect() as conn:
            return crawl_progress.read_open(conn, self.source, self.window, not_since=at, after=after, limit=limit)

    def read_closed(self, limit: int) -> Sequence[str]:
        """Those stored as not open that this crawl has not seen, the longest unseen first."""
        with self.engine.connect() as conn:
            return crawl_progress.read_closed(
                conn, self.source, self.window, not_since=self.start.started_at, limit=limit
            )

    def read_pending(self, limit: int) -> Sequence[str]:
        """Those of any window that were referred and not looked at for a week, the longest unseen first."""
        with self.engine.connect() as conn:
            return read_pending(conn, self.source, today=korean_day(self.start.started_at), limit=limit)

    def read_rejected(self, limit: int) -> Sequence[str]:
        """URLs that lately brought no petition."""
        with self.engine.connect() as conn:
            return crawl_progress.read_rejected(conn, self.source, at=self.start.started_at, limit=limit)

    def read_odd(self, urls: Collection[str]) -> Collection[str]:
        """Those that ever brought no petition."""
        with self.engine.connect() as conn:
            return crawl_progress.read_odd(conn, self.source, urls, before=self.start.started_at)
