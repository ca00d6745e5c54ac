import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from copied import write_copies
from invented import BERT, MONDAY, TUESDAY, WINDOW, make_petitions, write_all, write_checks
from petitions.check_words import tell_check
from petitions.cli import main
from petitions.commands.report import draw_report, read_report
from petitions.commands.report_words import WORDS
from petitions.errors import ConfigError
from petitions.records import Hidden, Source
from petitions.steps.petition_map import MAP_FILE
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import mark_hidden
from petitions.store.publishing import publish
from petitions.wording import SHARED

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SAMPLE = Source("sample")
HOSTILE = "<script>alert(1)</script>"
MAP = "<!DOCTYPE html><title>지도</title><p class='map'>원</p><script>draw('&amp;\"');</script>"


def make_hostile_petitions():
    petitions = make_petitions(12)
    petitions[0] = replace(petitions[0], title=HOSTILE, n_agreements=900)
    petitions[3] = replace(petitions[3], title="주소가 이상한 청원", url="javascript:alert(2)", n_agreements=800)
    petitions[4] = replace(petitions[4], title='" onmouseover="alert(3)', n_agreements=700)
    return petitions


@pytest.fixture
def published(conn):
    write_all(conn, make_hostile_petitions(), mark="<b>")
    publish(conn, "fit-1", [BERT], at=MONDAY)
    return conn


def place_petitions(artifacts):
    points = [[petition.petition_id, 10 * n, 1000 - 10 * n] for n, petition in enumerate(make_hostile_petitions())]
    artifacts.write(f"topics/fit-1/{MAP_FILE}", json.dumps({"made_from": "", "n": 12, "points": points}).encode())


@pytest.fixture
def artifacts(tmp_path):
    return ArtifactStore(str(tmp_path / "artifacts"))


def draw(conn, artifacts, language="ko"):
    return BeautifulSoup(draw_report(read_report(conn, artifacts, SAMPLE), language), "html.parser")


def test_the_page_tells_topics_petitions_quality_and_freshness(published, artifacts):
    page = draw(published, artifacts)
    topics = page.find(id="topics").find_next("tbody").find_all("tr")
    cells = [[cell.get_text() for cell in row.find_all(["td", "th"])] for row in topics]
    assert [row[:3] + row[5:6] for row in cells] == [
        ["1", "건널목<b>", "33.3%", "4"],
        ["2", "급식<b>", "33.3%", "4"],
        ["3", "주택<b>", "33.3%", "4"],
    ]
    assert "건널목1, 건널목2, 건널목3" in cells[0][-1]
    assert "2024-07-01 12:00" in page.header.get_text(), "Korean time of the publishing and of the last look"
    assert "NPMI" in page.find(id="quality").find_next("table").get_text()
    assert "1. 건널목<b>" in [item.get_text() for item in page.find(id="trends").find_next("svg").find_all("text")]
    assert page.html["lang"] == "ko"


def test_the_page_begins_with_findings_and_ends_with_checks_in_words(published, artifacts):
    write_checks(published, "fit-1", [BERT])
    page = draw(published, artifacts)
    ids = [section["aria-labelledby"] for section in page.find_all("section")]
    assert (ids[:3], ids[-1]) == (["findings", "weekly", "topics"], "quality")
    told = {item.get_text(): item.find_next("dd").get_text() for item in page.find_all("dt")}
    assert "900*" in told["동의가 많은 청원"], "it is still open"
    assert "청원 12건은 아직 진행 중" in told["아직 진행 중"]
    assert told["새 주제"] == "첫 모형이라 견줄 앞선 모형이 없습니다."
    checks = page.find(id="quality").find_next("details").get_text()
    assert tell_check("petitions_in_window", "ko") in checks and "1 이상" in checks
    assert "petitions_in_window" not in page.get_text()


def test_codes_of_the_site_that_are_not_known_are_named(published, artifacts):
    code = {"kind": "category", "code": "AIDATA", "name": "인공지능<b>", "n_petitions": 3}
    report = read_report(published, artifacts, SAMPLE)
    assert "사이트의 새 코드" not in draw_report(report)
    page = BeautifulSoup(draw_report(replace(report, codes=[code])), "html.parser")
    told = {item.get_text(): item.find_next("dd").get_text() for item in page.find_all("dt")}
    assert told["사이트의 새 코드"].startswith("분야 ‘AIDATA 인공지능<b>’ (3건): 이 판이 모르는 코드라")


