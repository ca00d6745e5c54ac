"""A real api-server with the plugin in it, over the embedded Postgres; then the same in a real Chromium."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import numpy as np
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import create_engine, make_url, text

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.records import Hidden, Source
from petitions.steps.petition_map import MAP_FILE
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine
from petitions.store.petitions import mark_hidden
from petitions.store.publishing import publish
from rows import write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>"
PASSWORD = "invented"
PAGES = (
    "", "topic/1", "compare?topic=1&topic=2", "petition/sample:a-001", "search?q=건널목", "map", "map/frame", "runs",
    "static/browser.css", "static/charts.js", "topics.csv", "topic/1/weeks.csv", "topic/1/petitions.csv",
    "search.csv?q=건널목", "compare.csv?topic=1",
)  # fmt: skip

BROKEN_NUMBERS = """
    [...document.querySelectorAll("dd")].filter(item => {
        const range = document.createRange()
        range.selectNodeContents(item)
        return range.getClientRects().length > 1
    }).map(item => item.textContent)
"""


@dataclass
class Server:
    """Where Airflow answers, and the token of one who is signed in."""

    url: str
    token: str
    log: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page as one who is signed in gets it."""
        return httpx.get(
            f"{self.url}/topic-browser/{path}", headers={"Authorization": f"Bearer {self.token}"} | headers, timeout=30
        )

    def page(self, path: str, status: int = 200) -> BeautifulSoup:
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return BeautifulSoup(answer.text, "html.parser")


def make_map() -> str:
    from petitions.topics.visualization import draw_topics

    random = np.random.default_rng(3)
    return draw_topics(
        topic_word=random.dirichlet(np.ones(6), 3),
        document_topic=random.dirichlet(np.ones(3), 20),
        document_lengths=np.full(20, 10),
        terms=["급식", "버스", HOSTILE, "하천", "소음", "요금"],
        topic_ids=[1, 2, 3],
        labels=["건널목", HOSTILE, "주택"],
    )


def fill(url: str, artifacts: Path) -> None:
    """160 petitions, so that topic 1 has two pages; two of them hostile, one of them hidden."""
    petitions = make_petitions(160)
    petitions[0] = replace(petitions[0], title=HOSTILE, body=f"첫 줄\n{HOSTILE}", n_agreements=900)
    petitions[3] = replace(petitions[3], title="주소가 이상한 청원", url="javascript:alert(2)", n_agreements=800)
    engine = open_engine(url)
    with engine.begin() as conn:
        write_all(conn, petitions)
        bodies = [["신호등"]] * 4 + [["건널목", "신호등"]] + [["신호등"]] * 5  # those whose number ends with 5
        write_words(conn, Source("sample"), bodies)
        publish(conn, "fit-1", [BERT], at=MONDAY)
        mark_hidden(conn, [Hidden(source=Source("sample"), source_id="a-007", url="", artifact="")], seen_at=MONDAY)
    engine.dispose()
    points = [[f"sample:a-{number:03d}", 30 * number, 97 * number % 1000] for number in range(1, 31) if number != 7]
    store = ArtifactStore(str(artifacts))
    store.write("topics/fit-1/pyldavis.html", make_map().encode())
    store.write(f"topics/fit-1/{MAP_FILE}", json.dumps({"made_from": "", "points": points}).encode())


@pytest.fixture(scope="module")
def results(postgres_url: str, migrated: str) -> Iterator[str]:
    """The URL of a database of this module."""
    name = f"browser_{os.getpid()}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def start_airflow(home: Path, environ: dict[str, str]) -> Iterator[Server]:
    """Airflow's own api-server as a process, with metadata in SQLite."""
    passwords, log, port = home / "passwords.json", home / "server.log", free_port()
    passwords.write_text(json.dumps({"reader": PASSWORD}))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")} | environ
    environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "reader:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "PYTHONPATH": str(ROOT / "include"),
    }
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=environ, check=True, capture_output=True, timeout=300)
    command = [*airflow, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out, start_new_session=True)
    try:
        yield Server(url := f"http://127.0.0.1:{port}", sign_in(url, process, log), log)
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def sign_in(url: str, process: subprocess.Popen, log: Path) -> str:
    for _ in range(600):
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            answer = httpx.post(f"{url}/auth/token", json={"username": "reader", "password": PASSWORD})
            return str(answer.json()["access_token"])
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])


