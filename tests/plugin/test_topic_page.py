"""The template of a topic over rows of the views, without a server."""

import re
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import topic_browser
from bs4 import BeautifulSoup
from topic_browser.asking import Ask, Language
from topic_browser.axes import draw_chart, find_scale
from topic_browser.charts import draw_line, find_highest
from topic_browser.rendering import TEMPLATES, render_page
from topic_browser.words import choose_words

from petitions.records import Source

TOPIC = {"topic_id": 1, "label": "건널목", "share": 0.5, "n_petitions": 4, "n_agreements": 70, "top_terms": ["건널목"]}
PETITION = {"petition_id": "sample:a", "title": "제목", "status": "open", "n_agreements": 7, "begins_on": "2024-04-07"}
AT = datetime(2024, 7, 1, 18, tzinfo=UTC)
DAYS = ((date(2024, 4, 1), 1, 0), (date(2024, 4, 8), 7, 0), (date(2024, 4, 15), 3, 2))


def draw(language: Language, n_open: int, *, has_failed: bool = False) -> BeautifulSoup:
    weeks = [
        {"week": week, "n_days": n_days, "share": 0.5, "n_petitions": 2, "n_agreements": 35, "n_open": open_ * n_open}
        for week, n_days, open_ in DAYS
    ]
    page = TEMPLATES.get_template("topic.html.j2").render(
        ask=Ask(source=Source("sample"), language=language, base="", is_framed=True, path="topic/1", params={}),
        word=choose_words(language),
        here="topic.html.j2",
        topic=TOPIC | {"n_open": n_open},
        overview=SimpleNamespace(trends={1: weeks}, lineage={}, emerging={}, by_category={}),
        petitions=[PETITION | {"topic_share": 0.4, "is_mixed": True}],
        page=1,
        n_pages=1,
        n_rows=1,
        most_rows=1000,
        model={"published_at": AT},
        failure={"source": "sample", "finished_at": AT} if has_failed else None,
    )
    return BeautifulSoup(page, "html.parser")


@pytest.mark.parametrize(("language", "first"), [("ko", "2024-04-01 (1일)"), ("en", "2024-04-01 (1 d)")])
def test_a_week_that_the_window_cuts_short_is_named_and_drawn_as_what_it_is(language, first):
    page = draw(language, 1)
    assert len(page.select("circle.cut")) == 2
    assert [cell.get_text() for cell in page.select("th.day")][:2] == [first, "2024-04-08"]
    assert first in page.figcaption.get_text()


def test_a_week_of_two_days_neither_sets_the_scale_nor_belongs_to_the_line():
    line = draw_line([0.8, 0.1, 0.2, 0.1], 100, 46, n_days=[2, 7, 7, 7])
    assert line.highest == 0.2
    assert line.places == [(3.0, 3.0), (34.3, 23.0), (65.7, 3.0), (97.0, 23.0)]  # the first one at the top, no higher
    assert line.points == "34.3,23.0 65.7,3.0 97.0,23.0"


def test_nothing_of_a_line_lies_above_its_scale_where_too_few_weeks_are_whole():
    """Then cut weeks belong to the line, as the first one here does, which is higher than the scale of whole ones."""
    weeks = [{"share": share, "n_days": n} for share, n in ((0.9, 2), (0.4, 7))]
    scale = find_highest([weeks])
    line = draw_line([0.9, 0.4], 100, 46, n_days=[2, 7], scale=scale)
    assert line.highest <= scale


@pytest.mark.parametrize(
    ("first", "other", "told"),
    [
        (0.9, 0.0, ["04-01* 90.0%↑", "Highest whole week 40.0%", "04-15 30.0%"]),
        (0.5, 0.8, ["04-01* 50.0%", "Highest whole week 40.0%", "04-15 30.0%"]),
        (0.2, 0.0, ["04-01* 20.0%", "Highest 40.0%", "04-15 30.0%"]),
    ],
)
def test_a_cut_week_above_the_scale_says_so_beside_a_small_line(first, other, told):
    """`other`: a whole week of another topic, which may set the scale above both."""
    rows = [
        {"week": date(2024, 4, 1 + 7 * n), "n_days": n_days, "share": share}
        for n, (n_days, share) in enumerate(((2, first), (7, 0.4), (7, 0.3)))
    ]
    spark = TEMPLATES.get_template("parts.html.j2").module.spark(
        rows, choose_words("en"), max(other, find_highest([rows]))
    )
    page = BeautifulSoup(spark, "html.parser")
    assert [item.get_text() for item in page.select(".ends span")] == told
    assert page.svg["aria-label"].endswith(f"highest {max(first, 0.4):.1%}")


def test_a_chart_has_weeks_and_values_at_its_axes():
    page = draw("en", 1)
    told = [item.get_text() for item in page.select("svg.axes text")]
    assert [text for text in told if text.endswith("0%")][:4] == ["0.0%", "20.0%", "40.0%", "60.0%"]
    assert [text for text in told if "-" in text] == ["04-01", "04-08", "04-15"]
    assert len(page.select("svg.axes rect.cut")) == 2


