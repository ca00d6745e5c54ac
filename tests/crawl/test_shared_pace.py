"""One pace for many processes: what it lets through is measured at the server."""

import multiprocessing
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise

import pytest
from site_server import Page, serve
from sqlalchemy import create_engine, select, text

from petitions.crawl.fetcher import Fetcher
from petitions.crawl.policy import RetryPolicy
from petitions.crawl.spacing import LONG_REST_S, PROBE_S, SLACK
from petitions.errors import DatabaseDownError
from petitions.sources.site import Request
from petitions.store.crawl_tables import site_pace
from petitions.store.database import open_engine
from petitions.store.pace import SharedPace
from stand_in import BLUEHOUSE_DATA, run_stand_in

pytestmark = pytest.mark.postgres
PER_SECOND, CONNECTIONS = 20, 2


class RecordingClock:
    """The clock on the wall; remembers how long it was slept by."""

    monotonic, time = staticmethod(time.monotonic), staticmethod(time.time)

    def __init__(self):
        self.pauses = []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        time.sleep(seconds)


class StillClock(RecordingClock):
    """The same, but does not sleep; who waits by it for the third time ends with an error."""

    def sleep(self, seconds):
        self.pauses.append(seconds)
        if len(self.pauses) >= 3:
            raise TimeoutError


def ask(fetcher, url, n, n_threads):
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(fetcher.fetch, [Request(url=url)] * n))


def crawl_in_a_process(name, database_url, url, n, n_threads):
    """Ask n times, over as many connections as there are, or with so many threads whatever others do."""
    pace = SharedPace(open_engine(database_url), url, PER_SECOND, CONNECTIONS)
    with closing(Fetcher(url, contact=name, limiter=pace, policy=RetryPolicy())) as fetcher:
        if n_threads:
            ask(fetcher, f"{url}/petitions", n, n_threads)
        else:
            with pace.hold_connections() as n_free:
                ask(fetcher, f"{url}/petitions", n, n_free)


def hold_until_killed(database_url, url, is_held):
    with SharedPace(open_engine(database_url), url, PER_SECOND, CONNECTIONS).hold_connections():
        is_held.set()
        time.sleep(600)


def run_three(database_url, url, n, n_threads):
    spawn = multiprocessing.get_context("spawn")
    crawls = [
        spawn.Process(target=crawl_in_a_process, args=(f"{name}@site.test", database_url, url, n, n_threads))
        for name in ("one", "two", "three")
    ]
    for crawl in crawls:
        crawl.start()
    for crawl in crawls:
        crawl.join()
    assert [crawl.exitcode for crawl in crawls] == [0, 0, 0]


@pytest.mark.slow
def test_three_processes_keep_rate_and_connections_together(database_url):
    with run_stand_in("bluehouse", BLUEHOUSE_DATA / "2019-08.jsonl", today="2019-09-01") as site:
        run_three(database_url, site.url, 18, 0)
        figures = site.control("stats")
    assert figures["requests"] == 3 * (18 + 1)  # robots.txt too
    assert figures["busiest_second"] <= PER_SECOND
    assert figures["most_at_once"] <= CONNECTIONS


@pytest.mark.slow
def test_three_processes_at_once_keep_the_rate_in_any_second(database_url):
    with serve(lambda path, nth: Page(b"ok")) as site:
        run_three(database_url, site.url, 14, 2)
    names = [headers["User-Agent"] for _, headers in site.asked]
    assert len(names) == 3 * (14 + 1)
    assert max(sum(begin <= other < begin + 1 for other in site.times) for begin in site.times) <= PER_SECOND
    assert sum(one != other for one, other in pairwise(names)) > len(set(names)) == 3  # they took turns


@pytest.mark.slow
def test_a_killed_process_frees_its_connections(database_url, engine):
    spawn, url = multiprocessing.get_context("spawn"), "http://site.test"
    is_held = spawn.Event()
    process = spawn.Process(target=hold_until_killed, args=(database_url, url, is_held))
    process.start()
    assert is_held.wait(60)
    clock = StillClock()
    pace = SharedPace(engine, url, PER_SECOND, CONNECTIONS, clock)
    with pytest.raises(TimeoutError), pace.hold_connections():
        pass
    process.kill()
    process.join()
    with SharedPace(engine, url, PER_SECOND, CONNECTIONS).hold_connections() as n_free:
        assert n_free == CONNECTIONS


