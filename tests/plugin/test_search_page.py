"""The page of the search, and what is downloaded of it."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import create_engine, text

from browsed import HOSTILE, download, read
from invented import BERT

pytestmark = pytest.mark.postgres


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


def test_the_page_says_so_where_the_command_would_count_meaning_too(ask, browsed_database, monkeypatch):
    monkeypatch.setenv("PETITIONS_PAGE_MEANING", "off")
    told = "The command petitions search counts meaning (vectors) too."
    assert told not in read(ask, "/search?q=신호등&lang=en").get_text()
    engine = create_engine(browsed_database)
    try:
        with engine.begin() as conn:
            conn.execute(text("INSERT INTO petitions.encoder_weight VALUES (:name, 0.2, 0)"), {"name": BERT})
        assert told in read(ask, "/search?q=신호등&lang=en").get_text()
        assert told not in read(ask, "/search?q=신호등&lang=en&source=bluehouse").get_text()
        assert told in read(ask, "/search?q=신호등&lang=en&source=bluehouse&everywhere=1").get_text()
    finally:
        with engine.begin() as conn:
            conn.execute(text("DELETE FROM petitions.encoder_weight"))
        engine.dispose()


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
