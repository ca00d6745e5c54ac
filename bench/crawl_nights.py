"""Ninety nights of crawls over one database: do the requests grow with what is new, or with what is stored?

    PYTHONPATH=include:tests .venv/bin/python bench/crawl_nights.py [--nights 90] [--plot docs/crawl-nights.svg]

Needs ../shared. The stand-in's clock is moved on day by day; each night the window of the three months before is
crawled at 03:00 in Seoul. On the night HIDE_ON a few open and ended petitions are hidden, to see when it is noticed.
At the end the table is compared with the records behind the stand-in. Prints Markdown and draws the plot.
"""

import argparse
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from crawl_ground import Ground, open_ground
from matplotlib import pyplot
from sqlalchemy import func, select

from crawl.site_server import FastClock
from crawl_runs import COMPARED_WITH_RECORDS, GROWS_FOR_DAYS, begin_night, crawl, expect_row, flatten, read_petitions
from petitions.crawl.archive import Archive
from petitions.crawl.sites import open_site
from petitions.errors import SiteChangedError
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.store.tables import petition
from stand_in import ASSEMBLY_DATA, BLUEHOUSE_DATA, StandIn, read_rows, run_stand_in

# First night, data and connections: 2 is the default; more ask for more pages ahead of a list, but save an hour.
CRAWLS = {
    Source("bluehouse"): (date(2019, 6, 1), BLUEHOUSE_DATA, 16),
    Source("assembly"): (date(2024, 4, 1), ASSEMBLY_DATA, 2),
}
HIDE_ON, N_HIDDEN, LATELY = 20, 10, timedelta(days=60)
LIMIT = 1.2  # requests for each new or open petition
SPEED = 5.0  # at more, the usual answers (40 ms) look slow to the crawl, and it leaves the site alone in between


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What a night asked for and what it brought."""

    day: date
    n_requests: int
    n_lists: int
    n_new: int
    n_open: int
    n_closed: int
    n_stored: int
    n_changed: int
    is_stopped: bool

    @property
    def n_due(self) -> int:
        """The petitions that are worth a request: the new ones, and those stored as open."""
        return self.n_new + self.n_open

    @property
    def ratio(self) -> float:
        """Requests for each petition that is worth one."""
        return self.n_requests / self.n_due


@dataclass(slots=True)
class Hiding:
    """Which petitions were hidden while open or ended, and after how many nights each was marked."""

    nights: dict[str, dict[str, int | None]] = field(default_factory=dict)

    def hide(self, site: StandIn, rows: dict[str, dict[str, Any]], day: date) -> None:
        """Hide some of each kind, of those that will stay in the window long enough to be looked at again."""
        die = random.Random(0)
        for kind, statuses in {"open": ("open",), "ended": ("ended", "answered")}.items():
            lately = [key for key, row in rows.items() if row["status"] in statuses and row["begins_on"] > day - LATELY]
            chosen = die.sample(sorted(lately), min(N_HIDDEN, max(2, len(lately) // 8)))
            self.nights[kind] = dict.fromkeys(chosen)
            for key in chosen:
                site.control("hide", id=key)

    def note(self, rows: dict[str, dict[str, Any]], n_nights: int) -> None:
        """Note those that are marked by now, so many nights after they were hidden."""
        for few in self.nights.values():
            few |= {key: n_nights for key, at in few.items() if at is None and rows[key]["status"] == "hidden"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--plot", type=Path, default=Path("docs/crawl-nights.svg"))
    args = parser.parse_args()
    told: dict[Source, list[Night]] = {}
    with open_ground() as make_ground:
        for source, (first, folder, connections) in CRAWLS.items():
            data = sorted(folder.glob("*.jsonl"))
            told[source] = simulate(source, first, data, args.nights, connections, make_ground())
    draw(told, args.plot)


def simulate(
    source: Source, first: date, data: list[Path], n_nights: int, connections: int, ground: Ground
) -> list[Night]:
    engine, nights, hiding = ground[0], list[Night](), Hiding()
    with run_stand_in(str(source), *data, today=first.isoformat()) as site:
        for number in range(n_nights):
            day = first + timedelta(days=number)
            site.control("clock", today=day)
            if number == HIDE_ON:
                hiding.hide(site, read_petitions(engine), day)
            settings = Settings(
                requests_per_second=10_000,
                connections=connections,
                site_urls={str(source): site.url},
            )
            nights.append(crawl_night(source, day, site, settings, ground))
            if number >= HIDE_ON:
                hiding.note(read_petitions(engine), number - HIDE_ON + 1)
            print(f"<!-- {source} {nights[-1]} -->", flush=True)
    hidden = {key for few in hiding.nights.values() for key in few}
    found = read_petitions(engine)
    n_told, n_different = compare(source, read_rows(*data), found, hidden, first, day)
    print_report(source, nights, hiding)
    print(f"- {n_told} petitions in the records of the windows, {len(found)} stored, {n_different} of them different")
    return nights


def crawl_night(source: Source, day: date, site: StandIn, settings: Settings, ground: Ground) -> Night:
    engine, archive = ground
    window, now = Window.ending(day), begin_night(day)
    before, n_before, began = read_petitions(engine), site.control("stats")["requests"], now()
    is_stopped = False
    try:
        crawl(engine, archive, source, window, settings, now=now, clock=FastClock(SPEED))
    except SiteChangedError as error:  # what came before is stored, and the next night goes on
        is_stopped = True
        print(f"<!-- {day} stopped: {error} -->")
    n_requests = site.control("stats")["requests"] - n_before
    asked, n_lists = read_asked(
        archive, source, began, lambda url: open_site(source, window, settings, day).find_petition(url)
    )
    is_changed = (petition.c.changed_at >= began) & (petition.c.first_seen_at < began)
    with engine.connect() as conn:
        n_stored = conn.scalar(select(func.count()).select_from(petition)) or 0
        n_changed = conn.scalar(select(func.count()).where(is_changed)) or 0
    was_open = {key for key, row in before.items() if row["status"] == "open"}
    return Night(
        day=day,
        n_requests=n_requests,
        n_lists=n_lists,
        n_new=len(asked - before.keys()),
        n_open=len(was_open),
        n_closed=len((asked & before.keys()) - was_open),
        n_stored=n_stored,
        n_changed=n_changed,
        is_stopped=is_stopped,
    )


def read_asked(
    archive: Archive, source: Source, began: datetime, find: Callable[[str], str | None]
) -> tuple[set[str], int]:
    """Read from the archive which petitions a night asked for, and how many pages of lists."""
    asked, n_lists = set[str](), 0
    for file in archive.list_files(source):
        if file.seen_at >= began:
            for _, answer in archive.read_file(file.path)[1]:
                source_id = find(answer.url)
                asked |= {source_id} if source_id else set()
                n_lists += source_id is None
    return asked, n_lists


def compare(
    source: Source,
    records: list[dict[str, Any]],
    found: dict[str, dict[str, Any]],
    hidden: Collection[str],
    first: date,
    last: date,
) -> tuple[int, int]:
    """Count the petitions that belong to any window, and those of which a row is missing, too many or different.

    The agreements are those of the last look where a petition was hidden, or was open for less than the days in which
    the stand-in lets them grow (one of the Assembly's, for a week): there they go on growing after its end.
    """
    since = Window.ending(first).since
    told = {
        record["id"]: expect_row(source, record, last)
        for record in records
        if since.isoformat() <= record["begin"] < last.isoformat()
    }
    n_different = len(told.keys() ^ found.keys())
    for key in told.keys() & found.keys():
        is_short = told[key]["ends_on"] - told[key]["begins_on"] < timedelta(days=GROWS_FOR_DAYS - 1)
        left_out = {"status", "n_agreements"} if key in hidden else {"n_agreements"} if is_short else set()
        names = set(COMPARED_WITH_RECORDS) - left_out
        n_different += any(flatten(found[key][name]) != told[key][name] for name in names)
        n_different += key in hidden and found[key]["status"] != "hidden"
    return len(told), n_different


def print_report(source: Source, nights: list[Night], hiding: Hiding) -> None:
    later = nights[1:]  # the first one stores all that the site has
    requests, due, stored = (
        np.array([getattr(night, name) for night in later]) for name in ("n_requests", "n_due", "n_stored")
    )
    ratios = [night.ratio for night in later]
    print(
        f"\n**{source}**, {len(nights)} nights from {nights[0].day}; the first made {nights[0].n_requests} requests\n"
    )
    print("| a night after the first | least | mean | most |\n|---|---|---|---|")
    for label, name in {
        "requests": "n_requests", "of them pages of lists": "n_lists", "new petitions": "n_new",
        "stored as open": "n_open", "closed looked at again": "n_closed", "petitions stored": "n_stored",
        "text or status changed": "n_changed",
    }.items():  # fmt: skip
        values = [getattr(night, name) for night in later]
        print(f"| {label} | {min(values)} | {np.mean(values):.1f} | {max(values)} |")
    print(f"| requests for each new or open petition | {min(ratios):.3f} | {np.mean(ratios):.3f} | {max(ratios):.3f} |")
    n_over = sum(ratio > LIMIT for ratio in ratios)
    print(f"\n- over {LIMIT} requests for each new or open petition: {n_over} of {len(later)} nights")
    print(f"- stopped, since too many answers were no petitions: {sum(night.is_stopped for night in nights)} nights")
    print(f"- in all nights after the first: {requests.sum() / due.sum():.3f}")
    print(f"- correlation of requests with new and open: {np.corrcoef(requests, due)[0, 1]:.3f}", end="")
    print(f", with stored: {np.corrcoef(requests, stored)[0, 1]:.3f}")
    for kind, few in hiding.nights.items():
        marked = sorted(at for at in few.values() if at is not None)
        print(f"- hidden while {kind}: {len(marked)} of {len(few)} marked, after {marked} nights")


def draw(told: dict[Source, list[Night]], path: Path) -> None:
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "crawl-nights"  # the same plot from the same figures
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for source, nights in told.items():
        requests = [night.n_requests for night in nights[1:]]
        left.scatter([night.n_due for night in nights[1:]], requests, s=12, label=str(source))
        right.scatter([night.n_stored for night in nights[1:]], requests, s=12, label=str(source))
    most = max(night.n_due for nights in told.values() for night in nights[1:])
    left.plot([0, most], [0, LIMIT * most], color="grey", linewidth=1, label=f"the limit, {LIMIT} a petition")
    left.set_xlabel("new and open petitions")
    left.set_ylabel("requests a night")
    right.set_xlabel("petitions stored")
    left.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