@pytest.fixture(scope="module")
def server(results: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("airflow")
    fill(results, home / "artifacts")
    yield from start_airflow(
        home,
        {
            "PETITIONS_DATABASE_URL": results,
            "PETITIONS_ARTIFACTS": str(home / "artifacts"),
            "PETITIONS_SOURCE": "sample",
        },
    )


def test_nobody_reads_a_page_without_signing_in(server):
    for path in (*PAGES, "topic/x?page=-1", "no/such/page", "docs", "openapi.json"):
        answer = httpx.get(f"{server.url}/topic-browser/{path}")
        assert answer.status_code == 401, path
        assert "신호등" not in answer.text
    wanted = "/topic-browser/search?q=버스&lang=en"
    page = BeautifulSoup(httpx.get(f"{server.url}{wanted}").text, "html.parser")
    (link,) = page.find_all("a")
    assert link.get_text() == "Sign in to Airflow"
    login = httpx.get(f"{server.url}{link['href']}")
    assert login.is_redirect and "login" in login.headers["location"]
    back = parse_qs(urlsplit(login.headers["location"]).query)["next"]
    assert [unquote(one) for one in back] == [wanted]
    forged = httpx.get(f"{server.url}/topic-browser/", headers={"Authorization": "Bearer forged"})
    assert forged.status_code in (401, 403)
    assert "건널목" not in forged.text


def test_the_token_of_the_browser_comes_in_airflows_cookie(server):
    answer = httpx.get(f"{server.url}/topic-browser/", cookies={"_token": server.token})
    assert answer.status_code == 200
    assert "건널목" in answer.text


def test_every_page_says_what_a_browser_may_load_and_who_may_frame_it(server):
    for path in PAGES:
        headers = server.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src"), path
        assert "frame-ancestors 'self'" in policy
        assert "script-src 'unsafe-inline'" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert "script-src" not in server.get("").headers["content-security-policy"]
    assert "sandbox allow-scripts" in server.get("map/frame").headers["content-security-policy"]


def test_the_topics_stand_with_share_trend_and_petitions(server):
    page = server.page("?lang=ko")
    cards = page.find_all("article")
    assert sorted(card.h2.get_text() for card in cards) == ["건널목", "급식", "주택"]
    assert all("33.3%" in card.get_text() for card in cards)
    assert all("주별 비중" in card.find("svg", role="img")["aria-label"] for card in cards)


def test_a_topic_gives_its_petitions_fifty_a_page_most_agreed_first(server):
    first, second = server.page("topic/1?lang=en"), server.page("topic/1?page=2&lang=en")
    rows = [page.select("#petitions ~ .wide tbody tr") for page in (first, second)]
    assert [len(found) for found in rows] == [50, 3], "54 petitions, one of which is hidden"
    assert rows[0][0].th.get_text() == HOSTILE
    assert "Page 2 of 2" in second.get_text()
    assert [script.attrs for script in first.find_all("script")] == [
        {"src": "/topic-browser/static/charts.js", "defer": ""}
    ]


def test_a_petition_is_text_and_only_web_addresses_are_links(server):
    page = server.page("petition/sample:a-001")
    assert page.h1.get_text() == HOSTILE
    assert HOSTILE in page.find(class_="text", string=lambda value: value and HOSTILE in value).get_text()
    assert not page.find_all("script")
    original = page.find("a", rel="noopener")
    assert (original["href"], original["rel"]) == ("https://example.org/a-001", ["noopener", "noreferrer"])
    assert "신호등" in [item.get_text() for item in page.select(".chips li")]
    assert len(page.select(".neighbours li")) == 10
    odd = server.page("petition/sample:a-004")
    assert not [link for link in odd.find_all("a") if "javascript" in link["href"]]


def test_a_hidden_petition_has_no_page(server):
    server.page("petition/sample:a-007", status=404)


def test_search_finds_by_words_without_an_embedding(server):
    rows = server.page("search?q=건널목").select("ol.results li")
    assert len(rows) == 16
    assert "ㅋㅋ" in server.page("search?q=ㅋㅋ").find(id="q")["value"]
    assert not server.page("search?q=건널목&source=bluehouse").select("ol.results li")


def test_what_cannot_be_asked_gets_a_plain_page(server):
    for path, status in {
        "topic/-1": 400,
        "topic/99": 404,
        "topic/1?page=0": 400,
        "topic/1?page=1000000000": 400,
        "topic/1?page=99": 404,
        "topic/x": 400,
        "petition/nobody": 404,
        "petition/a%00b": 400,
        "search?q=%00": 400,
        f"search?q={'긴' * 3400}": 400,
        "?source=nobody": 400,
        "?lang=xx": 400,
        "no/such/page": 404,
    }.items():
        page = server.page(path, status=status)
        assert page.h1.get_text() == str(status), path
        assert len(page.select("nav a")) == 5
        assert "Traceback" not in page.get_text()


def test_a_source_without_a_published_fit_says_so(server):
    page = server.page("?source=bluehouse&lang=en")
    assert "No topics are published yet." in page.get_text()
    (other,) = page.main.select("p a")
    assert other["href"].endswith("/?source=sample&lang=en")
    assert other.get_text() == "Sample (invented)"


def test_the_language_is_that_of_the_address_else_of_the_browser(server):
    english = server.get("", **{"Accept-Language": "de, en;q=0.8, ko;q=0.5"}).text
    assert '<html lang="en">' in english
    assert '<html lang="ko">' in server.get("", **{"Accept-Language": "de"}).text
    assert '<html lang="ko">' in server.get("?lang=ko", **{"Accept-Language": "en"}).text


def test_a_failed_night_is_told_on_the_pages(server, results):
    engine = open_engine(results)
    failed = (
        "INSERT INTO petitions.pipeline_step (run_id, step, part, n_parts, state, started_at, finished_at, error_kind,"
        " error_message) SELECT run_id, 'crawl', 1, 1, 'failed', now(), now(), 'FetchError', ''"
        " FROM petitions.pipeline_run"
    )
    with engine.begin() as conn:
        conn.execute(text(failed))
    try:
        for path in ("", "topic/1", "compare", "petition/sample:a-001", "search", "map", "runs"):
            assert "The last run failed." in server.page(f"{path}?lang=en").find(role="status").get_text()
    finally:
        with engine.begin() as conn:
            conn.execute(text("DELETE FROM petitions.pipeline_step WHERE error_kind = 'FetchError'"))
        engine.dispose()
    assert server.page("?lang=en").find(role="status") is None


def test_the_runs_and_the_quality_of_the_fit_are_told(server):
    page = server.page("runs?lang=en")
    assert "sample_2024-04-01_2024-07-01" in page.get_text()
    assert "NPMI" in page.get_text()


def test_airflow_lists_the_page_in_its_navigation(server):
    answer = httpx.get(f"{server.url}/api/v2/plugins", headers={"Authorization": f"Bearer {server.token}"})
    found = [view for plugin in answer.json()["plugins"] for view in plugin["external_views"]]
    assert [(view["href"], view["url_route"]) for view in found] == [
        ("/topic-browser/", "topic-browser"),
        ("/topic-browser/", None),  # in a tab of its own, where links to originals open tabs too
    ]


def test_the_session_may_read_views_and_nothing_else(results, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    monkeypatch.setenv("PETITIONS_DATABASE_URL", results)
    from topic_browser.database import open_snapshot

    with open_snapshot() as conn:
        told = [conn.scalar(text(f"SHOW {name}")) for name in ("role", "transaction_read_only", "statement_timeout")]
        assert told == ["petition_reader", "on", "5s"]
        assert conn.scalar(text("SHOW transaction_isolation")) == "repeatable read"
        with pytest.raises(Exception, match="permission denied"):
            conn.execute(text("SELECT * FROM petitions.petition"))


def test_no_title_stands_in_the_log(server):
    assert HOSTILE not in server.log.read_text()
    assert "건널목에" not in server.log.read_text()


def use_the_map_of_petitions(page, address: str) -> None:
    """By pointer and by keyboard, in the light and in the dark."""
    page.set_viewport_size({"width": 1280, "height": 900})
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(address)
        circle = page.locator("svg.petitions circle").first
        colours.append(circle.evaluate("item => [getComputedStyle(item).fill, getComputedStyle(item).stroke]"))
    assert colours[0][0] != colours[1][0] and colours[0][1] != colours[1][1]
    circle.click()
    page.get_by_role("heading", level=1, name=HOSTILE).wait_for()
    page.goto(address)
    page.locator("svg.petitions").get_by_role("link", name="급식").click()
    page.get_by_role("heading", level=1, name="급식").wait_for()
    page.goto(f"{address}&topic=2")
    page.locator("nav.key a").last.focus()
    for _ in range(2):  # the chart, which may be scrolled, then its first circle
        page.keyboard.press("Tab")
    title = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name=title).wait_for()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_in_a_browser_the_page_stands_in_airflow_and_no_script_of_a_petition_runs(server):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "_token", "value": server.token, "url": server.url}])
        page, said, asked = context.new_page(), [], []
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
        page.goto(f"{server.url}/plugin/topic-browser")
        frame = page.frame_locator("iframe")
        frame.get_by_role("link", name="건널목").click()
        frame.get_by_role("link", name=HOSTILE).click()
        frame.get_by_role("heading", level=1, name=HOSTILE).wait_for()
        page.on("request", lambda request: asked.append(request.url))
        for path in (
            "?lang=en",
            "topic/1",
            "compare?topic=1&topic=2",
            "petition/sample:a-001",
            "search?q=신호등",
            "map",
            "runs",
        ):
            page.set_viewport_size({"width": 360, "height": 740})
            page.goto(f"{server.url}/topic-browser/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert page.evaluate(BROKEN_NUMBERS) == [], path
        page.goto(f"{server.url}/topic-browser/compare?topic=1&topic=2&lang=en")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save the chart as PNG").click()
        assert saved.value.suggested_filename == "compare-sample.png"
        content = Path(saved.value.path()).read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 5_000, "nothing is drawn"
        page.goto(f"{server.url}/topic-browser/map")
        page.frame_locator("iframe").locator("circle.dot").first.wait_for()
        assert page.frame_locator("iframe").locator("circle.dot").count() == 3
        use_the_map_of_petitions(page, f"{server.url}/topic-browser/map?lang=en")
        own = (f"{server.url}/topic-browser/", f"blob:{server.url}/")
        assert all(address.startswith(own) for address in asked)
        assert said == []
        page.goto(f"{server.url}/topic-browser/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        browser.close()


def test_a_database_that_is_down_gives_a_plain_page(tmp_path):
    for server in start_airflow(
        tmp_path, {"PETITIONS_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"}
    ):
        page = server.page("", status=503)
        assert page.h1.get_text() == "503"
        assert "nobody" not in page.get_text()
        assert "Traceback" not in server.log.read_text()


def test_what_loads_plugins_loads_neither_the_app_nor_anything_heavy(tmp_path):
    code = (
        "import sys; from airflow import plugins_manager;"
        "print([p.name for p in plugins_manager._get_plugins()[0] if p.name == 'topic_browser'],"
        " plugins_manager.get_import_errors(), sorted({'fastapi', 'sqlalchemy', 'tensorflow', 'gensim', 'matplotlib',"
        " 'topic_browser.app'} & set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, airflow.models, airflow.settings; before = set(sys.modules); {code}"],
        env=os.environ
        | {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "PYTHONPATH": str(ROOT / "include"),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1:] == ["['topic_browser'] {} []"], done.stdout + done.stderr[-2000:]


def test_the_other_language_keeps_page_and_question(server):
    link = server.page("search?q=급식&lang=ko").find(class_="language")
    assert link["lang"] == "en"
    assert httpx.URL(link["href"]).params["q"] == "급식"
    assert httpx.URL(link["href"]).path == "/topic-browser/search"
