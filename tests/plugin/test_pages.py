"""Topics, comparisons and runs, and what is downloaded of them."""

import pytest
from sqlalchemy import create_engine, text

from browsed import download, read

pytestmark = pytest.mark.postgres


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


@pytest.mark.parametrize("path", ["/topic/1", "/compare?topic=1&topic=3"])
def test_only_pages_with_a_chart_have_a_script_and_it_is_ours(ask, path):
    policy = ask.get(path).headers["content-security-policy"]
    assert policy.endswith("; script-src 'self'; img-src blob:") and "unsafe" not in policy
    page = read(ask, path)
    assert [script["src"] for script in page.find_all("script")] == ["/static/charts.js"]
    assert page.find("figure", attrs={"data-png": True})["data-told"].count("\n") == (2 if "compare" in path else 0)
    for other in ("/", "/search?q=신호등", "/runs", "/map"):
        assert "script-src" not in ask.get(other).headers["content-security-policy"]


def test_topics_are_compared_in_one_chart_and_one_table_by_share_or_count(ask):
    page = read(ask, "/compare?topic=1&topic=3&lang=en")
    assert [item.get_text() for item in page.select("svg .letter")] == ["A", "B"]
    assert len(page.select("svg polyline")) == 2
    assert [box["value"] for box in page.select("input[checked]")] == ["1", "3"]
    assert page.select("tbody tr td")[0].get_text().endswith("%")
    counts = read(ask, "/compare?topic=1&topic=3&by=count&lang=en")
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in counts.select("tbody tr")]
    assert sum(int(first) for first, _ in rows) == 54
    file = download(ask, counts.find("a", download=True)["href"])
    assert [[row["건널목"], row["주택"]] for row in file] == rows


def test_a_comparison_outlives_a_language_and_keeps_its_measure_with_another_source(ask):
    page = read(ask, "/compare?topic=1&topic=3&by=count&lang=en")
    for link in (page.find(class_="language"), page.find("a", string="Link to this page")):
        assert "topic=1&topic=3&by=count" in link["href"]
    kept = {field["name"]: field["value"] for field in page.select("form.source input[type=hidden]")}
    assert kept == {"lang": "en", "by": "count"}


def test_what_cannot_be_compared_is_told(ask):
    assert "Choose the topics" in read(ask, "/compare?lang=en").get_text()
    gone = read(ask, "/compare?topic=99&topic=1&lang=en")
    assert "Not among the topics of this fit: 99" in gone.find(role="status").get_text()
    assert len(gone.select("svg polyline")) == 1
    assert "No topics are published" in read(ask, "/compare?source=bluehouse&lang=en").get_text()
    for asked in ("topic=0", "topic=x", "by=weight", "topic=99999999999", "&".join(["topic=1"] * 101)):
        read(ask, f"/compare?{asked}", status=400)


def test_no_more_topics_are_drawn_than_there_are_letters(ask, monkeypatch):
    monkeypatch.setattr("topic_browser.compare.MOST_TOPICS", 2)
    page = read(ask, "/compare?topic=1&topic=2&topic=3&lang=en")
    assert "Only the first 2 are drawn." in page.get_text()
    assert len(page.select("svg polyline")) == 2


def test_a_topic_leads_to_its_counts_by_week(ask):
    link = read(ask, "/topic/1?lang=en").find("a", string="Petitions by week")["href"]
    page = read(ask, link)
    assert len(page.select("svg polyline")) == 1 and page.select_one("option[value=count]").has_attr("selected")


def test_a_topic_tells_its_categories(ask):
    rows = read(ask, "/topic/1?lang=en").select("#categories ~ .wide tbody tr")
    counts = [int(row.find_all("td")[0].get_text()) for row in rows]
    assert [row.th.get_text() for row in rows] == ["교통/건축/국토", "보건"]
    assert sum(counts) == 54 and counts == sorted(counts, reverse=True)


def test_what_is_new_since_we_looked_before_stands_on_the_first_page(ask):
    news = read(ask, "/?lang=en").select_one("section.news")
    assert "New petitions: 1" in news.get_text() and "2024-07-01" in news.get_text()
    links = [link["href"].split("?")[0] for link in news.select("a[href*=petition]")]
    assert links == ["/petition/sample%3Aa-002", "/petition/sample%3Aa-004"]
    assert "+10 (2 d)" in news.get_text()


def test_a_petition_that_was_hidden_is_not_news(ask, browsed_database):
    read(ask, "/?lang=en")  # the ids are kept
    engine = create_engine(browsed_database)
    hide = text("UPDATE petitions.petition SET status = :status WHERE petition_id = 'sample:a-002'")
    try:
        with engine.begin() as conn:
            conn.execute(hide, {"status": "hidden"})
        links = read(ask, "/?lang=en").select("section.news a")
        assert [link["href"].split("?")[0] for link in links] == ["/petition/sample%3Aa-004"]
    finally:
        with engine.begin() as conn:
            conn.execute(hide, {"status": "open"})
        engine.dispose()


def test_a_source_whose_first_run_failed_says_so_on_every_page(ask, browsed_database):
    begun = (
        "INSERT INTO petitions.pipeline_run (run_id, source, since, until) VALUES"
        " ('bluehouse_1', 'bluehouse', DATE '2019-04-01', DATE '2019-07-01')"
    )
    failed = (
        "INSERT INTO petitions.pipeline_step (run_id, step, part, n_parts, state, started_at, finished_at, error_kind,"
        " error_message) VALUES ('bluehouse_1', 'crawl', 1, 1, 'failed', now(), now(), 'FetchError', '')"
    )
    engine = create_engine(browsed_database)
    try:
        with engine.begin() as conn:
            conn.execute(text(begun))
            conn.execute(text(failed))
        for path in ("/", "/compare", "/map", "/search", "/runs"):
            status = read(ask, f"{path}?source=bluehouse&lang=en").find(role="status").get_text()
            assert "The last run failed. It ended at" in status
        assert read(ask, "/?lang=en").find(role="status") is None, "that of another source"
    finally:
        with engine.begin() as conn:
            conn.execute(text("DELETE FROM petitions.pipeline_step WHERE run_id = 'bluehouse_1'"))
            conn.execute(text("DELETE FROM petitions.pipeline_run WHERE run_id = 'bluehouse_1'"))
        engine.dispose()
