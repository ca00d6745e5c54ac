"""What the official open data says of stored petitions, asked for after a crawl of the Assembly.

Without a key it is not asked. It tells days and results of petitions that became bills. A fault of it costs the crawl
nothing: it is told in the log, and asked again on the next night. The key stands in each address, and so in no message
and no log of ours.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from urllib.parse import quote_plus

from sqlalchemy import Engine

from petitions.crawl.fetcher import Fetcher
from petitions.crawl.limiter import Clock, HeldPace
from petitions.crawl.policy import RetryPolicy
from petitions.errors import ParseError, PetitionsError
from petitions.records import Source, korean_day
from petitions.settings import Settings
from petitions.sources.assembly_open_data import DETAIL, HANDLED, BillOutcome, OpenData, list_terms, parse_outcomes
from petitions.store.bill_outcomes import read_due_bills, write_outcomes
from petitions.store.pace import SharedPace

logger = logging.getLogger(__name__)

ASSEMBLY = Source("assembly")
MOST_BILLS = 20  # a night, a request each; those of before wait for the next one
POLICY = RetryPolicy(tries=4, parse_tries=1, block_tries=2)


def ask_open_data(
    engine: Engine,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    clock: Clock = time,
    make_pace: Callable[[Engine, str, float, int, Clock], HeldPace] = SharedPace,
) -> int:
    """Ask for the bills that are due, and store what is said; returns for how many there was an answer."""
    if not settings.assembly_key:
        return 0
    today = korean_day(now())
    with engine.connect() as conn:
        due = read_due_bills(conn, ASSEMBLY, today=today, limit=MOST_BILLS)
    if not due:
        return 0
    site = OpenData(base_url=settings.assembly_data_url.rstrip("/"), key=settings.assembly_key)
    pace = make_pace(engine, site.base_url, settings.requests_per_second, settings.connections, clock)
    fetcher = Fetcher(site.base_url, contact=settings.contact, limiter=pace, policy=POLICY, clock=clock, now=now)
    outcomes: list[BillOutcome] = []
    with _keep_secret(settings.assembly_key), pace.hold_connections(), closing(fetcher):
        try:
            outcomes.extend(_ask(fetcher, site, due))
        except PetitionsError as error:
            told = str(error).replace(quote_plus(settings.assembly_key), "...")
            logger.warning("the official open data is not asked any further tonight: %s", told)
    with engine.begin() as conn:
        write_outcomes(conn, [item for item in outcomes if item.bill_id in due], asked_on=today)
    n_told = len({item.bill_id for item in outcomes if item != BillOutcome(bill_id=item.bill_id)} & due.keys())
    logger.info("the official open data told of %d of %d bills", n_told, len(due))
    return n_told


def _ask(fetcher: Fetcher, site: OpenData, due: dict[str, date]) -> Iterator[BillOutcome]:
    """The petitions with a result of each term first, a request for a thousand; then one bill after the other."""
    for term in list_terms(due.values()):
        answer = fetcher.fetch(site.handled_request(term, 1))
        yield from parse_outcomes(answer.body, HANDLED)
    for bill_id in due:
        try:
            answer = fetcher.fetch(site.detail_request(bill_id))
            yield BillOutcome(bill_id=bill_id)  # asked for, whatever is said
            for found in parse_outcomes(answer.body, DETAIL):
                if found.bill_id == bill_id:
                    yield found
        except ParseError as error:  # of one bill: the others are asked
            logger.warning("the official open data on %s cannot be read: %s", bill_id, error)


@contextmanager
def _keep_secret(key: str) -> Iterator[None]:
    """Keep urllib3 from logging addresses with the key, as it does at DEBUG."""
    log = logging.getLogger("urllib3.connectionpool")

    def is_open(record: logging.LogRecord) -> bool:
        return quote_plus(key) not in record.getMessage()

    log.addFilter(is_open)
    try:
        yield
    finally:
        log.removeFilter(is_open)
