"""A site with odd petitions, and one whose petitions are referred and decided night after night, into the tables."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from crawl_runs import begin_night, crawl, read_petitions
from outcome_stand_in import run_outcomes
from petitions.cli import main
from petitions.crawl.archive import Archive
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore
from petitions.store.handling import read_unknown_codes
from stand_in import ASSEMBLY_DATA, read_rows, run_stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

ASSEMBLY, DATA = Source("assembly"), ASSEMBLY_DATA / "2020-01_2024-07.jsonl"
QUIRKS = [
    "detail_400", "detail_500", "detail_null", "detail_empty", "new_realm", "no_realm", "blank_purpose", "no_count",
    "new_state",
]  # fmt: skip
RATE, TODAY = 0.3, date(2024, 7, 1)


@pytest.fixture
def crawl_night(engine, tmp_path):
    """Crawls the three months before a day at 03:00."""
    archive = Archive(ArtifactStore(str(tmp_path / "artifacts")))

    def run(url: str, day: date) -> None:
        settings = Settings(site_urls={"assembly": url}, requests_per_second=10_000, connections=2)
        crawl(engine, archive, ASSEMBLY, Window.ending(day), settings, now=begin_night(day))

    return run


def list_quirks():
    """The oddity of each petition of the window, as the stand-in throws its die."""
    kinds = {}
    for row in read_rows(DATA):
        if date.fromisoformat(row["begin"]) in Window.ending(TODAY):
            die = random.Random(f"quirk|0|{row['id']}")
            kinds[row["id"]] = die.choice(QUIRKS) if die.random() < RATE else ""
    return kinds


def test_three_months_with_odd_petitions_of_all_kinds_lose_those_alone_that_have_no_answer(crawl_night, engine):
    with run_stand_in("assembly", DATA, today=TODAY.isoformat()) as site:
        site.control("quirks", rate=RATE, kinds=",".join(QUIRKS))
        for number in range(2):
            crawl_night(site.url, TODAY + timedelta(days=number))
        site.control("quirks", rate=0, kinds=QUIRKS[0])
        before = read_petitions(engine)
        last = TODAY + timedelta(days=3)  # on which the list of ended ones is read too
        crawl_night(site.url, last)
    kinds, after = list_quirks(), read_petitions(engine)
    lost = {key for key, kind in kinds.items() if kind.startswith("detail_")}
    assert set(Counter(kinds.values())) == {"", *QUIRKS}
    assert before.keys() == kinds.keys() - lost
    begun = {row["id"]: date.fromisoformat(row["begin"]) for row in read_rows(DATA)}
    comes = {key for key in kinds if begun[key] in Window.ending(last)}
    assert comes <= after.keys(), "what was set aside or had vanished comes when it is there"
    assert comes & lost
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT url, is_aside FROM petitions.crawl_reject")).all()
    for key in lost:
        (is_aside,) = {row.is_aside for row in rows if f"/{key}?" in row.url}
        assert is_aside == (kinds[key] in ("detail_400", "detail_500"))
    by_kind = {kind: [before[key] for key in kinds.keys() - lost if kinds[key] == kind] for kind in QUIRKS}
    assert {row["category"] for row in by_kind["new_realm"]} == {"인공지능/데이터"}
    assert {row["category"] for row in by_kind["no_realm"]} == {"분류 없음"}
    assert all(row["n_agreements"] > 0 for row in by_kind["no_count"])
    assert {row["purpose"] for row in by_kind["blank_purpose"]} == {""}
    assert {row["state_code"] for row in by_kind["new_state"] if row["status"] != "open"} <= {"PROCESS_END"}


def test_codes_that_are_new_are_told_after_a_crawl(crawl_night, engine, caplog):
    with run_stand_in("assembly", DATA, today=TODAY.isoformat()) as site:
        site.control("quirks", rate=0.2, kinds="new_realm,no_realm")
        crawl_night(site.url, TODAY)
    with engine.connect() as conn:
        told = [code.tell() for code in read_unknown_codes(conn)]
    assert [line.rpartition(",")[0] for line in told] == [
        "assembly: category without a code",
        "assembly: category AIDATA (인공지능/데이터)",
    ]
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert all(line in logged for line in told)


def test_referrals_and_decisions_are_met_within_a_week_and_the_budget(crawl_night, engine):
    first, n_nights, n_due, n_asked = date(2024, 6, 1), 16, 0, 0
    with run_outcomes(DATA, today=first.isoformat(), needed=5_000) as site:
        for number in range(n_nights):
            day = first + timedelta(days=number)
            site.control("clock", today=day)
            before, n_before = read_petitions(engine), site.control("stats")["requests"]
            crawl_night(site.url, day)
            if number:
                after = read_petitions(engine)
                n_due += sum(row["status"] == "open" for row in before.values()) + len(after) - len(before)
                n_asked += site.control("stats")["requests"] - n_before
        with engine.connect() as conn:
            rows = conn.execute(text("SELECT * FROM petitions.petition_outcome")).mappings().all()
        late = []
        for row in rows:
            course = site.course(row["petition_id"].removeprefix("assembly:"))
            for on, seen in (
                ((course.referred_on, row["referred_on"]), (course.decided_on, row["result_on"])) if course else ()
            ):
                if first < on <= day - timedelta(days=8):
                    late.append((seen - on).days)
    assert n_asked / n_due <= 1.2
    assert late
    assert max(late) <= 8


def test_a_night_that_was_recorded_elsewhere_is_read_by_the_command(engine, database_url, tmp_path, monkeypatch):
    window = Window.ending(TODAY, 1)
    recorded = Archive(ArtifactStore(str(tmp_path / "elsewhere")))
    with run_stand_in("assembly", DATA, today=TODAY.isoformat()) as site:
        settings = Settings(site_urls={"assembly": site.url}, requests_per_second=10_000)
        crawl(engine, recorded, ASSEMBLY, window, settings, now=begin_night(TODAY))
    before = read_petitions(engine)
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE petitions.petition CASCADE"))
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path / "artifacts"))
    files = [str(path) for path in (tmp_path / "elsewhere").rglob("*.warc.gz")]
    options = ["--source", "assembly", "--until", TODAY.isoformat(), "--months", "1"]
    done = CliRunner().invoke(main, ["crawl", "--replay", *options, *files])
    assert done.exit_code == 0, done.output
    assert read_petitions(engine) == before
    refused = CliRunner().invoke(main, ["crawl", *options, *files])
    assert (refused.exit_code, "FILES are read by --replay alone" in refused.output) == (2, True)