def test_what_rose_fell_and_was_copied_is_said_in_sentences(conn, artifacts):
    recent = WINDOW.until - timedelta(days=7)
    petitions = make_petitions(60)
    for number in range(0, 60, 3):  # topic 1 is all of the last weeks
        petitions[number] = replace(petitions[number], begins_on=recent, ends_on=WINDOW.until)
    petitions[5] = replace(petitions[2], source_id="a-006", begins_on=petitions[5].begins_on)
    long = " ".join(f"{number}번째 줄은 이 동네의 신호등 이야기입니다." for number in range(9))
    petitions[7] = replace(petitions[7], body=long)
    petitions[8] = replace(petitions[8], body=f"{long} 그리고 한 줄을 더 적습니다.")
    write_all(conn, petitions)
    write_copies(conn)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    page = draw(conn, artifacts)
    told = {item.get_text(): item.find_next("dd").get_text() for item in page.find_all("dt")}
    assert "‘건널목’ 주제가 청원의 0.0%에서 100.0%로" in told["늘어난 주제"]
    assert "‘급식’" in told["줄어든 주제"] and "‘주택’" in told["줄어든 주제"]
    assert "2가지, 모두 4건" in told["되풀이된 글"], "the same text, and one with a line more"
    told = {item.get_text(): item.find_next("dd").get_text() for item in draw(conn, artifacts, "en").find_all("dt")}
    assert "“건널목” rose from 0.0% of petitions to 100.0%" in told["Topics that rose"]


def test_in_english_no_word_of_the_page_itself_is_korean(published, artifacts):
    page = draw(published, artifacts, "en")
    assert page.html["lang"] == "en"
    for item in page.find_all(["bdi", "li", "text", "style"]) + page.select("figure svg title"):
        item.decompose()  # labels and titles of petitions, names of fonts
    assert not re.search("[가-힣]", page.get_text())


def test_the_map_of_petitions_is_as_high_as_its_petitions_lie(published, artifacts):
    place_petitions(artifacts)
    drawing = draw(published, artifacts).find(id="petition-map").find_next("figure").svg
    heights = [int(dot["cy"]) for dot in drawing.find_all("circle")]
    assert drawing["viewbox"] == f"-10 {min(heights) - 10} 1020 {max(heights) - min(heights) + 20}"


def test_every_text_of_the_report_is_there_in_both_languages():
    for name, (korean, english) in (WORDS | SHARED).items():
        assert set(re.findall(r"{(\w+)}", korean)) == set(re.findall(r"{(\w+)}", english)), name


def test_examples_are_petitions_at_least_half_of_which_are_the_topic(published, artifacts):
    lower = "UPDATE petitions.petition_topic SET share = 0.45 WHERE is_main AND"
    published.execute(text(f"{lower} petition_id = 'sample:a-001'"))
    page = draw(published, artifacts)
    assert "900" not in page.find(id="loudest").find_next("ol").get_text()
    published.execute(text(f"{lower} topic_id = 1"))
    assert "이 주제인 청원이 없습니다" in draw(published, artifacts).get_text()


def test_a_week_that_the_window_cuts_short_is_an_outlined_bar_with_its_days(published, artifacts):
    published.execute(text("UPDATE petitions.topic_model SET until = '2024-06-25'"))
    page = draw(published, artifacts)
    bars = page.find("svg", class_="bars").find_all("g")
    assert [bar.rect.get("class") for bar in bars[-2:]] == [None, ["cut"]]
    assert "(1일)" in bars[-1].get_text()
    assert "2024-06-24 (1일)" in page.find(id="trends").find_next("thead").get_text()


def test_titles_are_text_and_only_web_addresses_are_links(published, artifacts):
    page = draw(published, artifacts)
    assert not page.find_all("script")
    assert not page.find_all("b")
    assert not page.find_all(onmouseover=True)
    links = {link.get_text(): link["href"] for link in page.find_all("a")}
    assert links[HOSTILE] == links['" onmouseover="alert(3)'] == "https://example.org/a-001"
    assert all(address.startswith("https://") for address in links.values())
    assert "주소가 이상한 청원" in page.get_text()


