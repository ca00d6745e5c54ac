"""Night after night over one database: what is asked for, and what becomes of petitions that are hidden or edited."""

import json
from datetime import date, timedelta
from urllib.parse import parse_qs

import pytest
from sqlalchemy import select, text

from crawl.site_server import Page, serve
from crawl_runs import COMPARED_WITH_RECORDS, begin_night, crawl, expect_row, flatten, read_petitions
from invented_pages import bluehouse_list, bluehouse_page
from petitions.crawl.archive import Archive
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import shown_in_window
from petitions.store.tables import petition
from stand_in import run_stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

FIRST, N_NIGHTS, LIMIT = date(2019, 7, 10), 12, 1.2
N_A_DAY, OPEN_FOR = 3, timedelta(days=30)


@pytest.fixture
def crawl_night(engine, tmp_path):
    """Crawls the three months before a day at 03:00; gives the rows that are stored then."""
    archive = Archive(ArtifactStore(str(tmp_path / "artifacts")))

    def run(url: str, day: date) -> dict[str, dict]:
        settings = Settings(site_urls={"bluehouse": url}, requests_per_second=10_000, connections=8)
        crawl(engine, archive, Source("bluehouse"), Window.ending(day), settings, now=begin_night(day))
        return read_petitions(engine)

    return run


def invent_records() -> list[dict]:
    """Petitions of each day from 45 days before the first night to the last night."""
    days = [FIRST + timedelta(days=number) for number in range(-45, N_NIGHTS)]
    return [
        {
            "id": str(500_000 + N_A_DAY * number + nth),
            "category": "안전/환경",
            "begin": day.isoformat(),
            "end": (day + OPEN_FOR).isoformat(),
            "title": f"{number}번지 {nth}호 앞 가로등을 늘려 주세요",
            "content": f"밤길이 어둡습니다.\n가로등이 {nth}개 있습니다.",
            "num_agree": 100 + 37 * number,
            "status": "브리핑" if number % 10 == 0 else "청원종료",
        }
        for number, day in enumerate(days)
        for nth in range(N_A_DAY)
    ]


def test_a_night_asks_for_what_is_new_or_open_and_little_else(crawl_night, tmp_path):
    records = invent_records()
    data = tmp_path / "invented.jsonl"
    data.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    ratios, rows = [], {}
    with run_stand_in("bluehouse", data, today=FIRST.isoformat()) as site:
        for number in range(N_NIGHTS):
            day = FIRST + timedelta(days=number)
            site.control("clock", today=day)
            n_requests, before = site.control("stats")["requests"], rows
            rows = crawl_night(site.url, day)
            n_open = sum(row["status"] == "open" for row in before.values())
            n_asked = site.control("stats")["requests"] - n_requests
            ratios.append(n_asked / (n_open + len(rows) - len(before)))
    assert max(ratios[1:]) <= LIMIT
    told = {row["id"]: expect_row(Source("bluehouse"), row, day) for row in records if row["begin"] < day.isoformat()}
    assert {key: {name: flatten(row[name]) for name in COMPARED_WITH_RECORDS} for key, row in rows.items()} == told
    assert {row["status"] for row in rows.values()} == {"open", "ended", "answered"}


def test_a_hidden_petition_keeps_its_row_and_leaves_what_readers_see(crawl_night, engine, tmp_path):
    data = tmp_path / "invented.jsonl"
    data.write_text("".join(json.dumps(record) + "\n" for record in invent_records()), encoding="utf-8")
    day = FIRST + timedelta(days=1)
    with run_stand_in("bluehouse", data, today=FIRST.isoformat()) as site:
        before = crawl_night(site.url, FIRST)
        chosen = max(before)
        site.control("clock", today=day)
        site.control("hide", id=chosen)
        after = crawl_night(site.url, day)
    assert after[chosen] == before[chosen] | {"status": "hidden"}
    assert not after[chosen]["is_vanished"]
    with engine.connect() as conn:
        shown = set(
            conn.scalars(select(petition.c.source_id).where(shown_in_window(Source("bluehouse"), Window.ending(day))))
        )
    assert shown == after.keys() - {chosen}


def test_edits_and_vanishing_are_noticed_and_nothing_else_moves_changed_at(crawl_night, engine):
    """The site changes overnight: first a text and a count, then a petition is gone, then it is back."""
    pages = {
        number: {"title": f"{number}번 가로등", "begin": "2019-07-01", "end": "2019-07-31"} for number in range(1, 21)
    }

    def answer(path: str, nth: int) -> Page:
        where, _, form = path.partition("?")
        if where == "/api/petitions/list":
            asked = parse_qs(form)
            is_shown = asked["only"] == ["1"] and asked["page"] == ["1"]
            return Page(bluehouse_list(*(str(number) for number in pages if is_shown), created="2019-07-01"))
        number = int(where.rpartition("/")[2])
        return Page(bluehouse_page(**pages[number])) if number in pages else Page(status=404)

    def read_marks() -> dict[str, tuple]:
        query = text("SELECT source_id, changed_at, content_hash, status, is_vanished FROM petitions.petition")
        with engine.connect() as conn:
            return {row.source_id: tuple(row)[1:] for row in conn.execute(query)}

    nights = []
    with serve(answer) as site:
        crawl_night(site.url, FIRST)
        nights.append(read_marks())
        pages[1]["body"], pages[2]["count"] = "낮에도 어둡습니다.", "4,321"
        rows = crawl_night(site.url, FIRST + timedelta(days=1))
        nights.append(read_marks())
        gone = pages.pop(3)
        crawl_night(site.url, FIRST + timedelta(days=2))
        nights.append(read_marks())
        pages[3] = gone
        crawl_night(site.url, FIRST + timedelta(days=3))
        nights.append(read_marks())
    moved = [
        {key for key in late if late[key][0] != early[key][0]} for early, late in zip(nights, nights[1:], strict=False)
    ]
    assert moved == [{"1"}, {"3"}, {"3"}]
    assert nights[1]["1"][1] != nights[0]["1"][1]
    assert (rows["1"]["body"], rows["2"]["n_agreements"]) == ("낮에도 어둡습니다.", 4321)
    assert nights[2]["3"][1:] == (nights[1]["3"][1], "hidden", True)
    assert nights[3]["3"][1:] == (nights[1]["3"][1], "open", False)
