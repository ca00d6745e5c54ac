"""The pace that all processes keep together towards one site, whichever machine they run on; kept in Postgres.

The moment from which the site may be asked again is the row of `site_pace`, by the clock of the database server, so
that the clocks of the machines do not matter. The connections are session-level advisory locks: Postgres gives them
free when the process that holds them dies (https://www.postgresql.org/docs/current/explicit-locking.html, 13.3.5), or
a minute after its machine is lost (petitions.store.session).
A pooler between us that hands one session to many clients cannot hold them, and is refused (petitions.store.engine).
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from sqlalchemy import (
    Connection,
    Engine,
    Interval,
    Select,
    Text,
    Update,
    bindparam,
    extract,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from petitions.crawl.spacing import Clock, Spacing
from petitions.store.crawl_tables import site_pace
from petitions.store.locks import name_holders

logger = logging.getLogger(__name__)

_SLOT_PAUSE_S = 1.0  # between two looks for a free connection
_TOLD_EVERY_S = 60.0
_TOLD_FROM_S = 30  # a wait; those between two requests are shorter


def _build_statements() -> tuple[Select[int, Decimal, str], Update]:
    """Build once: taking the next turn where it has come, or telling the seconds until then; and moving it away.

    Of processes that ask at once the first one takes the turn: the others wait for its row lock, and look again.
    """
    free_at, is_of_site = site_pace.c.free_at, site_pace.c.site == bindparam("of_site", type_=Text)
    now = func.clock_timestamp()  # of the server
    later = now + bindparam("spacing", type_=Interval)
    turn = update(site_pace).where(is_of_site, free_at <= now).values(free_at=later).returning(true()).cte()
    n_taken = select(func.count()).select_from(turn).scalar_subquery()
    left_s = select(extract("epoch", free_at - now)).where(is_of_site).scalar_subquery()
    postpone = update(site_pace).where(is_of_site).values(free_at=func.greatest(free_at, later))
    no_flush = func.set_config("synchronous_commit", "off", True)  # a turn that a crash forgets is no loss
    return select(n_taken, left_s, no_flush), postpone


_TAKE_TURN, _POSTPONE = _build_statements()


class SharedPace:
    """A `Pace` for any number of threads and processes; how wide it spaces is each process's own experience."""

    def __init__(
        self, engine: Engine, base_url: str, requests_per_second: float, connections: int, clock: Clock = time
    ) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._site, self._connections, self._clock = _name_site(base_url), connections, clock
        self._spacing = Spacing(requests_per_second)
        self._spacing_lock = threading.Lock()
        self._turn = threading.Lock()  # one thread of a process asks Postgres at a time, the others queue behind it
        self._held: Connection | None = None  # the session that holds the connections, while it does
        first = insert(site_pace).values(site=self._site, free_at=func.clock_timestamp())
        with self._engine.connect() as conn:
            conn.execute(first.on_conflict_do_nothing())

    def wait(self) -> None:
        """Block until the next request may be sent.

        Raises:
            DatabaseDownError: Postgres cannot be asked; so nothing may be sent either.
        """
        with self._turn:
            while True:
                with self._spacing_lock:
                    spacing_s = self._spacing.seconds
                with self._connect() as conn:
                    n_taken, left_s, _ = conn.execute(_TAKE_TURN, self._bind(spacing_s)).one()
                if n_taken:
                    return
                with self._spacing_lock:
                    self._spacing.note_rest(float(left_s))  # another process was told to leave the site alone
                if left_s >= _TOLD_FROM_S:
                    logger.warning(
                        "%s: left alone for %.0f s more, after faults or since it asked for it", self._site, left_s
                    )
                self._clock.sleep(max(float(left_s), 0.0))

    def hold(self, seconds: float) -> None:
        """Let no request of any process pass for so long: the site asked for a rest."""
        with self._spacing_lock:
            self._spacing.note_rest(seconds)
        self._postpone(seconds)

    def slow_down(self, spacing_s: float) -> None:
        """Space requests at least so widely from now on (Crawl-delay), the next one too."""
        with self._spacing_lock:
            self._spacing.slow_down(spacing_s)
        self._postpone(spacing_s)

    def note(self, seconds: float, is_fault: bool) -> None:
        """Take in how long a try took and how it ended."""
        with self._spacing_lock:
            self._spacing.note(seconds, is_fault)

    @contextmanager
    def hold_connections(self) -> Iterator[int]:
        """Take as many of the site's connections as are free, at least one, and give them back at the end.

        Waits while there is none. Yields how many the caller may have open.

        Raises:
            DatabaseDownError: Postgres cannot be asked.
        """
        slot = func.generate_series(1, self._connections).column_valued("slot")
        kind = f"petitions.connection {self._site}"
        lock = func.pg_try_advisory_lock(func.hashtext(kind), slot)
        with self._engine.connect() as conn:
            conn.detach()  # out of the pool: closing it ends the session, and with it the locks
            told_at = self._clock.monotonic() - _TOLD_EVERY_S
            while not (taken := conn.execute(select(slot).where(lock)).all()):
                if self._clock.monotonic() - told_at >= _TOLD_EVERY_S:
                    holders, n_all = name_holders(conn, kind), self._connections
                    logger.info("%s: all %d connections are taken, waiting for one; by %s", self._site, n_all, holders)
                    told_at = self._clock.monotonic()
                self._clock.sleep(_SLOT_PAUSE_S)
            self._held = conn
            try:
                yield len(taken)
            finally:
                self._held = None

    def _connect(self) -> AbstractContextManager[Connection]:
        """The session that holds our connections, as long as it does: with it they are lost, and then nothing is sent.

        A turn asks Postgres once then; a session from the pool is first asked whether it is there, which takes as long.
        """
        return self._engine.connect() if self._held is None else nullcontext(self._held)

    def _postpone(self, seconds: float) -> None:
        with self._engine.connect() as conn:
            conn.execute(_POSTPONE, self._bind(seconds))

    def _bind(self, seconds: float) -> dict[str, object]:
        return {"of_site": self._site, "spacing": timedelta(seconds=seconds)}


def _name_site(base_url: str) -> str:
    """Host and port of a site: two paths on one host are one site, and a password in the URL is not stored."""
    parts = urlsplit(base_url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