def test_the_loudest_petitions_stand_under_their_topic_loudest_first(published, artifacts):
    first = draw(published, artifacts).find(id="loudest").find_next("ol")
    shown = [int(re.search(r"동의 (\d+)", item.get_text())[1]) for item in first.find_all("li")]
    assert shown == [900, 800, 12, 12]


def test_the_page_loads_nothing_and_lets_only_the_scripts_of_the_map_run(published, artifacts):
    artifacts.write("topics/fit-1/pyldavis.html", MAP.encode())
    page = draw(published, artifacts)
    assert not page.find_all(["link", "img", "object", "embed", "form", "base"])
    assert not page.find_all(src=True)
    assert not [item for item in page.find_all(href=True) if item.name != "a"]
    used = [value for item in page.svg.find_all(True) for name, value in item.attrs.items() if name == "xlink:href"]
    assert all(value.startswith("#") for value in used)
    assert "url(" not in page.style.get_text()
    policy = page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert policy.count("sha256") == 1


def test_the_map_of_the_fit_stands_whole_in_a_frame_that_cannot_reach_the_page(published, artifacts):
    artifacts.write("topics/fit-1/pyldavis.html", MAP.encode())
    frame = draw(published, artifacts).iframe
    assert frame["srcdoc"] == MAP
    assert frame["sandbox"] == ["allow-scripts"]


def test_a_fit_without_a_map_gives_a_note_and_lets_no_script_run(published, artifacts):
    page = draw(published, artifacts)
    assert page.iframe is None
    assert "보관된 주제 지도가 없습니다" in page.get_text()
    assert "script-src 'none'" in page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]


def test_petitions_stand_on_the_map_with_their_titles_as_text_and_web_addresses_alone_as_links(published, artifacts):
    assert "보관된 청원 지도가 없습니다" in draw(published, artifacts).get_text()
    place_petitions(artifacts)
    figure = draw(published, artifacts).find(id="petition-map").find_next("figure")
    dots = figure.find_all("circle")
    assert len(dots) == 12 and not figure.find_all("script")
    assert dots[0].title.get_text() == HOSTILE
    assert (dots[1]["cx"], dots[1]["cy"]) == ("10", "990")
    assert len({dot["fill"] for dot in dots}) == 3, "a colour for each topic"
    assert all(link["href"].startswith("http") for link in figure.find_all("a"))
    assert len(figure.find_all("a")) == 11


def test_a_hidden_petition_is_not_on_the_page(published, artifacts):
    place_petitions(artifacts)
    mark_hidden(published, [Hidden(source=SAMPLE, source_id="a-001", url="", artifact="raw#0")], seen_at=TUESDAY)
    assert HOSTILE not in draw(published, artifacts).get_text()


def test_tables_have_captions_and_sections_have_headings(published, artifacts):
    page = draw(published, artifacts)
    assert all(table.caption and table.find("th", scope="col") for table in page.find_all("table"))
    assert all(page.find(id=section["aria-labelledby"]).name == "h2" for section in page.find_all("section"))


def test_nothing_published_is_refused_with_what_to_do(conn, artifacts):
    write_all(conn, make_petitions(3))
    with pytest.raises(ConfigError, match="no topics of sample are published yet: `petitions run --source sample`"):
        read_report(conn, artifacts, SAMPLE)


def test_where_another_source_is_published_it_is_named(published, artifacts):
    with pytest.raises(ConfigError, match=r"--source assembly` does it; there are those of --source sample$"):
        read_report(published, artifacts, Source("assembly"))


