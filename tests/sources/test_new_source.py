"""A third source is added as the registry says: a parser and a row, and nothing else, from its list to the readers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import ClassVar

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from crawl.site_server import Page, serve
from petitions.cli import main
from petitions.errors import ConfigError, ParseError
from petitions.pipeline import Pipeline
from petitions.records import Petition, Source, Status, Window
from petitions.settings import Settings
from petitions.sources.fields import check_rows, parse_count, parse_day, parse_json, parse_text, parse_title
from petitions.sources.registry import SOURCES, SourceEntry, find_source
from petitions.sources.sample import read_sample
from petitions.sources.site import Entry, HiddenPage, Listing, Request
from petitions.store import publishing
from petitions.store.artifacts import ArtifactStore

WINDOW = Window.ending(date(2026, 11, 20))
NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)
PAGE_SIZE = 50
CITY = Source("suwon")


@dataclass(frozen=True, slots=True, kw_only=True)
class CitySite:
    """An invented city: /list?page=N gives ids and days, /one/ID a petition."""

    source: ClassVar[Source] = CITY
    queries: ClassVar[Sequence[str]] = ("all",)

    base_url: str
    window: Window
    today: date

    def list_request(self, query: str, page: int) -> Request:
        return Request(url=f"{self.base_url}/list?page={page}")

    def parse_list(self, answer: bytes, url: str) -> Listing:
        rows = check_rows(parse_json(answer, url), url)
        days = [(parse_text(row["id"], url), parse_day(row["begin"], url)) for row in rows]
        return Listing(entries=tuple(Entry(source_id=key, begins_on=day, sorted_by=day) for key, day in days))

    def detail_request(self, source_id: str) -> Request:
        return Request(url=f"{self.base_url}/one/{source_id}")

    def find_petition(self, url: str) -> str | None:
        return url.removeprefix(f"{self.base_url}/one/") if url.startswith(f"{self.base_url}/one/") else None

    def parse_detail(self, answer: bytes, url: str, source_id: str) -> Petition | HiddenPage:
        row = parse_json(answer, url)
        if not isinstance(row, dict):
            raise ParseError(f"{url}: expected an object")
        begins_on, ends_on = parse_day(row["begin"], url), parse_day(row["end"], url)
        return Petition(
            source=CITY,
            source_id=source_id,
            title=parse_title(row["title"], url),
            body=parse_text(row["body"], url),
            category=parse_text(row["category"], url),
            status=Status.OPEN if ends_on >= self.today else Status.ENDED,
            n_agreements=parse_count(row["n"], url),
            begins_on=begins_on,
            ends_on=ends_on,
            url=url,
        )


@pytest.fixture
def city(monkeypatch):
    """The row of the registry; gives the petitions that the city has."""
    row = SourceEntry(
        label=("수원시 시민청원", "City of Suwon"), url="https://suwon.test", open_site=f"{__name__}:CitySite"
    )
    monkeypatch.setitem(SOURCES, CITY, row)
    found = islice(read_sample(WINDOW), 120)
    return sorted(found, key=lambda item: (item.begins_on, item.source_id), reverse=True)


def answer_for(petitions: Sequence[Petition]):
    """What the city's server says."""
    by_id = {item.source_id: item for item in petitions}

    def answer(path: str, nth: int) -> Page:
        if path.startswith("/list?page="):
            first = (int(path.removeprefix("/list?page=")) - 1) * PAGE_SIZE
            rows = [{"id": item.source_id, "begin": str(item.begins_on)} for item in petitions[first:][:PAGE_SIZE]]
            return Page(json.dumps(rows).encode())
        item = by_id[path.removeprefix("/one/")]
        days = {"begin": str(item.begins_on), "end": str(item.ends_on)}
        texts = {"title": item.title, "body": item.body, "category": "도로"}
        return Page(json.dumps(days | texts | {"n": item.n_agreements}).encode())

    return answer


@pytest.mark.postgres
@pytest.mark.slow
def test_a_third_source_goes_from_its_list_to_the_readers(city, engine, tmp_path):
    with serve(answer_for(city)) as site:
        environ = {
            "PETITIONS_SOURCE": CITY,
            "PETITIONS_SUWON_URL": site.url,
            "PETITIONS_REQUESTS_PER_SECOND": "1000",
            "PETITIONS_TOPICS": "3",
        }
        pipeline = Pipeline(
            settings=Settings.from_env(environ),
            engine=engine,
            artifacts=ArtifactStore(str(tmp_path)),
            source=find_source(CITY),
            window=WINDOW,
            clock=lambda: NOW,
        )
        assert pipeline.crawl() == len(city)
        pipeline.tokenize()
        model_id = pipeline.fit_topics()
    with engine.begin() as conn:
        publishing.publish(conn, model_id, ["bert"], at=NOW)
        query = text("SELECT petition_id, title, topic_id FROM petitions.current_petition WHERE source = 'suwon'")
        shown = conn.execute(query).all()
    assert {row.petition_id: row.title for row in shown} == {f"suwon:{item.source_id}": item.title for item in city}
    assert {row.topic_id for row in shown} == {1, 2, 3}
    again = replace(pipeline, settings=Settings(source=CITY))  # the site is gone; the archive is replayed as it was
    assert again.crawl(is_replay=True) == len(city)


def test_commands_settings_and_pages_know_it_by_its_row(city):
    words = pytest.importorskip("topic_browser.words")
    assert "suwon" in CliRunner().invoke(main, ["crawl", "--source", "seoul"]).output
    assert Settings.from_env({"PETITIONS_SUWON_URL": "http://mirror.test/"}).site_url(CITY) == "http://mirror.test"
    assert Settings().site_url(CITY) == "https://suwon.test"
    assert words.choose_words("ko")(CITY) == "수원시 시민청원"


def test_a_name_that_no_row_has_is_refused():
    with pytest.raises(ConfigError, match="source must be one of assembly, bluehouse, sample, got 'suwon'"):
        find_source("suwon")
    with pytest.raises(ConfigError, match="a source must match .*, got 'su:won'"):
        Source("su:won")


def test_a_source_without_a_site_has_no_address():
    with pytest.raises(ConfigError, match="the source sample has no site"):
        Settings().site_url(Source("sample"))
