"""A mirror that wants a password, named in PETITIONS_BLUEHOUSE_URL: it is sent to the mirror, and is nowhere else."""

import logging
import os
import subprocess
import sys
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import text
from warcio.archiveiterator import ArchiveIterator

from crawl.site_server import Page, serve
from crawl_runs import read_petitions
from invented_pages import bluehouse_list, bluehouse_page, hidden_page
from petitions.commands.doctor import examine
from petitions.crawl.transport import BoundedSession
from petitions.store.tables import metadata

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

USER, PASSWORD = "crawler", "s3cret/암호@:%"
WRITTEN = quote(PASSWORD, safe="")
SECRETS = (PASSWORD, WRITTEN, "s3cret", "암호", b64encode(f"{USER}:{PASSWORD}".encode()).decode().rstrip("="))
WINDOW = ["--until", "2019-09-01", "--months", "1", "--source", "bluehouse"]
RUN = """
import logging, sys
from petitions.cli import main
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logging.getLogger("petitions").setLevel(logging.DEBUG)
main.callback = None
main(sys.argv[1:])
"""


def answer(path, nth):
    if path.startswith("/api/petitions/list"):
        return Page(bluehouse_list(*(("1", "2", "3") if "only=1" in path and "page=1" in path else ())))
    if path == "/petitions/2":
        return Page(status=302, headers={"Location": f"{answer.url}/petitions/2/moved"})
    return Page(hidden_page() if path == "/petitions/3" else bluehouse_page())


@pytest.fixture
def site():
    with serve(answer, login=f"{USER}:{PASSWORD}") as running:
        answer.url = running.url
        yield running


def with_login(url, password=WRITTEN):
    return url.replace("://", f"://{USER}:{password}@")


def run(database_url, folder, url, *arguments):
    environ = os.environ | {
        "PETITIONS_DATABASE_URL": database_url, "PETITIONS_ARTIFACTS": str(folder), "PETITIONS_SOURCE": "bluehouse",
        "PETITIONS_BLUEHOUSE_URL": url, "PETITIONS_REQUESTS_PER_SECOND": "1000",
        "PETITIONS_BERT_MODEL": "/nowhere", "PETITIONS_ELMO_MODEL": "/nowhere",
        "PYTHONPATH": str(Path(__file__).parents[2] / "include"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], env=environ, capture_output=True, text=True, timeout=120
    )
    assert_no_secret("output", done.stdout + done.stderr)
    return done


def assert_no_secret(where, found):
    for secret in SECRETS:
        assert secret not in found, where


def search_rows(engine):
    with engine.connect() as conn:
        for table in metadata.sorted_tables:
            rows = conn.scalars(text(f"SELECT row_to_json(t)::text FROM {table.fullname} AS t")).all()
            assert_no_secret(table.fullname, "\n".join(rows))


def search_files(folder):
    n_records = 0
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert_no_secret(path, f"{path} {path.read_bytes().decode('latin-1')}")
        with path.open("rb") as file:
            for record in ArchiveIterator(file) if ".warc" in path.name else ():
                n_records += 1
                about = str(record.rec_headers) + str(record.http_headers)
                assert_no_secret(path, about + record.content_stream().read().decode("utf-8", "replace"))
    return n_records


def test_a_password_of_a_site_is_sent_to_it_and_is_in_no_row_no_file_and_no_output(site, new_database, tmp_path):
    engine = new_database()
    url, address = engine.url.render_as_string(hide_password=False), with_login(site.url)
    crawled = run(url, tmp_path, address, "-v", "crawl", *WINDOW)
    assert (crawled.returncode, "petitions read" in crawled.stdout) == (0, True), crawled.stderr
    assert "GET /petitions/1 " in crawled.stderr  # it was logged at DEBUG
    petitions = read_petitions(engine)
    assert {row["url"] for row in petitions.values()} == {f"{site.url}/petitions/{number}" for number in (1, 2)}
    search_rows(engine)
    assert search_files(tmp_path) >= 5

    for asked in ("1", f"{site.url}/petitions/1", f"{address}/petitions/1"):
        shown = run(url, tmp_path, address, "archive", "show", asked)
        assert f"{site.url}/petitions/1\n" in shown.stdout
    run(url, tmp_path, address, "archive", "show", "--json", "1")
    assert "has no answer" in run(url, tmp_path, address, "archive", "show", f"{address}/petitions/7").stderr
    assert f"{site.url} answers, robots.txt allows" in run(url, tmp_path, address, "doctor", "--json").stdout

    n_asked, again = len(site.asked), new_database()
    replayed = run(again.url.render_as_string(hide_password=False), tmp_path, address, "crawl", "--replay", *WINDOW)
    assert replayed.returncode == 0, replayed.stderr
    assert len(site.asked) == n_asked
    assert read_petitions(again) == petitions
    search_rows(again)


def test_a_wrong_password_is_told_without_it(site, database_url, engine, tmp_path):
    crawled = run(database_url, tmp_path, with_login(site.url, "s3cret"), "crawl", *WINDOW)
    assert crawled.returncode == 1
    assert "the site asks who we are" in crawled.stderr
    search_rows(engine)


@pytest.fixture
def examine_site(monkeypatch, database_url, tmp_path, caplog, capfd):
    """What the doctor finds of the site; nothing that it says or logs holds a secret."""

    def examine_site(url):
        for name, value in {
            "DATABASE_URL": database_url, "ARTIFACTS": str(tmp_path), "SOURCE": "bluehouse", "BLUEHOUSE_URL": url,
            "BERT_MODEL": "/nowhere", "ELMO_MODEL": "/nowhere",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"PETITIONS_{name}", value)
        with caplog.at_level(logging.DEBUG):
            found = examine()
        assert_no_secret("doctor", f"{found} {caplog.text} {capfd.readouterr()}")
        assert not found[-1].is_fit
        return found[-1].found

    return examine_site


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://{}:{}@127.0.0.1:1", "http://127.0.0.1:1 does not answer"),
        ("http://{}:s3cret/x@127.0.0.1:1", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("http://{}:1/s3cret@127.0.0.1:1", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("http://{}:s3cret?@127.0.0.1:1", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("{}:{}@mirror", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
    ],
)
def test_a_site_that_cannot_be_asked_is_named_without_the_password(examine_site, url, told):
    assert told in examine_site(url.format(USER, WRITTEN))


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("http://{}:{}@127.0.0.1:1", "http://mirror.test does not answer: by the proxy that HTTP_PROXY"),
        ("http://{}:s3cret/x@127.0.0.1:1", "HTTP_PROXY must be the address of a proxy"),
        ("http://{}:{}@[::1", "HTTP_PROXY must be the address of a proxy"),
    ],
)
def test_a_proxy_that_does_not_answer_is_told_without_its_password(examine_site, monkeypatch, proxy, told):
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, proxy.format(USER, WRITTEN))
    assert examine_site("http://mirror.test").startswith(told)


def test_a_proxy_is_sent_a_password_of_any_letters(monkeypatch):
    with serve(lambda path, nth: Page(b"there")) as proxy:
        monkeypatch.setenv("http_proxy", with_login(proxy.url))
        with closing(BoundedSession("http://mirror.test", "test")) as session:
            _, body, _ = session.exchange(requests.Request("GET", "http://mirror.test/petitions/1"), 5)
    ((path, headers),) = proxy.asked
    assert (path, body) == ("http://mirror.test/petitions/1", b"there")
    assert {name.lower(): value for name, value in headers.items()}[
        "proxy-authorization"
    ] == f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
