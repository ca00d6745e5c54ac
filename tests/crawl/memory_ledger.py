"""A crawl whose store is a dictionary: what the crawler asks for and gives, without a database."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from site_server import FastClock

from own_pace import Limiter
from petitions.crawl.archive import Archive
from petitions.crawl.asking import Asker
from petitions.crawl.crawler import Crawler
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.place import Place
from petitions.crawl.policy import RetryPolicy
from petitions.crawl.reading import CrawlBatch
from petitions.crawl.stopping import CrawlThreads
from petitions.records import Hidden, Petition, Status, korean_day
from petitions.sources.site import Site

MORNING = datetime(2019, 9, 1, 0, 0, tzinfo=UTC)


@dataclass
class MemoryLedger:
    """What is stored, as the crawler's Ledger; `write` stores a batch as the pipeline does."""

    statuses: dict[str, Status] = field(default_factory=dict)
    place: Place = Place()
    covered_until: date | None = None
    is_thorough: bool = True
    rejected: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def read_statuses(self, source_ids):
        return {key: self.statuses[key] for key in source_ids if key in self.statuses}

    def count_open(self, today):
        return sum(status is Status.OPEN for status in self.statuses.values())

    def read_open(self, after, limit):
        unseen = {key for key, status in self.statuses.items() if status is Status.OPEN} - self.seen
        return sorted(key for key in unseen if key > after)[:limit]

    def read_closed(self, limit):
        return [key for key, status in self.statuses.items() if status is not Status.OPEN and key not in self.seen][
            :limit
        ]

    def read_rejected(self, limit):
        return self.rejected[:limit]

    def read_pending(self, limit):
        return [key for key in self.pending if key not in self.seen][:limit]

    def read_odd(self, urls):
        return {url for url in urls if url in self.rejected}

    def write(self, batch: CrawlBatch) -> None:
        self.place = batch.place
        for item in batch.items:
            if isinstance(item, Petition):
                self.statuses[item.source_id] = item.status
                self.seen.add(item.source_id)
            elif isinstance(item, Hidden) and item.source_id in self.statuses:
                self.statuses[item.source_id] = Status.HIDDEN


def crawl_batches(
    site: Site,
    archive: Archive,
    ledger: MemoryLedger | None = None,
    *,
    policy: RetryPolicy | None = None,
    connections: int = 2,
    speed: float = 1_000,
) -> Iterator[CrawlBatch]:
    """Crawl in a hurry; each batch is written to the ledger before the next is read."""
    clock, ledger, policy = FastClock(speed), ledger or MemoryLedger(), policy or RetryPolicy()
    ticks = iter(range(10**9))

    def now() -> datetime:
        return MORNING + timedelta(milliseconds=next(ticks))

    fetcher = Fetcher(site.base_url, contact="", limiter=Limiter(1e6, clock), policy=policy, clock=clock)
    with closing(fetcher), CrawlThreads(connections, clock) as pool:
        asker = Asker(fetcher, pool, most_at_once=connections, policy=policy, clock=clock)
        for batch in Crawler(lambda today: site, asker, archive, ledger, now=now).crawl():
            assert len(batch.items) <= 200
            assert korean_day(batch.seen_at) == date(2019, 9, 1)
            ledger.write(batch)
            yield batch
