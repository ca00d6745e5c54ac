"""What became of petitions, night after night; and a crawl of a site of which one petition in twenty is odd.

    PYTHONPATH=include:tests:bench .venv/bin/python bench/crawl_outcomes.py [--nights 90] [--needed 5000]

Needs ../shared. First three months of the Assembly are crawled, twice, while quirks of all kinds are on: what was kept,
set aside, warned of. Then the stand-in's clock goes on day by day, its petitions are referred and decided
(tests/outcome_stand_in.py), and each night is crawled. Prints Markdown.
"""

import argparse
import logging
import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
from crawl_ground import Ground, open_ground
from crawl_nights import LIMIT, Night, crawl_night
from sqlalchemy import text

from outcome_stand_in import OutcomeSite, run_outcomes
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.store.handling import read_unknown_codes
from stand_in import ASSEMBLY_DATA, StandIn, read_rows, run_stand_in

ASSEMBLY = Source("assembly")
DATA = ASSEMBLY_DATA / "2020-01_2024-07.jsonl"
QUIRKS = (
    "detail_400", "detail_500", "detail_null", "detail_empty", "new_realm", "no_realm", "blank_purpose", "no_count",
    "new_state",
)  # fmt: skip
ODD_DAY, RATES = date(2024, 7, 1), (0.05, 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2024, 4, 1))
    parser.add_argument("--needed", type=int, default=5_000, help="agreements from which a petition is referred")
    parser.add_argument("--only-odd", action="store_true", help="leave the nights out")
    args = parser.parse_args()
    logging.getLogger("petitions.crawl").setLevel(logging.ERROR)
    with open_ground() as make_ground:
        for rate in RATES:
            crawl_odd(make_ground(), rate)
        if args.only_odd:
            return
        crawl_nights(make_ground(), args.first, args.nights, args.needed)


def crawl_odd(ground: Ground, rate: float) -> None:
    """Crawl three months in which petitions are odd, the night after too, and tell what became of each kind."""
    window = Window.ending(ODD_DAY)
    with run_stand_in("assembly", DATA, today=ODD_DAY.isoformat()) as site:
        site.control("quirks", rate=rate, kinds=",".join(QUIRKS))
        nights = [crawl_one(site, ODD_DAY + timedelta(days=number), ground) for number in range(2)]
    rows = [row for row in read_rows(DATA) if date.fromisoformat(row["begin"]) in window]
    kinds = {}
    for row in rows:  # as serve.py throws its die
        die = random.Random(f"quirk|0|{row['id']}")
        kinds[row["id"]] = die.choice(QUIRKS) if die.random() < rate else ""
    with ground[0].connect() as conn:
        stored = {row.source_id: row for row in conn.execute(text("SELECT * FROM petitions.petition"))}
        rejects = Counter(
            ("set aside" if row.is_aside else "vanished", key)
            for row in conn.execute(text("SELECT url, is_aside FROM petitions.crawl_reject"))
            for key in kinds
            if f"/{key}" in row.url
        )
        codes = [code.tell() for code in read_unknown_codes(conn)]
    n_requests = [night.n_requests for night in nights]
    print(f"\n**{len(rows)} petitions, {rate:.0%} odd**; requests of two nights: {n_requests}\n")
    print("| oddity | petitions | kept | set aside | vanished |\n|---|---|---|---|---|")
    for kind in ("", *QUIRKS):
        few = [key for key in kinds if kinds[key] == kind]
        told = [sum(rejects[word, key] > 0 for key in few) for word in ("set aside", "vanished")]
        print(f"| {kind or 'none'} | {len(few)} | {sum(key in stored for key in few)} | {told[0]} | {told[1]} |")
    print(f"\nwarned of: {'; '.join(codes) or 'nothing'}")


def crawl_nights(ground: Ground, first: date, n_nights: int, needed: int) -> None:
    """Crawl night after night, and tell requests and how late each referral and each result was seen."""
    with run_outcomes(DATA, today=first.isoformat(), needed=needed) as site:
        nights = []
        for number in range(n_nights):
            day = first + timedelta(days=number)
            site.control("clock", today=day)
            nights.append(crawl_one(site, day, ground))
            print(f"<!-- {nights[-1]} -->", flush=True)
        report(nights, site, ground, day)


def crawl_one(site: StandIn, day: date, ground: Ground) -> Night:
    settings = Settings(requests_per_second=10_000, connections=2, site_urls={"assembly": site.url})
    return crawl_night(ASSEMBLY, day, site, settings, ground)


def report(nights: list[Night], site: OutcomeSite, ground: Ground, last: date) -> None:
    later = nights[1:]
    ratios = [night.ratio for night in later]
    requests, due = (sum(getattr(night, name) for night in later) for name in ("n_requests", "n_due"))
    print(f"\n**{len(nights)} nights from {nights[0].day}**; the first made {nights[0].n_requests} requests\n")
    values = [night.n_requests for night in later]
    print(f"- requests a night: {min(values)}, {np.mean(values):.1f}, {max(values)}")
    print(f"- for each new or open petition: {min(ratios):.2f}, {np.mean(ratios):.2f}, {max(ratios):.2f}")
    print(f"- over all nights {requests / due:.3f}; over {LIMIT}: {sum(ratio > LIMIT for ratio in ratios)} nights")
    with ground[0].connect() as conn:
        rows = conn.execute(text("SELECT * FROM petitions.petition_outcome WHERE n_agreements > 0")).mappings().all()
    lags: dict[str, list[int]] = {"referred": [], "decided": []}
    unseen = Counter[str]()
    for row in rows:
        course = site.course(row["petition_id"].partition(":")[2])
        for word, on, seen in _list_steps(row, course):
            if nights[0].day < on < last:  # what was so before the first night is seen in that one
                lags[word].append((seen - on).days) if seen else unseen.update([word])
    for word, days in lags.items():
        told = f"{min(days)}, {np.median(days):g}, {max(days)}" if days else "none"
        print(f"- {word}: {len(days)} seen, after {told} nights; {unseen[word]} not seen yet")
    print(f"- pending at the end: {sum(row['is_pending'] for row in rows)}")


def _list_steps(row: Any, course: Any) -> list[tuple[str, date, date | None]]:
    if course is None:
        return []
    return [("referred", course.referred_on, row["referred_on"]), ("decided", course.decided_on, row["result_on"])]


if __name__ == "__main__":
    main()
