"""The results database as petition_reader sees it: one read-only snapshot a page."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine

from petitions.settings import Settings
from petitions.store.engine import make_engine

# The server holds to these: whoever logs in, the session has the reader's rights and writes nothing.
SESSION = {
    "role": "petition_reader",
    "default_transaction_read_only": "on",
    "statement_timeout": "5s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
}


@contextmanager
def open_snapshot() -> Iterator[Connection]:
    """Open a transaction in which a fit that is published meanwhile does not mix in.

    Raises:
        SQLAlchemyError: the database does not answer, or no connection is free.
        PetitionsError: a setting that cannot be, or the embedded server does not start.
    """
    engine = _open_engine(Settings.from_env().database_url)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as conn:
        yield conn


@cache
def _open_engine(database_url: str) -> Engine:
    """An engine that connects at the first page; the api-server has more to do than to hold connections."""
    return make_engine(
        database_url, "topic_browser", SESSION, connect_timeout_s=3, pool_size=2, max_overflow=3, pool_timeout=3
    )
