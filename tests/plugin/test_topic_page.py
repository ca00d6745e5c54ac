"""The template of a topic over rows of the views, without a server."""

from datetime import date
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from topic_browser.asking import Ask, Language
from topic_browser.rendering import TEMPLATES
from topic_browser.words import choose_words

from petitions.records import Source

TOPIC = {"topic_id": 1, "label": "건널목", "share": 0.5, "n_petitions": 4, "n_agreements": 70, "top_terms": ["건널목"]}
PETITION = {"petition_id": "sample:a", "title": "제목", "status": "open", "n_agreements": 7, "begins_on": "2024-04-07"}
DAYS = ((date(2024, 4, 1), 1, 0), (date(2024, 4, 8), 7, 0), (date(2024, 4, 15), 3, 2))


def draw(language: Language, n_open: int) -> BeautifulSoup:
    weeks = [
        {"week": week, "n_days": n_days, "share": 0.5, "n_petitions": 2, "n_agreements": 35, "n_open": open_ * n_open}
        for week, n_days, open_ in DAYS
    ]
    page = TEMPLATES.get_template("topic.html.j2").render(
        ask=Ask(source=Source("sample"), language=language, base="", is_framed=True, path="topic/1", params={}),
        word=choose_words(language),
        here="topic.html.j2",
        topic=TOPIC | {"n_open": n_open},
        overview=SimpleNamespace(trends={1: weeks}, lineage={}, emerging={}),
        petitions=[PETITION | {"topic_share": 0.4, "is_mixed": True}],
        page=1,
        n_pages=1,
    )
    return BeautifulSoup(page, "html.parser")


@pytest.mark.parametrize(("language", "first"), [("ko", "2024-04-01 (1일)"), ("en", "2024-04-01 (1 d)")])
def test_a_week_that_the_window_cuts_short_is_named_and_drawn_as_what_it_is(language, first):
    page = draw(language, 1)
    assert len(page.select("circle.cut")) == 2
    assert [cell.get_text() for cell in page.select("th.day")][:2] == [first, "2024-04-08"]
    assert first in page.figcaption.get_text()


def test_agreements_of_petitions_that_are_open_are_marked_as_not_final():
    assert "동의 수가 더 늘 수 있습니다" in draw("ko", 1).get_text()
    weekly = draw("ko", 1).find("table").find_all("tr")
    assert [row.find_all("td")[-1].get_text() for row in weekly[1:]] == ["35", "35", "35*"]
    assert "진행 중인 청원이 있어" not in draw("ko", 0).get_text()


def test_a_petition_that_no_topic_has_half_of_is_marked_as_mixed():
    assert "여러 주제" in draw("ko", 0).get_text()
