"""Crawls of the stand-in for both sites over real petitions: every field, every fault, and how polite it was."""

import gzip
import math
import re
from dataclasses import replace
from datetime import date

import pytest
from memory_ledger import MemoryLedger, crawl_batches

from petitions.crawl.archive import Archive
from petitions.records import Petition, Status, Window
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.store.artifacts import ArtifactStore
from stand_in import ASSEMBLY_DATA, BLUEHOUSE_DATA, read_rows, run_stand_in

MONTH = BLUEHOUSE_DATA / "2019-08.jsonl"
ALL_FAULTS = "429,503,500,403,cut,slow,garbage,reset,interstitial"


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path)))


def crawl_site(site, archive, ledger=None, **options):
    """All petitions of a crawl, without their place in the archive; anything else that it gives is a failure."""
    options = {"connections": 8, **options}
    items = [item for batch in crawl_batches(site, archive, ledger, **options) for item in batch.items]
    assert all(isinstance(item, Petition) for item in items)
    return [replace(item, artifact="") for item in items]


def flatten(text):
    return " ".join(text.split())


def show(petition):
    """What the records of the stand-in tell too, white space aside: its pages render line ends as breaks."""
    texts = [flatten(text) for text in (petition.title, petition.body)]
    return (petition.source_id, *texts, petition.category, petition.status, petition.n_agreements,
            petition.begins_on.isoformat(), petition.ends_on.isoformat(), petition.url)  # fmt: skip


def expect(row, today, url, *, closed):
    """The same of a record: agreements grow evenly to the final count over 30 days."""
    is_open = row["end"] >= today.isoformat()
    share = min(1.0, ((today - date.fromisoformat(row["begin"])).days + 1) / 30)
    body = row["content"] or f"청원의 본문입니다. {row['title']}"
    return (row["id"], flatten(row["title"]), flatten(body), row["category"], Status.OPEN if is_open else closed,
            int(row["num_agree"] * share), row["begin"], row["end"], f"{url}{row['id']}")  # fmt: skip


@pytest.mark.slow
def test_a_month_of_the_blue_house_comes_as_its_records_say_and_then_only_what_is_open_again(archive):
    today, window = date(2019, 9, 15), Window(since=date(2019, 8, 1), until=date(2019, 9, 1))
    with run_stand_in("bluehouse", MONTH, today=today.isoformat()) as stand_in:
        site = BlueHouseSite(base_url=stand_in.url, window=window)
        petitions = crawl_site(site, archive)
        rows = read_rows(MONTH)
        n_first = stand_in.control("stats")["requests"]
        known = {petition.source_id: petition.status for petition in petitions}
        again = crawl_site(site, archive, MemoryLedger(dict(known), covered_until=today), connections=2)
        n_second = stand_in.control("stats")["requests"] - n_first
    closed = {row["id"]: Status.ANSWERED if row["status"] == "브리핑" else Status.ENDED for row in rows}
    expected = [expect(row, today, f"{site.base_url}/petitions/", closed=closed[row["id"]]) for row in rows]
    assert sorted(map(show, petitions)) == sorted(expected)
    assert set(known.values()) == {Status.OPEN, Status.ENDED, Status.ANSWERED}
    still_open = {key for key in known if known[key] is Status.OPEN}
    asked_again = {petition.source_id for petition in again}
    assert still_open <= asked_again
    assert len(asked_again - still_open) == math.ceil(0.05 * len(still_open))
    assert n_second <= len(asked_again) + 2 * 3 + 1  # three pages of each list, and robots.txt


@pytest.mark.slow
def test_the_assembly_comes_as_its_records_say_and_without_names(archive, tmp_path):
    today, window = date(2024, 7, 1), Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
    data = ASSEMBLY_DATA / "2020-01_2024-07.jsonl"
    with run_stand_in("assembly", data, today=today.isoformat()) as stand_in:
        site = AssemblySite(base_url=stand_in.url, window=window, today=today)
        petitions = crawl_site(site, archive)
    rows = [row for row in read_rows(data) if date.fromisoformat(row["begin"]) in window]
    url = f"{site.base_url}/proceed/onGoingAll/"
    assert sorted(map(show, petitions)) == sorted(expect(row, today, url, closed=Status.ENDED) for row in rows)
    assert {petition.status for petition in petitions} == {Status.OPEN, Status.ENDED}
    assert all(petition.purpose == "" for petition in petitions)
    assert not any("홍길동" in repr(petition) for petition in petitions)
    kept = b"".join(gzip.decompress(path.read_bytes()) for path in tmp_path.rglob("*.warc.gz"))
    assert kept.count(b'"petrNm": null') >= len(petitions)
    assert not re.search(rb'"petrNm"\s*:\s*"', kept)


@pytest.mark.slow
def test_with_three_answers_of_ten_failing_in_every_way_the_petitions_are_the_same(archive):
    window = Window(since=date(2019, 8, 1), until=date(2019, 8, 6))
    with run_stand_in("bluehouse", MONTH, today="2019-08-06") as stand_in:
        site = BlueHouseSite(base_url=stand_in.url, window=window)
        undisturbed = crawl_site(site, archive)
        stand_in.control("faults", rate=0.3, kinds=ALL_FAULTS)
        petitions = crawl_site(site, archive)
        statuses = stand_in.control("stats")["statuses"]
    assert {"429", "500", "503", "403"} <= set(statuses)
    assert petitions == undisturbed
    assert len(petitions) > 50


@pytest.mark.slow
def test_the_assembly_with_faults_gives_the_same_petitions(archive):
    today, window = date(2024, 7, 1), Window(since=date(2024, 6, 1), until=date(2024, 7, 1))
    with run_stand_in("assembly", ASSEMBLY_DATA / "2020-01_2024-07.jsonl", today=today.isoformat()) as stand_in:
        site = AssemblySite(base_url=stand_in.url, window=window, today=today)
        undisturbed = crawl_site(site, archive)
        stand_in.control("faults", rate=0.3, kinds=ALL_FAULTS)
        assert crawl_site(site, archive) == undisturbed
    assert undisturbed


@pytest.mark.slow
def test_a_block_is_waited_out_and_not_hammered(archive):
    window = Window(since=date(2019, 8, 1), until=date(2019, 8, 3))
    with run_stand_in("bluehouse", MONTH, today="2019-08-03") as stand_in:
        site = BlueHouseSite(base_url=stand_in.url, window=window)
        undisturbed = crawl_site(site, archive)
        stand_in.control("reset")
        stand_in.control("limit", requests=30, seconds=60, block=0.5)
        petitions = crawl_site(site, archive, connections=2, speed=100)  # the first pause is 0.6 s on the wall
        statuses = stand_in.control("stats")["statuses"]
    assert petitions == undisturbed
    assert 1 <= statuses["403"] <= 2 * (statuses["200"] // 30 + 1)