def test_an_axis_is_round_and_holds_its_values():
    for highest, top in ((0.5, 0.6), (0.123, 0.15), (0.2, 0.2), (7, 8), (1234, 1500), (0, 1), (1e-6, 1e-6)):
        step, found = find_scale(highest)
        assert found == pytest.approx(top) and 1 <= round(found / step) <= 5, highest


def test_all_lines_of_a_page_have_one_scale():
    low, high = (draw_line(values, 100, 46, scale=0.8) for values in ([0.1, 0.2], [0.4, 0.8]))
    assert [y for _, y in low.places] == [38.0, 33.0]
    assert [y for _, y in high.places] == [23.0, 3.0]
    weeks = [{"share": share, "n_days": n} for share, n in ((0.9, 2), (0.4, 7), (0.3, 7))]
    assert find_highest([weeks, []]) == 0.4


def test_the_letters_of_lines_that_end_alike_do_not_cover_each_other():
    rows = [{"week": date(2024, 4, 1 + 7 * n), "n_days": 7, "share": 0.0} for n in range(3)]
    chart = draw_chart([rows, rows, rows], "share", str)
    places = sorted(curve.letter_y for curve in chart.curves)
    assert [second - first for first, second in pairwise(places)] == [14, 14] and places[-1] <= 226
    assert draw_chart([rows[:1]], "share", str) is None


def test_the_frame_of_the_map_is_as_high_as_the_map_and_a_line_for_each_topic():
    page = TEMPLATES.get_template("map.html.j2").render(
        ask=Ask(source=Source("sample"), language="ko", base="", is_framed=True, path="map", params={}),
        word=choose_words("ko"),
        here="map.html.j2",
        drawn=None,
        chosen=None,
        first=3,
        has_map=True,
        n_topics=14,
    )
    assert BeautifulSoup(page, "html.parser").iframe["height"] == "1380"
    style = Path(topic_browser.__file__).with_name("static") / "browser.css"
    assert not re.search(r"iframe \{[^}]*height", style.read_text(encoding="utf-8"))


def test_a_failed_night_is_told_above_what_was_published_before_it():
    told = draw("en", 0, has_failed=True).find(role="status").get_text()
    assert "The last run failed." in told and "published at 2024-07-02 03:00 (Korean time)" in told
    assert draw("en", 0).find(role="status") is None


def test_korean_words_are_marked_as_korean_in_an_english_page():
    page = draw("en", 0)
    assert page.html["lang"] == "en" and page.title["lang"] == "ko"
    for word in ("건널목", "제목"):
        assert all(found.find_parent(lang="ko") for found in page.main.find_all(string=word))


def test_no_two_landmarks_have_one_name():
    """A table that scrolls is a group: as a region it would be a second landmark of its section's name."""
    page = draw("en", 0)
    named = [
        item.get("aria-labelledby") or item.get("aria-label") for item in page.select("section, nav, [role=region]")
    ]
    assert len(named) == len(set(named))
    assert page.select(".wide[role=group][tabindex]")


@pytest.mark.parametrize("code", [400, 403, 404, 405, 503])
def test_an_error_page_has_the_navigation_and_the_style_of_the_others(code):
    ask = Ask(source=Source("sample"), language="en", base="/b", is_framed=False, path="", params={})
    page = BeautifulSoup(bytes(render_page("error.html.j2", ask, code, code=code).body), "html.parser")
    assert page.h1.get_text() == str(code)
    assert len(page.select("nav a")) == 5 and page.find("link", rel="stylesheet")
    assert page.select_one("main a")["href"] == "/b/?source=sample&lang=en"


def test_agreements_of_petitions_that_are_open_are_marked_as_not_final():
    assert "동의 수가 더 늘 수 있습니다" in draw("ko", 1).get_text()
    weekly = draw("ko", 1).find("table").find_all("tr")
    assert [row.find_all("td")[-1].get_text() for row in weekly[1:]] == ["35", "35", "35*"]
    assert "진행 중인 청원이 있어" not in draw("ko", 0).get_text()


def test_a_petition_that_no_topic_has_half_of_is_marked_as_mixed():
    assert "여러 주제" in draw("ko", 0).get_text()


def test_one_whose_topic_has_most_of_it_by_few_words_is_no_mixed_one():
    tags = TEMPLATES.get_template("parts.html.j2").module.unsure
    by_share = {share: BeautifulSoup(tags(share, choose_words("en")), "html.parser").span for share in (0.49, 0.5)}
    assert by_share[0.49].get_text() == "Mixed" and "No topic has half" in by_share[0.49]["title"]
    assert by_share[0.5].get_text() == "Doubtful" and "few of the words of its topic" in by_share[0.5]["title"]
