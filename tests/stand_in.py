"""The stand-in for both petition sites (../shared/replica/serve.py), run as a process of its own on a loopback port.

    with run_stand_in("bluehouse", BLUEHOUSE_DATA / "2019-08.jsonl", today="2019-09-01") as site:
        site.url                                  # "http://127.0.0.1:41327"
        site.control("hide", id="581762")         # any verb of serve.py; answers its figures
        site.control("stats")["requests"]

The data may be any JSONL file with the keys that ../shared/data/README.md names, an invented one too.
Skips the test with a plain reason where ../shared is absent.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"
SERVE = SHARED / "replica" / "serve.py"
BLUEHOUSE_DATA = SHARED / "data" / "bluehouse"
ASSEMBLY_DATA = SHARED / "data" / "assembly"
START_S = 30
# Servers of real sites send at once what they have. Python's waits, on a kept connection, until the client has
# acknowledged the headers before it sends the body: 44 ms for each answer, most of the time of a crawl (TCP_NODELAY).
LAUNCH = """
import runpy, socketserver, sys
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def post_again(lines: Sequence[str], n: int) -> list[str]:
    """The lines of petitions, the last n of which are the longest ones before again, a little longer."""
    rows = [json.loads(line) for line in lines]
    longest = sorted(rows[:-n], key=lambda row: len(row["content"]), reverse=True)[:n]
    for row, copied in zip(rows[-n:], longest, strict=True):
        row["content"] = copied["content"] + " 다시 한번 부탁드립니다"
    return [json.dumps(row, ensure_ascii=False) for row in rows]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in: where it is, and its controls."""

    url: str

    def control(self, verb: str, **query: object) -> dict[str, Any]:
        """Send a /_replica/ verb (stats, clock, faults, limit, hide, reset); gives the figures."""
        with urlopen(f"{self.url}/_replica/{verb}?{urlencode(query)}", timeout=30) as answer:
            figures: dict[str, Any] = json.load(answer)
        return figures


@contextmanager
def run_stand_in(site: str, *data: Path, today: str, times: int = 1, seed: int = 0, port: int = 0) -> Iterator[StandIn]:
    """Serve the records of `data` as `site` ("bluehouse" or "assembly") on the day `today` (YYYY-MM-DD)."""
    for path in (SERVE, *data):
        if not path.exists():
            pytest.skip(f"{path} is absent: the stand-in for the sites needs it")
    url = f"http://127.0.0.1:{port or _free_port()}"
    command = [sys.executable, "-c", LAUNCH, str(SERVE), site, *map(str, data), "--port", url.rpartition(":")[2]]
    command += ["--today", today, "--times", str(times), "--seed", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_up(url, process)
        yield StandIn(url)
    finally:
        process.terminate()
        process.wait()


def read_rows(*data: Path) -> list[dict[str, Any]]:
    """The records that a stand-in over the same files serves."""
    return [json.loads(line) for path in data for line in path.open(encoding="utf-8")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(f"{url}/_replica/stats", timeout=5).close()
        except (URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the stand-in did not come up at {url} within {START_S} s (exit status {process.poll()})")