def test_the_command_writes_the_page_and_says_how_large_it_is(engine, database_url, monkeypatch, tmp_path):
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT], at=MONDAY)
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    output = tmp_path / "report.html"
    result = CliRunner().invoke(main, ["report", "--source", "sample", "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert result.output == f"wrote {output}: 3 topics of sample, {output.stat().st_size:,} bytes\n"
    assert "12번째 건널목에" in output.read_text(encoding="utf-8")


def test_a_login_that_may_only_read_gets_the_report(engine, tmp_path):
    with engine.begin() as conn:
        write_all(conn, make_hostile_petitions())
        publish(conn, "fit-1", [BERT], at=MONDAY)
        conn.execute(text("CREATE ROLE report_reader LOGIN IN ROLE petition_reader"))
    locked = tmp_path / "artifacts"
    reader = create_engine(engine.url.set(username="report_reader"))
    try:
        with reader.connect() as conn:
            assert conn.scalar(text("SELECT session_user")) == "report_reader"
            page = draw(conn, ArtifactStore(str(locked)))
            assert [row.find("th").get_text() for row in page.find(id="topics").find_next("tbody").find_all("tr")] == [
                "건널목", "급식", "주택",
            ]  # fmt: skip
            assert "읽을 권한이 없습니다" in page.get_text()
    finally:
        reader.dispose()
        with engine.begin() as conn:
            conn.execute(text("DROP ROLE report_reader"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_a_browser_draws_the_map_and_refuses_no_script_of_it(published, artifacts, tmp_path):
    from petitions.topics.visualization import draw_topics

    random = np.random.default_rng(3)
    topic_map = draw_topics(
        topic_word=random.dirichlet(np.ones(6), 3),
        document_topic=random.dirichlet(np.ones(3), 20),
        document_lengths=np.full(20, 10),
        terms=["급식", "버스", HOSTILE, "하천", "소음", "요금"],
        topic_ids=[1, 2, 3],
        labels=["건널목", HOSTILE, "주택"],
    )
    artifacts.write("topics/fit-1/pyldavis.html", topic_map.encode())
    place_petitions(artifacts)
    pages = {"map.html": topic_map, "report.html": draw_report(read_report(published, artifacts, SAMPLE))}
    for name, page in pages.items():
        (tmp_path / name).write_text(page, encoding="utf-8")
        # LDAvis writes "lambda_select" to the console when it starts; a frame shows in no other way here.
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
        done = subprocess.run(
            [*command, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / name).as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "lambda_select" in done.stderr
        assert "Content Security Policy" not in done.stderr
        assert "Uncaught" not in done.stderr
        if name == "map.html":
            assert len(BeautifulSoup(done.stdout, "html.parser").find_all("circle", class_="dot")) == 3


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_the_map_of_topics_is_no_wider_than_the_window(tmp_path):
    from playwright.sync_api import sync_playwright

    from petitions.topics.visualization import draw_topics

    random = np.random.default_rng(3)
    topic_map = draw_topics(
        topic_word=random.dirichlet(np.ones(6), 3),
        document_topic=random.dirichlet(np.ones(3), 20),
        document_lengths=np.full(20, 10),
        terms=["급식", "버스", "하천", "소음", "요금", "건널목"],
        topic_ids=[1, 2, 3],
        labels=["하나", "둘", "셋"],
    )
    (tmp_path / "map.html").write_text(topic_map, encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1000})
        page.goto((tmp_path / "map.html").as_uri())
        page.wait_for_selector("circle.dot")
        assert page.evaluate("document.documentElement.scrollWidth") == 1000
        slider = page.locator("#topics-sliderdiv svg")
        assert slider.evaluate("svg => getComputedStyle(svg).overflow") == "visible", "1.0 is not cut off"
        browser.close()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_the_frame_of_the_map_shows_all_of_it(published, artifacts, tmp_path):
    from playwright.sync_api import sync_playwright

    from petitions.topics.visualization import draw_topics

    random = np.random.default_rng(3)
    topic_map = draw_topics(
        topic_word=random.dirichlet(np.ones(6), 3),
        document_topic=random.dirichlet(np.ones(3), 20),
        document_lengths=np.full(20, 10),
        terms=["급식", "버스", "하천", "소음", "요금", "건널목"],
        topic_ids=[1, 2, 3],
        labels=["하나", "둘", "셋"],
    )
    artifacts.write("topics/fit-1/pyldavis.html", topic_map.encode())
    (tmp_path / "report.html").write_text(draw_report(read_report(published, artifacts, SAMPLE)), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for width in (700, 1000, 1600):
            page = browser.new_page(viewport={"width": width, "height": 1000})
            page.goto((tmp_path / "report.html").as_uri())
            page.frames[1].wait_for_selector("circle.dot")
            inner, outer = (
                page.frames[1].evaluate(
                    f"[document.documentElement.{kind}Width, document.documentElement.{kind}Height]"
                )
                for kind in ("scroll", "client")
            )
            assert inner == outer, f"no scrollbar at {width}"
            assert page.evaluate("document.documentElement.scrollWidth") == width
        browser.close()
