"""A pooler between us and Postgres: one that shares sessions is refused by name, one that keeps them apart will do."""

import threading
import time

import psycopg
import pytest
from sqlalchemy import text

from far_machine import run_open_server
from invented import WINDOW
from petitions.commands.doctor import examine
from petitions.errors import ConfigError, TransientError
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine, require_schema, upgrade
from petitions.store.pace import SharedPace
from petitions.store.session import name_settings
from pooler import run_pooler

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SITE = "http://site.test"
SHARES = "PETITIONS_DATABASE_URL leads to a pooler that shares sessions .* pool_mode = session"


@pytest.fixture(scope="module")
def server_url():
    with run_open_server() as opened:
        upgrade(open_engine(opened.local_url))
        yield opened.url_at("127.0.0.1")


@pytest.mark.parametrize("size", [1, 2, 20])
@pytest.mark.parametrize(
    "how",
    [
        {"pool_mode": "transaction"},
        {"pool_mode": "transaction", "ignore_startup_parameters": "options"},
        {"pool_mode": "transaction", "server_round_robin": 1},
        {"pool_mode": "statement"},
    ],
    ids=lambda how: " ".join(map(str, how.values())),
)
def test_a_pooler_that_shares_sessions_is_refused_by_name(server_url, size, how):
    with run_pooler(server_url, default_pool_size=size, min_pool_size=size, **how) as url:
        for _ in range(3):
            with pytest.raises(ConfigError, match=SHARES):
                open_engine(url)


def test_it_is_refused_while_others_use_it_too_and_is_left_as_it_was(server_url):
    with run_pooler(server_url, pool_mode="transaction", default_pool_size=4) as url:
        busy = [psycopg.connect(url, autocommit=True, prepare_threshold=None) for _ in range(3)]
        is_over = threading.Event()

        def use(conn):
            while not is_over.is_set():
                conn.execute("SELECT pg_sleep(0.002)")

        users = [threading.Thread(target=use, args=[conn]) for conn in busy]
        for user in users:
            user.start()
        try:
            for _ in range(10):
                with pytest.raises(ConfigError, match=SHARES):
                    open_engine(url)
        finally:
            is_over.set()
            for user in users:
                user.join()
        assert {conn.execute("SHOW search_path").fetchone() for conn in busy} == {('"$user", public',)}
        for conn in busy:
            conn.close()


def test_the_doctor_names_it(server_url, monkeypatch, tmp_path):
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PETITIONS_SOURCE", "sample")
    monkeypatch.setenv("PETITIONS_BERT_MODEL", "/nowhere/bert")  # nothing to load
    monkeypatch.setenv("PETITIONS_ELMO_MODEL", "/nowhere/elmo")
    with run_pooler(server_url, pool_mode="transaction") as url:
        monkeypatch.setenv("PETITIONS_DATABASE_URL", url)
        found = {item.part: item for item in examine()}
    assert not found["database"].is_fit
    assert "pool_mode = session" in found["database"].found


@pytest.mark.parametrize("more", [{}, {"ignore_startup_parameters": "options"}])
def test_in_session_mode_settings_arrive_and_locks_and_pace_hold(server_url, tmp_path, more):
    with run_pooler(server_url, pool_mode="session", default_pool_size=10, **more) as url:
        pooled, direct = open_engine(url), open_engine(server_url)
        require_schema(pooled)
        with pooled.connect() as conn:
            assert show(conn, "search_path") == "public,petitions"
            assert {name: show(conn, name) for name in name_settings({})} == name_settings({})
        with open_run(pooled, tmp_path).step("crawl") as told:
            told.rows_in = 1
            with pytest.raises(TransientError, match="another process is at the step crawl"):
                open_run(direct, tmp_path).step("crawl").__enter__()
        with open_run(direct, tmp_path).step("crawl"):
            pass
        pace = SharedPace(pooled, SITE, 1000, 1)
        pace.wait()
        with pace.hold_connections() as n_taken, direct.connect() as conn:
            assert n_taken == 1
            free = text("SELECT pg_try_advisory_lock(hashtext(:kind), 1)")
            assert not conn.scalar(free, {"kind": "petitions.connection site.test"})
        deadline = time.monotonic() + 10  # the pooler gives the session free after it has told us goodbye
        with direct.connect() as conn:
            while not conn.scalar(free, {"kind": "petitions.connection site.test"}):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        pooled.dispose()
        direct.dispose()


def test_sessions_that_are_handed_on_as_they_were_left_are_refused(server_url):
    with run_pooler(server_url, pool_mode="session", default_pool_size=10, server_reset_query="") as url:
        engine = open_engine(url)
        with engine.connect() as conn:
            conn.execute(text("SELECT pg_advisory_lock(1)"))
        engine.dispose()
        with pytest.raises(ConfigError, match="server_reset_query must be DISCARD ALL"):
            open_engine(url)


def show(conn, name):
    return conn.scalar(text(f"SHOW {name}"))


def open_run(engine, folder):
    artifacts = ArtifactStore(str(folder))
    return Run(settings=Settings(), engine=engine, artifacts=artifacts, source=Source("sample"), window=WINDOW)
