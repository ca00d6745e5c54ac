"""Ctrl-C and SIGTERM end a crawl that waits for its site: soon, for good, and the next one goes on from its place."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from crawl.site_server import Page, serve
from crawl_runs import read_petitions
from invented_pages import bluehouse_list, bluehouse_page
from petitions.crawl.crawler import BATCH
from stopped_runs import heed_signals

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

IDS = [str(number) for number in range(1000, 1000 + BATCH + 20)]
LATE = frozenset(IDS[BATCH + 10 :])  # of the second batch: the first one is stored
SOON_S = 10  # on a busy machine; the waits would take a minute and more


def start(engine, url: str, artifacts: Path) -> "subprocess.Popen[bytes]":
    named = {
        "PETITIONS_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "PETITIONS_BLUEHOUSE_URL": url,
        "PETITIONS_ARTIFACTS": str(artifacts),
        "PETITIONS_REQUESTS_PER_SECOND": "2000",
        "PETITIONS_CONNECTIONS": "4",
        "PYTHONPATH": str(Path(__file__).parents[2] / "include"),
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")} | named
    command = [sys.executable, "-c", "from petitions.cli import main; main()", "crawl", "--source", "bluehouse"]
    command += ["--until", "2019-09-01", "--months", "1"]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, preexec_fn=heed_signals)


def wait_for(condition, process) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("fault", "sent", "status"),
    [
        (Page(status=503, headers={"Retry-After": "90"}), signal.SIGINT, 1),
        (Page(status=403), signal.SIGTERM, 128 + signal.SIGTERM),
        (Page(status=404), signal.SIGINT, 1),
        (None, signal.SIGTERM, 128 + signal.SIGTERM),
    ],
    ids=["503", "403", "404", "no answer"],
)
def test_a_crawl_that_waits_ends_soon_asks_no_more_and_goes_on_later(fault, sent, status, engine, tmp_path, request):
    is_over, is_well = threading.Event(), threading.Event()

    def answer(path: str, nth: int) -> Page:
        if path.startswith("/api/"):
            return Page(bluehouse_list(*(IDS if "page=1&" in path and "only=1" in path else ())))
        if path.rpartition("/")[2] in LATE and not is_well.is_set():
            if fault:
                return fault
            is_over.wait(60)
        return Page(bluehouse_page())

    with serve(answer) as site:
        crawl = start(engine, site.url, tmp_path)
        request.addfinalizer(crawl.kill)
        wait_for(lambda: any(path.rpartition("/")[2] in LATE for path, _ in site.asked), crawl)
        time.sleep(1)
        sent_at = time.monotonic()
        crawl.send_signal(sent)
        _, told = crawl.communicate(timeout=60)
        assert time.monotonic() - sent_at < SOON_S
        assert (crawl.returncode, b"Traceback" in told) == (status, False), told.decode()
        n_asked = len(site.asked)
        time.sleep(3)
        assert len(site.asked) == n_asked
        assert set(read_petitions(engine)) == set(IDS[:BATCH])

        is_well.set()
        site.asked.clear()
        with engine.begin() as conn:  # the rest that the site asked for holds the next crawl too: not waited for here
            conn.execute(text("UPDATE petitions.site_pace SET free_at = now()"))
        assert start(engine, site.url, tmp_path).wait(timeout=60) == 0
        is_over.set()
    assert set(read_petitions(engine)) == set(IDS)
    assert not any(path.rpartition("/")[2] in IDS[:BATCH] for path, _ in site.asked)
