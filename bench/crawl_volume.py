"""A crawl of 97,000 petitions: memory, pages a second with politeness off, and what a SIGKILL costs.

    PYTHONPATH=include:tests .venv/bin/python bench/crawl_volume.py [--times 32] [--connections 8]

Needs ../shared; about a quarter of an hour. The crawl runs in a process of its own over five months of the stand-in
for the Blue House (--times variants of each petition), is killed at a third and at two thirds, and goes on. Its memory
is the kernel's high-water mark (VmHWM). Postgres, the stand-in and the crawl share the cores of this machine; so the
stand-in alone, asked for the same pages by a client that reads nothing in them, is measured beside the crawl.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from crawl_ground import Ground, open_ground
from sqlalchemy import Engine

from petitions.crawl.archive import Archive
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.steps import crawl
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine
from stand_in import BLUEHOUSE_DATA, StandIn, read_rows, run_stand_in

TODAY, WINDOW = date(2019, 9, 1), Window(since=date(2019, 4, 1), until=date(2019, 9, 1))
KILLED_AT = (1 / 3, 2 / 3)
LOOK_S, TELL_S = 0.5, 30.0
N_BARE = 3_000  # pages that are asked for without a crawl
LIST_PAGE = 7


@dataclass(slots=True)
class Run:
    """One process that crawled: seconds, most memory, and the last line that it printed."""

    seconds: float
    peak_mb: float
    told: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=32)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--child", nargs=3, metavar=("SITE", "DATABASE", "ARTIFACTS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        crawl_here(*args.child, args.connections)
        return
    data = sorted(BLUEHOUSE_DATA.glob("*.jsonl"))
    n_petitions = args.times * len(read_rows(*data))
    with (
        open_ground() as make_ground,
        run_stand_in("bluehouse", *data, today=TODAY.isoformat(), times=args.times) as site,
    ):
        bare = measure_site(site, [row["id"] for row in read_rows(*data)], args.connections)
        site.control("reset")
        measure_crawl(site, make_ground(), n_petitions, args.connections, bare)


def measure_crawl(site: StandIn, ground: Ground, n_petitions: int, connections: int, bare: float) -> None:
    engine, archive = ground
    n_pages = n_petitions + n_petitions // LIST_PAGE
    runs = []
    for share in (*KILLED_AT, None):
        runs.append(run_until(site, ground, connections, share and int(share * n_pages)))
        print(f"<!-- {runs[-1]} {site.control('stats')} -->", flush=True)
    figures, seconds = site.control("stats"), sum(run.seconds for run in runs)
    n_requests, n_distinct = figures["requests"], figures["distinct"]
    with engine.connect() as conn:
        n_rows = conn.exec_driver_sql("SELECT count(*) FROM petitions.petition").scalar_one()
    n_bytes = sum(file.n_bytes for file in archive.list_files(Source("bluehouse")))
    crawling, total = json.loads(runs[-1].told)
    print("| | |\n|---|---|")
    print(f"| petitions at the site, rows | {n_petitions:,}, {n_rows:,} |")
    print(f"| seconds, three processes together | {seconds:.0f} |")
    print(f"| pages a second, lists and petitions | {n_requests / seconds:.0f} |")
    print(f"| the stand-in alone, pages a second | {bare:.0f}; the crawl reaches {n_requests / seconds / bare:.2f} |")
    print(f"| most memory of a process (VmHWM) | {max(run.peak_mb for run in runs):.0f} MB |")
    print(f"| requests, distinct ones | {n_requests:,}, {n_distinct:,} |")
    print(f"| asked again after {len(KILLED_AT)} x SIGKILL | {n_requests - n_distinct} |")
    print(f"| normalizing, COPY, upsert, commit: share of the time | {1 - crawling / total:.0%} |")
    print(f"| archive | {n_bytes / 1e6:.0f} MB |")


def run_until(site: StandIn, ground: Ground, connections: int, n_distinct: int | None) -> Run:
    """Crawl in a process of its own; kill it when the site was asked for so many pages, or wait for its end."""
    engine, archive = ground
    where = (site.url, engine.url.render_as_string(hide_password=False), archive.store.url)
    command = [sys.executable, __file__, "--connections", str(connections), "--child", *where]
    began = told_at = time.perf_counter()
    peak_mb = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            time.sleep(LOOK_S)
            peak_mb = max(peak_mb, read_peak_mb(process.pid))
            n_asked = site.control("stats")["distinct"]
            if n_distinct and n_asked >= n_distinct:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            elif time.perf_counter() - told_at > TELL_S:
                told_at = time.perf_counter()
                print(f"<!-- {told_at - began:.0f} s: {n_asked} pages, {peak_mb:.0f} MB -->", flush=True)
        told = process.stdout.read() if process.stdout else ""
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"the crawl ended with status {process.returncode}")
    return Run(seconds=time.perf_counter() - began, peak_mb=peak_mb, told=told)


def read_peak_mb(pid: int) -> float:
    """The most memory that a process has had, 0 where it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def crawl_here(url: str, database: str, artifacts: str, connections: int) -> None:
    """The process that crawls; prints the seconds that the crawl itself took, and those with the storing."""
    settings = Settings(site_urls={"bluehouse": url}, requests_per_second=10_000, connections=connections)
    engine, archive = open_engine(database), Archive(ArtifactStore(artifacts))
    spent = [0.0]
    began = time.perf_counter()
    with patch.object(crawl, "crawl_site", partial(time_batches, crawl.crawl_site, spent)):
        gather_all(engine, archive, settings)
    print(json.dumps([spent[0], time.perf_counter() - began]))


def gather_all(engine: Engine, archive: Archive, settings: Settings) -> None:
    for _ in crawl.gather(engine, archive, Source("bluehouse"), WINDOW, settings, now=lambda: datetime.now(UTC)):
        pass


def time_batches(crawl_site, spent: list[float], *parts, **named) -> Iterator:
    """The same batches; adds up what each took up to where it is handed over to be stored."""
    batches = crawl_site(*parts, **named)
    while True:
        began = time.perf_counter()
        batch = next(batches, None)
        spent[0] += time.perf_counter() - began
        if batch is None:
            return
        yield batch


def measure_site(site: StandIn, ids: list[str], connections: int) -> float:
    """Pages a second of the stand-in, asked by a process that throws them away."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(ask_bare, (urlsplit(site.url).netloc, list(islice(ids, N_BARE)), connections))


def ask_bare(host: str, ids: list[str], connections: int) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        n_read = sum(pool.map(partial(ask_some, host), [ids[number::connections] for number in range(connections)]))
    return n_read / (time.perf_counter() - began)


def ask_some(host: str, ids: list[str]) -> int:
    connection = http.client.HTTPConnection(host)
    for number in ids:
        connection.request("GET", f"/petitions/{number}")
        connection.getresponse().read()
    connection.close()
    return len(ids)


if __name__ == "__main__":
    main()
