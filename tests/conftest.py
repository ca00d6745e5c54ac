"""Fixtures of the real embedded Postgres: one server a session, a database a test or one that is rolled back."""

import gc
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

_NUMBERS = count(1)


@pytest.fixture(autouse=True)
def _keep_what_commands_set() -> Iterator[None]:
    """After each test the level of the package's logger, and how often cycles are looked for, are what they were."""
    logger = logging.getLogger("petitions")
    level, thresholds = logger.level, gc.get_threshold()
    yield
    logger.setLevel(level)
    gc.set_threshold(*thresholds)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test may be tried twice only for a reason that stands beside it, and no more than twice."""
    for mark in item.iter_markers("flaky"):
        if mark.args or mark.kwargs.get("reruns") != 1 or not str(mark.kwargs.get("reason") or "").strip():
            pytest.fail("a flaky test is marked flaky(reruns=1, reason=...)", pytrace=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server of its own in a short folder (a socket's path has at most 107 characters), gone with the session."""
    from petitions.store.embedded import start_server, stop_server

    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    url = start_server(folder / "data")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            conn.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        conn.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    yield url
    stop_server(folder / "data")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> str:
    """The name of a migrated database, to be copied."""
    from petitions.store.database import open_engine, upgrade

    _execute(postgres_url, "CREATE DATABASE migrated")
    engine = open_engine(_named(postgres_url, "migrated"))
    upgrade(engine)
    engine.dispose()
    return "migrated"


@pytest.fixture
def new_database(postgres_url: str, migrated: str) -> Iterator[Callable[[], Engine]]:
    """Makes fresh migrated databases, and drops them after the test."""
    from petitions.store.database import open_engine

    opened: list[Engine] = []

    def make() -> Engine:
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {migrated}")
        opened.append(open_engine(_named(postgres_url, name)))
        return opened[-1]

    yield make
    for engine in opened:
        engine.dispose()
        _execute(postgres_url, f"DROP DATABASE {engine.url.database} WITH (FORCE)")


@pytest.fixture
def engine(new_database: Callable[[], Engine]) -> Engine:
    """An engine on a fresh migrated database."""
    return new_database()


@pytest.fixture
def database_url(engine: Engine) -> str:
    """The URL of that database."""
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def shared_engine(postgres_url: str, migrated: str) -> Iterator[Engine]:
    """An engine on one migrated database of the session, in which no test commits."""
    from petitions.store.database import open_engine

    _execute(postgres_url, f"CREATE DATABASE shared TEMPLATE {migrated}")
    opened = open_engine(_named(postgres_url, "shared"))
    yield opened
    opened.dispose()


@pytest.fixture
def conn(shared_engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back: the cheapest database, empty and migrated."""
    with shared_engine.connect() as opened, opened.begin() as transaction:
        yield opened
        transaction.rollback()


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(statement))
    admin.dispose()


@pytest.fixture
def reader_url(engine, database_url) -> Iterator[str]:
    """The test's database, by a login that has the role petition_reader and nothing else."""
    name = f"reader_{secrets.token_hex(4)}"
    with engine.begin() as conn:
        conn.execute(text(f"CREATE ROLE {name} LOGIN IN ROLE petition_reader"))
    yield make_url(database_url).set(username=name).render_as_string(hide_password=False)
    with engine.begin() as conn:
        conn.execute(text(f"DROP ROLE {name}"))