def test_connections_are_shared_out_to_the_last_one_and_given_back(engine, caplog):
    caplog.set_level("INFO")
    few, many = (SharedPace(engine, "http://site.test/a", 1, most, StillClock()) for most in (2, 3))
    with few.hold_connections() as first, many.hold_connections() as second:
        assert (first, second) == (2, 1)
        with pytest.raises(TimeoutError), many.hold_connections():
            pass
        with SharedPace(engine, "http://other.test", 1, 2).hold_connections() as elsewhere:
            assert elsewhere == 2
    holder = f"petitions {socket.gethostname()[:45]} {os.getpid()}, connected since 20"
    assert caplog.text.count(f"site.test: all 3 connections are taken, waiting for one; by {holder}") == 1
    with many.hold_connections() as again:
        assert again == 3


def test_a_hold_and_a_crawl_delay_of_one_process_hold_the_others(engine):
    clock = RecordingClock()
    one, other = SharedPace(engine, "http://site.test", 1e4, 2), SharedPace(engine, "http://site.test/", 1e4, 2, clock)
    one.hold(0.2)
    one.hold(0.1)  # a shorter one does not end it
    other.wait()
    assert sum(clock.pauses) > 0.15
    one.slow_down(0.2)
    other.wait()
    assert sum(clock.pauses) > 0.3


def test_after_a_long_hold_by_another_process_one_request_goes_ahead(engine):
    clock = StillClock()
    one, other = SharedPace(engine, "http://site.test", 1e4, 2), SharedPace(engine, "http://site.test", 1e4, 2, clock)
    one.hold(LONG_REST_S + 5)
    with pytest.raises(TimeoutError):
        other.wait()
    assert min(clock.pauses) > LONG_REST_S
    with engine.begin() as conn:
        conn.execute(site_pace.update().values(free_at=text("clock_timestamp()")))
    other.wait()
    with engine.connect() as conn:
        left = conn.scalar(select(text("extract(epoch FROM free_at - clock_timestamp())")).select_from(site_pace))
    assert PROBE_S - 5 < left <= PROBE_S


def test_a_password_in_the_address_is_not_stored(engine):
    SharedPace(engine, "https://user:secret@site.test:8443/mirror", 1, 1)
    with engine.connect() as conn:
        assert conn.scalars(select(site_pace.c.site)).all() == ["site.test:8443"]


def test_without_the_database_nothing_may_be_sent(engine, postgres_url):
    pace = SharedPace(engine, "http://site.test", 1e4, 1)
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"ALTER DATABASE {engine.url.database} ALLOW_CONNECTIONS false"))
        conn.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": engine.url.database},
        )
    admin.dispose()
    for step in (pace.wait, lambda: pace.hold(1), lambda: pace.hold_connections().__enter__()):
        with pytest.raises(DatabaseDownError):
            step()


def test_who_has_lost_its_connections_sends_nothing(engine):
    pace = SharedPace(engine, "http://site.test", 1e4, 1)
    with pace.hold_connections():
        pace.wait()
        with engine.begin() as conn:  # as the server does to a machine that it cannot reach
            conn.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
        with pytest.raises(DatabaseDownError):
            pace.wait()


@pytest.mark.slow
def test_slow_answers_slow_the_requests_down(engine):
    def answer(path, nth):
        time.sleep(0.55 if "slow" in path else 0)
        return Page(b"ok")

    with serve(answer) as site:
        pace = SharedPace(engine, site.url, PER_SECOND, 3)
        with closing(Fetcher(site.url, contact="", limiter=pace, policy=RetryPolicy())) as fetcher:
            ask(fetcher, f"{site.url}/quick", 5, 3)
            ask(fetcher, f"{site.url}/slow", 5, 3)
    gaps = [later - earlier for earlier, later in pairwise(site.times)]
    assert gaps[-1] > 5 * SLACK / PER_SECOND
