"""A crawl that is killed without warning goes on from where it was, and the archive alone gives its rows again."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError, disable_socket
from sqlalchemy import select

from crawl_runs import read_petitions
from petitions.crawl.archive import Archive
from petitions.crawl.crawler import BATCH
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.steps.crawl import gather_again
from petitions.store.artifacts import ArtifactStore
from petitions.store.crawl_tables import crawl_reject
from petitions.store.tables import petition, petition_agreement
from stand_in import BLUEHOUSE_DATA, read_rows, run_stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

UNTIL, WINDOW = "2019-09-01", Window(since=date(2019, 8, 1), until=date(2019, 9, 1))
N_PETITIONS, N_KILLS = 350, 2
LIST_PAGES = BATCH // 7 + 20  # of a batch; with those that look for the place again or ahead, and robots.txt


def start(engine, site, artifacts: Path) -> "subprocess.Popen[bytes]":
    """The command, on real time: the site's day alone is that of the records."""
    named = {
        "PETITIONS_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "PETITIONS_BLUEHOUSE_URL": site.url,
        "PETITIONS_ARTIFACTS": str(artifacts),
        "PETITIONS_REQUESTS_PER_SECOND": "2000",
        "PETITIONS_CONNECTIONS": "16",
        "PYTHONPATH": str(Path(__file__).parents[2] / "include"),
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")} | named
    command = [sys.executable, "-c", "from petitions.cli import main; main()", "crawl", "--source", "bluehouse"]
    command += ["--until", UNTIL, "--months", "1"]
    return subprocess.Popen(command, env=environ)


def kill_at(process, site, n_requests: int) -> None:
    """Send SIGKILL when the site was asked so often."""
    while site.control("stats")["requests"] < n_requests:
        assert process.poll() is None, "the crawl ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.fixture
def few(tmp_path) -> Path:
    source = BLUEHOUSE_DATA / "2019-08.jsonl"
    if not source.exists():
        pytest.skip(f"{source} is absent: the crawl needs real petitions")
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(source.read_text(encoding="utf-8").splitlines()[:N_PETITIONS]) + "\n", encoding="utf-8")
    return path


def read_whole(engine):
    """All rows of what a crawl writes, all columns."""
    with engine.connect() as conn:
        return {
            table.name: sorted(map(tuple, conn.execute(select(table))), key=str)
            for table in (petition, petition_agreement, crawl_reject)
        }


def test_a_crawl_killed_twice_ends_as_an_undisturbed_one_and_asks_hardly_twice(few, new_database, tmp_path):
    calm, killed, again = new_database(), new_database(), new_database()
    with run_stand_in("bluehouse", few, today=UNTIL) as site:
        never_stored = read_rows(few)[7]["id"]
        site.control("hide", id=never_stored)
        assert start(calm, site, tmp_path / "calm").wait() == 0
        n_calm = site.control("stats")["requests"]
        site.control("reset")
        site.control("hide", id=never_stored)
        die = random.Random(3)
        for number in range(N_KILLS):
            share = (number + die.random()) / N_KILLS
            kill_at(start(killed, site, tmp_path / "killed"), site, max(1, int(share * n_calm)))
        assert start(killed, site, tmp_path / "killed").wait() == 0
        figures = site.control("stats")
    assert figures["requests"] <= n_calm + N_KILLS * (BATCH + LIST_PAGES)
    assert read_petitions(killed) == read_petitions(calm)
    expected = read_whole(calm)
    assert len(expected["petition"]) == N_PETITIONS - 1
    assert len(expected["crawl_reject"]) == 1
    disable_socket()
    with pytest.raises(SocketBlockedError):
        site.control("stats")
    archive = Archive(ArtifactStore(str(tmp_path / "calm")))
    for _ in gather_again(again, archive, Source("bluehouse"), WINDOW, Settings()):
        pass
    assert read_whole(again) == expected
