"""What faults of a site cost a crawl, and that they change nothing in what it brings.

    PYTHONPATH=include:tests .venv/bin/python bench/crawl_faults.py [--rates 0 0.1 0.3 0.5] [--connections 32]

Needs ../shared. Crawls three months of the stand-in for each site into a fresh database, once for each fault rate, all
kinds of faults at once, and compares the rows with those at the first rate. Prints a Markdown table.

Pauses are run through 10,000 times as fast. Two columns tell what they are worth: "waited" is how long a patient crawl
is told by the site to leave it alone (403, Retry-After), or keeps its threads waiting after other faults, whichever
is longer. Seconds on the wall are mostly the stand-in's own: each answer of the kind "slow" takes it 3 s, so that many
connections are used. A crawl that gives up is started again, as Airflow does, and goes on from its place.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from crawl_ground import Ground, open_ground

from crawl.site_server import FastClock
from crawl_runs import ALL_FAULTS, SPEED, FastPace, begin_night, count_rejects, crawl, read_petitions
from petitions.errors import FetchError
from petitions.records import Source, Window
from petitions.settings import Settings
from stand_in import ASSEMBLY_DATA, BLUEHOUSE_DATA, StandIn, run_stand_in

COLUMNS = (
    "site", "faults", "petitions", "lost", "wrong", "doubled", "rejects", "hidden", "requests", "starts", "seconds",
    "waited",
)  # fmt: skip
Rows = dict[str, dict[str, Any]]
CRAWLS = {
    Source("bluehouse"): (date(2019, 9, 1), Window(since=date(2019, 6, 1), until=date(2019, 9, 1)), BLUEHOUSE_DATA),
    Source("assembly"): (date(2024, 7, 1), Window(since=date(2024, 4, 1), until=date(2024, 7, 1)), ASSEMBLY_DATA),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a crawl at one fault rate brought, and what it took."""

    rows: Rows
    n_doubled: int
    n_rejects: int
    n_starts: int
    n_requests: int
    seconds: float
    held_s: float
    slept_s: float


class HeldPace(FastPace):
    """Also adds up for how long the site was left alone, rests that overlap counted once."""

    held_s = 0.0

    def hold(self, seconds: float) -> None:
        """Let no request pass for so long."""
        super().hold(seconds)
        now = self._clock.monotonic()
        with self._lock:
            until = getattr(self, "_held_until", now)
            HeldPace.held_s += max(0.0, now + seconds - max(now, until))
            self._held_until = max(until, now + seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.0, 0.1, 0.3, 0.5])
    parser.add_argument("--connections", type=int, default=32)
    args = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    with open_ground() as make_ground:
        for source, (today, window, folder) in CRAWLS.items():
            data = sorted(folder.glob("*.jsonl"))
            with run_stand_in(str(source), *data, today=today.isoformat()) as site:
                measure_site(site, source, today, window, args.rates, args.connections, make_ground)


def measure_site(
    site: StandIn,
    source: Source,
    today: date,
    window: Window,
    rates: Sequence[float],
    connections: int,
    make_ground: Callable[[], Ground],
) -> None:
    calm: Rows = {}
    for rate in rates:
        site.control("reset")
        site.control("faults", rate=rate, kinds=ALL_FAULTS)
        found = crawl_until_done(site, source, today, window, connections, make_ground())
        calm = calm or found.rows
        print(show(source, rate, calm, found), flush=True)


def crawl_until_done(
    site: StandIn, source: Source, today: date, window: Window, connections: int, ground: Ground
) -> Outcome:
    engine, archive = ground
    addresses = {"bluehouse": site.url, "assembly": site.url}
    settings = Settings(requests_per_second=10_000, connections=connections, site_urls=addresses)
    now, clock, began, HeldPace.held_s = begin_night(today), FastClock(SPEED), time.perf_counter(), 0.0
    for n_starts in count(1):
        try:
            crawl(engine, archive, source, window, settings, now=now, clock=clock, pace=HeldPace)
            break
        except FetchError as error:
            print(f"<!-- start {n_starts} stopped: {error} -->")
    seconds, rows = time.perf_counter() - began, read_petitions(engine)
    with engine.connect() as conn:
        n_rows = conn.exec_driver_sql("SELECT count(*) FROM petitions.petition").scalar_one()
    return Outcome(
        rows=rows,
        n_doubled=n_rows - len(rows),
        n_rejects=count_rejects(engine),
        n_starts=n_starts,
        n_requests=site.control("stats")["requests"],
        seconds=seconds,
        held_s=HeldPace.held_s,
        slept_s=sum(clock.pauses) / connections,
    )


def show(source: Source, rate: float, calm: Rows, found: Outcome) -> str:
    n_lost = len(calm.keys() - found.rows.keys())
    n_wrong = sum(calm.get(key) != row for key, row in found.rows.items())
    n_hidden = sum(row["status"] == "hidden" or row["is_vanished"] for row in found.rows.values())
    waited = max(found.held_s, found.slept_s)
    return (
        f"| {source} | {rate:.0%} | {len(found.rows)} | {n_lost} | {n_wrong} | {found.n_doubled} | {found.n_rejects} |"
        f" {n_hidden} | {found.n_requests} | {found.n_starts} | {found.seconds:.0f} | {waited / 60:.0f} min |"
    )


if __name__ == "__main__":
    main()
