import json
import re
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from bs4 import BeautifulSoup

from petitions.topics.visualization import draw_topics, draw_trends, hash_scripts, place_topics

TERMS = ["급식", "버스", "</script><script>alert(1)</script>", "아파트", "하천", "소음", "요금", "교실"]
LABELS = ["학교 급식", "<img src=x onerror=alert(2)>", "하천 소음"]
TOPIC_IDS = [12, 4, 31]


def make_fit(n_topics=3, n_documents=40):
    random = np.random.default_rng(5)
    return {
        "topic_word": random.dirichlet(np.full(len(TERMS), 0.5), n_topics).astype(np.float32),
        "document_topic": random.dirichlet(np.full(n_topics, 0.5), n_documents).astype(np.float32),
        "document_lengths": random.integers(0, 30, n_documents),
        "terms": TERMS,
        "topic_ids": TOPIC_IDS[:n_topics],
        "labels": LABELS[:n_topics],
    }


def read_data(page):
    """What LDAvis is started with."""
    start = BeautifulSoup(page, "html.parser").find_all("script")[-1].get_text()
    return json.loads(re.search(r'new LDAvis\("#topics", (.*)\);', start)[1])


@pytest.fixture(scope="module")
def page():
    """Slow: pyLDAvis brings pandas and scikit-learn."""
    return draw_topics(**make_fit())


@pytest.mark.slow
def test_circles_are_numbered_as_in_the_fit_and_sized_by_tokens(page):
    fit = make_fit()
    circles = read_data(page)["mdsDat"]
    tokens = fit["document_lengths"] @ fit["document_topic"]
    assert circles["topics"] == [1, 2, 3]
    assert circles["Freq"] == pytest.approx(100 * tokens / tokens.sum())


@pytest.mark.slow
def test_a_legend_tells_the_lasting_id_and_label_of_each_circle(page):
    rows = BeautifulSoup(page, "html.parser").select("tbody tr")
    cells = [[cell.get_text() for cell in row.find_all(["td", "th"])][:3] for row in rows]
    expected = [("1", "12", LABELS[0]), ("2", "4", LABELS[1]), ("3", "31", LABELS[2])]
    assert [tuple(row) for row in cells] == expected


@pytest.mark.slow
def test_the_bars_of_a_topic_are_its_terms_as_they_were_written(page):
    fit = make_fit()
    info = read_data(page)["tinfo"]
    of_second = {
        term: logarithm
        for term, logarithm, category in zip(info["Term"], info["logprob"], info["Category"], strict=True)
        if category == "Topic2"
    }
    assert set(of_second) == set(TERMS)
    np.testing.assert_allclose([of_second[term] for term in TERMS], np.log(fit["topic_word"][1]), atol=1e-3)


@pytest.mark.slow
def test_no_term_or_label_breaks_out_of_its_place(page):
    parsed = BeautifulSoup(page, "html.parser")
    assert len(parsed.find_all("script")) == 3
    assert not parsed.find_all("img")
    assert "alert(1)</script>" not in page


@pytest.mark.slow
def test_the_page_loads_nothing_and_its_policy_lets_its_own_scripts_run_alone(page):
    parsed = BeautifulSoup(page, "html.parser")
    assert not parsed.find_all(src=True)
    assert not parsed.find_all("link")
    policy = parsed.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    allowed = re.search("script-src ([^;]*)", policy)[1].split()
    assert allowed == hash_scripts(page)
    assert len(set(allowed)) == 3
    assert "default-src 'none'" in policy


@pytest.mark.slow
def test_the_page_has_a_heading_and_a_landmark_both_languages_and_the_dark(page):
    parsed = BeautifulSoup(page, "html.parser")
    assert parsed.main.h1.get_text() == "주제 지도 Map of topics" and parsed.main.find(id="topics")
    assert [part.get_text() for part in parsed.select("thead [lang=en]")] == ["Circle", "Topic", "Name", "Share"]
    assert "@media (prefers-color-scheme: dark) { :root { filter: invert" in page


@pytest.mark.slow
def test_the_same_fit_gives_the_same_page(page):
    assert draw_topics(**make_fit()) == page


@pytest.mark.slow
@pytest.mark.parametrize("n_topics", [1, 2])
def test_fewer_topics_than_an_area_has_corners_are_drawn_too(n_topics):
    circles = read_data(draw_topics(**make_fit(n_topics)))["mdsDat"]
    assert len(circles["x"]) == n_topics
    assert np.isfinite([circles["x"], circles["y"]]).all()


def test_topics_lie_as_far_apart_as_they_differ():
    topic_word = np.array([[0.5, 0.5, 0, 0], [0.45, 0.55, 0, 0], [0, 0, 0.5, 0.5]])
    places = place_topics(topic_word)
    near, far = np.linalg.norm(places[0] - places[1]), np.linalg.norm(places[0] - places[2])
    assert far == pytest.approx(np.log(2), rel=1e-3)  # the divergence of two topics without a common term
    assert near < far / 50


def make_trend(n_topics=3, n_weeks=4, label="주제"):
    monday = date(2024, 4, 1)
    return [
        {
            "week": monday + timedelta(weeks=week),
            "n_days": 1 if week == 0 else 7,
            "topic_id": 10 + topic,
            "label": f"{label} {topic}",
            "n_petitions": 0 if week == 2 else topic + 1,
            "share": 0 if week == 2 else (topic + 1) / sum(range(1, n_topics + 1)),
        }
        for week in range(n_weeks)
        for topic in range(n_topics)
    ]


def read_texts(svg):
    return [item.get_text() for item in BeautifulSoup(svg, "html.parser").find_all("text")]


def test_the_trend_has_a_panel_a_topic_named_by_id_and_label():
    titles = Counter(read_texts(draw_trends(make_trend())))
    assert all(titles[f"{10 + topic}. 주제 {topic}"] == 1 for topic in range(3))
    assert titles["2024.04.01 (1 d)"] == titles["2024.04.22"] == 3, "the first week is one of a day"


def test_a_week_without_petitions_is_a_gap_and_no_zero():
    def count_lines(rows):
        lines = BeautifulSoup(draw_trends(rows), "html.parser").find_all(
            "path", style=re.compile("fill: none; stroke: #0072b2")
        )
        return sum(line["d"].count("M") for line in lines)

    whole = [row for row in make_trend() if row["n_petitions"]]
    assert count_lines(whole) == 3
    assert count_lines(make_trend(n_weeks=5)) == 6


def test_a_week_of_one_day_does_not_set_the_scale():
    rows = [row | {"share": 1.0 if row["n_days"] == 1 else 0.2} for row in make_trend(n_topics=1)]
    percents = [text for text in read_texts(draw_trends(rows)) if text.endswith("%")]
    assert "20%" in percents and "50%" not in percents and "100%" not in percents


def test_a_label_is_text_however_it_is_written():
    svg = draw_trends(make_trend(label="$x^{ </svg><script>"))
    assert "10. $x^{ </svg><script…" in read_texts(svg)
    assert "<script" not in svg


def test_the_same_trend_gives_the_same_picture_with_korean_fonts_and_no_date():
    svg = draw_trends(make_trend())
    assert svg == draw_trends(make_trend())
    assert svg.startswith("<svg")
    assert "'Noto Sans KR'" in svg
    assert "<metadata" not in svg


def test_no_topic_at_all_gives_an_empty_picture():
    assert read_texts(draw_trends([])) == []
