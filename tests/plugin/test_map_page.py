"""The map of petitions: circles to petitions, names to topics, by pointer and by keyboard."""

import json

import pytest
from topic_browser.petition_map import LINE, draw_map

from browsed import HOSTILE, read
from petitions.steps.petition_map import MAP_FILE
from petitions.store.artifacts import ArtifactStore

N = 30


@pytest.fixture
def mapped(ask, tmp_path):
    """30 of the 160 petitions stand on the map, and one that is not published."""
    points = [[f"sample:a-{number:03d}", number * 30, 400 + number] for number in range(1, N + 1)]
    told = {"made_from": "", "n": N, "points": [*points, ["sample:gone", 0, 0]]}
    ArtifactStore(str(tmp_path)).write(f"topics/fit-1/{MAP_FILE}", json.dumps(told).encode())
    return ask


def stops(page):
    return [link for link in page.select("svg.petitions a") if link.get("tabindex") != "-1"]


@pytest.mark.postgres
@pytest.mark.parametrize(("language", "told"), [("ko", "청원 30건의 지도"), ("en", "Map of 30 petitions")])
def test_circles_lead_to_petitions_and_names_to_topics_in_both_languages(mapped, language, told):
    page = read(mapped, f"/map?lang={language}")
    assert page.find("figure")["aria-label"] == told
    circles = page.select("svg.petitions circle")
    assert len(circles) == N
    assert circles[0].find_parent("a")["href"].split("?")[0].startswith("/petition/sample%3Aa-0")
    names = page.select("svg.petitions a.topic")
    assert sorted(name.get_text() for name in names) == ["건널목", "급식", "주택"]
    assert all(name["href"].startswith("/topic/") and f"lang={language}" in name["href"] for name in names)
    assert page.select_one("svg.petitions title").find_parent(lang="ko")
    assert not page.find_all("script") and HOSTILE in [title.get_text() for title in page.select("title")]


@pytest.mark.postgres
def test_the_keyboard_reaches_the_first_of_each_topic_and_all_of_one_that_is_chosen(mapped):
    page = read(mapped, "/map?lang=en")
    assert len(stops(page)) == 3 * 3 + 3
    assert all(link["aria-label"] for link in stops(page))
    assert all(link["aria-hidden"] == "true" for link in page.select("svg.petitions a[tabindex='-1']"))
    one = read(mapped, "/map?lang=en&topic=2")
    assert len(stops(one)) == N // 3 + 1
    assert [link.get_text(strip=True) for link in one.select("nav.key a[aria-current]")] == ["급식"]
    assert len(one.select("svg.petitions g.faint")) == 2
    assert len(stops(read(mapped, "/map?topic=99"))) == 12, "a topic of an earlier fit chooses nothing"
    assert "topic=" not in str(one.select_one("form.source")) and "topic=2" in one.find(class_="language")["href"]
    for asked in ("topic=0", "topic=x", "topic=99999999999"):
        read(mapped, f"/map?{asked}", status=400)


@pytest.mark.postgres
@pytest.mark.parametrize("content", [b"", b"{}", b'{"points": [["sample:gone", 1, 2]]}'])
def test_a_map_that_is_not_there_or_shows_nobody_is_told(ask, tmp_path, content):
    if content:
        ArtifactStore(str(tmp_path)).write(f"topics/fit-1/{MAP_FILE}", content)
    assert "No map of petitions is kept" in read(ask, "/map?lang=en").get_text()
    assert "No topics are published" in read(ask, "/map?lang=en&source=bluehouse").get_text()


def test_names_of_topics_do_not_cover_each_other_and_stay_on_the_map():
    topics = [{"topic_id": number, "label": f"주제 {number} 강아지 고양이 동물 보호"} for number in range(1, 9)]
    rows = [
        {"petition_id": f"p{n}", "title": "제목", "topic_id": n % 8 + 1, "n_agreements": 100 - n} for n in range(80)
    ]
    drawn = draw_map(rows, {f"p{n}": (n % 3, 500 + n % 5) for n in range(80)}, topics)
    heights = sorted(group.y for group in drawn.groups)
    assert all(second - first >= LINE for first, second in zip(heights, heights[1:], strict=False))
    assert all(len(group.name) <= 15 and group.x >= len(group.name) * 11 for group in drawn.groups)
    top, height = map(int, drawn.box.split()[1::2])
    assert top < heights[0] - LINE // 2 and heights[-1] < top + height
    sizes = [[circle.radius for circle in group.circles] for group in drawn.groups]
    assert all(of_group == sorted(of_group, reverse=True) for of_group in sizes), "a large one covers no small one"
    assert draw_map([], {}, topics) is None
