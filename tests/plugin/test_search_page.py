"""The pages of the search over the real Postgres, and what is downloaded, signed in by a stand-in."""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, text

from invented import BERT, MONDAY, make_petitions, write_all, write_checks
from petitions.records import Source, Status
from petitions.store.database import open_engine
from petitions.store.publishing import publish
from rows import write_words

pytestmark = pytest.mark.postgres
HOSTILE = '=HYPERLINK("x") 신호등 <script>alert(1)</script>'


@pytest.fixture(scope="module")
def results(postgres_url: str, migrated: str) -> Iterator[str]:
    """160 petitions, all with 신호등; every tenth has 건널목 too, and another category, every second has ended."""
    name = f"search_page_{os.getpid()}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    petitions = [
        replace(
            petition,
            category="보건" if number % 10 == 5 else petition.category,
            status=Status.ENDED if number % 2 else Status.OPEN,
        )
        for number, petition in enumerate(make_petitions(160), start=1)
    ]
    petitions[0] = replace(
        petitions[0], title=HOSTILE, body=f"<b>{'긴 글 ' * 200}</b> 신호등 <script>alert(2)</script>"
    )
    engine = open_engine(url)
    with engine.begin() as conn:
        write_all(conn, petitions)
        write_words(conn, Source("sample"), [["신호등"]] * 4 + [["건널목", "신호등"]] + [["신호등"]] * 5)
        publish(conn, "fit-1", [BERT], at=MONDAY)
        write_checks(conn, "fit-1", [BERT], failed="tokens_missing")
        conn.execute(
            text(
                "INSERT INTO petitions.pipeline_step"
                " (run_id, step, part, n_parts, state, started_at, finished_at, rows_in, rows_out, seconds)"
                " SELECT run_id, 'encode bert', part, 2, 'done', now(), now(), 700, 600, 1.25"
                " FROM petitions.pipeline_run CROSS JOIN generate_series(1, 2) AS part"
            )
        )
    engine.dispose()
    yield url
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def ask(results: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """What asks the sub-app, as one who is signed in."""
    monkeypatch.setenv("PETITIONS_DATABASE_URL", results)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PETITIONS_SOURCE", "sample")
    from airflow.api_fastapi.core_api.security import get_user
    from topic_browser import queries
    from topic_browser.app import create_app

    queries._kept.clear()
    app = create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace()
    with TestClient(app) as client:
        yield client


def read(ask: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    answer = ask.get(path)
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def results_of(page: BeautifulSoup) -> list:
    return page.select("ol.results li")


def test_the_count_is_that_of_all_and_every_page_can_be_reached(ask):
    first = read(ask, "/search?q=신호등&lang=en")
    assert "160 petitions found" in first.find(role="status").get_text()
    assert "Page 1 of 8" in first.get_text()
    seen = [link["href"] for link in first.select("ol.results h3 a")]
    page = first
    while following := page.find("a", rel="next"):
        page = read(ask, following["href"])
        seen += [link["href"] for link in page.select("ol.results h3 a")]
    assert (len(seen), len(set(seen))) == (160, 160)
    assert page.select_one("ol.results")["start"] == "141"
    read(ask, "/search?q=신호등&page=9", status=404)


def test_more_than_are_counted_are_told_as_more(ask, monkeypatch):
    monkeypatch.setattr("topic_browser.searching.MOST", 50)
    page = read(ask, "/search?q=신호등&lang=en")
    assert "More than 50 petitions found; the best 50 are shown" in page.find(role="status").get_text()
    assert "Page 1 of 3" in page.get_text()


def test_found_words_are_marked_and_all_else_is_escaped(ask):
    page = read(ask, "/search?q=신호등&last_day=2024-04-02")
    one = next(item for item in results_of(page) if "HYPERLINK" in item.get_text())
    assert one.h3.get_text() == HOSTILE
    assert [found.get_text() for found in one.select(".snippet mark")] == ["신호등"]
    assert len(one.select_one(".snippet").get_text()) < 200
    assert not page.find_all("script") and not page.select(".snippet b")
    assert one.select_one(".snippet")["lang"] == "ko"


@pytest.mark.parametrize(
    ("filters", "n"),
    [
        ("category=보건", 16),
        ("status=open", 80),
        ("status=ended&category=보건", 16),
        ("status=open&category=보건", 0),
        ("first_day=2024-04-02&last_day=2024-04-02", 2),  # both days are within
        ("category=&status=&first_day=&last_day=", 160),  # a form sends its empty fields
        ("category=' OR true --", 0),
    ],
)
def test_filters_narrow_the_count_and_stay_in_the_form_and_the_address(ask, filters, n):
    page = read(ask, f"/search?q=신호등&lang=en&{filters}")
    told = page.find(role="status").get_text()
    assert f"{n} petitions found" in told if n else "No petition answers" in told
    for name, value in (pair.split("=", 1) for pair in filters.split("&") if n):
        field = page.find(id=name)
        chosen = field.find("option", selected=True) if field.name == "select" else field
        assert (chosen["value"] if chosen else "") == value


def test_filters_outlive_a_page_a_language_and_another_source(ask):
    page = read(ask, "/search?q=신호등&status=open&first_day=2024-04-03&category=교통/건축/국토&lang=en")
    for link in (page.find("a", rel="next"), page.find(class_="language"), page.select_one(".tools a")):
        for part in ("status=open", "first_day=2024-04-03", "category=%EA%B5%90", "source=sample"):
            assert part in link["href"], link
    form = page.select_one("form.source")
    kept = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    assert form["action"] == "/search"
    assert kept == {"lang": "en", "q": "신호등", "status": "open", "first_day": "2024-04-03"}


def test_all_sources_are_searched_where_that_is_asked(ask):
    assert not results_of(read(ask, "/search?q=신호등&source=bluehouse"))
    page = read(ask, "/search?q=신호등&source=bluehouse&everywhere=1")
    assert len(results_of(page)) == 20
    assert page.find(id="everywhere").has_attr("checked")
    assert "source=sample" in page.select_one("ol.results h3 a")["href"]


@pytest.mark.parametrize(
    "asked",
    [
        "status=hidden",
        "status=nobody",
        "first_day=2024-02-30",
        "first_day=yesterday",
        "last_day=9999-12-31",
        f"category={'긴' * 101}",
        "category=%00",
        "page=0",
    ],
)
def test_a_filter_that_cannot_be_is_refused(ask, asked):
    read(ask, f"/search?q=신호등&{asked}", status=400)


def test_letters_are_marked_where_no_word_is_known(ask):
    page = read(ask, "/search?q=번째 건널목에 신&lang=en&status=open")
    assert results_of(page) and page.select("mark")


@pytest.mark.parametrize(
    ("language", "step", "check"),
    [
        ("ko", "벡터 만들기 · bert", ["주제 낱말이 없는 청원tokens_missing", "1", "0 이하", "실패"]),
        ("en", "Encode · bert", ["Petitions without words for topicstokens_missing", "1", "at most 0", "Failed"]),
    ],
)
def test_runs_have_steps_and_checks_in_the_language_of_the_reader(ask, language, step, check):
    page = read(ask, f"/runs?lang={language}")
    (row,) = [row for row in page.select("details tbody tr") if row.th.get_text() == step]
    assert [cell.get_text() for cell in row.find_all("td")] == ["1,400", "1,200", "2.5"]
    first = page.select_one("#checks ~ .wide tbody tr")
    assert [cell.get_text() for cell in first.find_all(["th", "td"])] == check


def download(ask: TestClient, path: str) -> list[dict[str, str]]:
    answer = ask.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.content.startswith(b"\xef\xbb\xbf"), "Excel takes it for another encoding"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_what_was_found_is_downloaded_whole_with_its_filters(ask):
    page = read(ask, "/search?q=신호등&status=ended&lang=en&page=2")
    rows = download(ask, page.find("a", download=True)["href"])
    assert len(rows) == 80 and {row["Status"] for row in rows} == {"Ended"}
    assert list(rows[0])[:3] == ["Id", "Source", "Title"]
    read(ask, "/search.csv?q=신호등&status=hidden", status=400)
    assert download(ask, "/search.csv") == []


def test_no_cell_is_a_formula(ask):
    titles = [row["제목"] for row in download(ask, "/search.csv?q=신호등&lang=ko")]
    assert f"'{HOSTILE}" in titles
    assert not [title for title in titles if title[0] in "=+-@"]


def test_topics_their_weeks_and_their_petitions_are_downloaded(ask):
    topics = download(ask, read(ask, "/?lang=en").find("a", download=True)["href"])
    assert sorted(row["Topic"] for row in topics) == ["건널목", "급식", "주택"]
    assert sum(float(row["Share"]) for row in topics) == pytest.approx(1)
    weeks, petitions = (
        download(ask, link["href"]) for link in read(ask, "/topic/1?lang=en").find_all("a", download=True)
    )
    assert sum(int(row["Petitions"]) for row in weeks) == len(petitions) == 54
    assert petitions[0]["Topic"] == "건널목"
    for path in ("/topic/99/petitions.csv", "/topics.csv?source=bluehouse"):
        read(ask, path, status=404)


def test_a_file_of_more_rows_than_are_given_says_so(ask, monkeypatch):
    monkeypatch.setattr("topic_browser.pages.MOST_ROWS", 20)
    monkeypatch.setattr("topic_browser.downloads.MOST_ROWS", 20)
    link = read(ask, "/topic/1?lang=en").select_one("#petitions ~ .tools a")
    assert link.get_text() == "Download as CSV, the 20 with most agreements"
    assert len(download(ask, link["href"])) == 20


def test_the_link_to_a_page_names_source_and_language_and_leads_to_it(ask):
    page = read(ask, "/topic/1?page=2&lang=en")
    link = page.find("a", string="Link to this page")["href"]
    for part in ("source=sample", "lang=en", "page=2"):
        assert part in link
    assert read(ask, link).h1.get_text() == page.h1.get_text()
