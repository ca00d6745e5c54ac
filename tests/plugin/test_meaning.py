"""Search by meaning in the page: as the command does, by weights loaded once; else by words, and the page says why."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, make_url, text
from topic_browser.meaning import Asker

from browsed import download, read
from invented import MONDAY, make_petitions, write_all
from petitions.encoders.registry import ENCODERS
from petitions.errors import WeightsError
from petitions.records import Source
from petitions.settings import Settings
from petitions.store.fusion import EncoderWeight, upsert_weight
from petitions.store.petitions import read_texts_of
from petitions.store.publishing import publish
from petitions.store.vectors import upsert_embeddings
from rows import write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
OTHER = str(ROOT / "tests/encoders/golden/tiny-bert")
TITLES = ("강아지를 버리는 사람을 처벌해 주세요", "동물 학대를 막아 주세요", "버스 요금을 내려 주세요")
QUESTION = "강아지"


@pytest.fixture(scope="module")
def browsed_database(postgres_url: str, migrated: str) -> Iterator[str]:
    """30 petitions of three titles, the first found by 강아지, with vectors by the weights that ship."""
    name = f"meaning_{os.getpid()}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    petitions = [
        replace(item, title=TITLES[number % 3], body=f"{number}번째") for number, item in enumerate(make_petitions(90))
    ]
    encoder, embed = ENCODERS["bert"].load_questions(Settings())
    engine = create_engine(url)
    with engine.begin() as conn:
        write_all(conn, petitions)
        texts = sorted(read_texts_of(conn, [item.petition_id for item in petitions]), key=lambda item: item.petition_id)
        upsert_embeddings(conn, encoder, texts, embed([item.title for item in texts]))
        write_words(conn, Source("sample"), [["강아지"], ["동물"], ["버스"]])
        upsert_weight(conn, EncoderWeight(encoder=encoder, search_weight=0.2))
        publish(conn, "fit-1", [encoder], at=MONDAY)
    engine.dispose()
    yield url
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(autouse=True)
def _own_asker(monkeypatch):
    monkeypatch.setattr("topic_browser.search_pages.ASKER", Asker())
    monkeypatch.setattr("topic_browser.meaning.WAIT_S", 100)  # a busy machine loads slowly


def test_the_page_finds_first_what_the_command_finds_and_says_by_which_of_both(ask, browsed_database, monkeypatch):
    from petitions.commands.search import make_answer
    from petitions.store.readers import Filters

    monkeypatch.setenv("PETITIONS_CPU_ENGINE", "onnxruntime")
    monkeypatch.setattr("petitions.steps.encoders._opened", {})  # another test may have opened it by another engine
    engine = create_engine(browsed_database)
    with engine.connect() as conn:
        told = make_answer(conn, Filters(source=Source("sample")), 50)([QUESTION])[0]
    engine.dispose()
    page = read(ask, f"/search?q={QUESTION}&lang=en")
    assert "30 petitions found · 20 more by their meaning" in page.find(role="status").get_text()
    assert [row["Id"] for row in download(ask, f"/search.csv?q={QUESTION}&lang=en")] == [
        row["petition_id"] for row in told
    ]
    hits = page.select("ol.results li") + read(ask, f"/search?q={QUESTION}&lang=en&page=3").select("ol.results li")
    tags = [hit.select_one(".facts .tag").get_text() for hit in hits]
    assert [tag[:15] for tag in tags[:20]] == ["words · meaning"] * 20
    assert tags[20:] == [f"meaning {row['similarity']:.2f}" for row in told[40:]]


def test_filters_and_pages_hold_for_what_meaning_finds_too(ask):
    page = read(ask, f"/search?q={QUESTION}&lang=en&first_day=2024-04-02&last_day=2024-04-04")
    assert "1 petitions found · 2 more by their meaning" in page.find(role="status").get_text()
    read(ask, f"/search?q={QUESTION}&page=4", status=404)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("PETITIONS_PAGE_MEANING", "off", "search by meaning is turned off here"),
        ("PETITIONS_EMBEDDING_MODEL", "no/such-model", "the model for meaning cannot be loaded here"),
        (
            "PETITIONS_EMBEDDING_MODEL",
            OTHER,
            "not the one that made the published vectors",
        ),
    ],
)
def test_where_a_question_has_no_vector_words_answer_and_the_page_says_why(ask, monkeypatch, setting, value, told):
    monkeypatch.setenv(setting, value)
    status = read(ask, f"/search?q={QUESTION}&lang=en").find(role="status").get_text()
    assert "30 petitions found" in status and told in status and "petitions search counts meaning" in status
    assert "more by their meaning" not in status
    last = read(ask, f"/search?q={QUESTION}&lang=en&page=3")
    assert "Page 2 of 2" in last.get_text(), "the third page was of what meaning found a moment ago"


def slow_questions(loads: list[float], seconds: float):
    def load(self, settings):
        loads.append(time.monotonic())
        time.sleep(seconds)
        return "bert@1", lambda texts: np.ones((len(texts), 4), np.float32)

    return load


def test_weights_are_loaded_once_for_all_that_ask_at_a_time(monkeypatch):
    loads = []
    monkeypatch.setattr("petitions.encoders.registry.EncoderEntry.load_questions", slow_questions(loads, 0.2))
    asker = Asker()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: asker.ask(f"질문 {n}", Settings()), range(20)))
    assert len(loads) == 1 and {one.encoder for one in found} == {"bert@1"}


def test_who_would_wait_too_long_is_answered_by_words_and_the_next_by_meaning(monkeypatch):
    loads = []
    monkeypatch.setattr("petitions.encoders.registry.EncoderEntry.load_questions", slow_questions(loads, 0.3))
    monkeypatch.setattr("topic_browser.meaning.WAIT_S", 0.05)
    asker = Asker()
    assert asker.ask("질문", Settings()).lack == "meaning_busy"
    time.sleep(0.4)
    assert asker.ask("질문", Settings()).encoder == "bert@1" and len(loads) == 1


def test_weights_that_cannot_be_loaded_are_told_once_and_looked_for_again_later(monkeypatch, caplog):
    def refuse(self, settings):
        raise WeightsError("no such model folder: x")

    monkeypatch.setattr("petitions.encoders.registry.EncoderEntry.load_questions", refuse)
    asker = Asker()
    assert [asker.ask("비밀", Settings()).lack for _ in range(3)] == ["meaning_missing"] * 3
    assert caplog.text.count("no such model folder") == 1 and "비밀" not in caplog.text
    monkeypatch.setattr("topic_browser.meaning.RETRY_S", 0)
    monkeypatch.setattr("petitions.encoders.registry.EncoderEntry.load_questions", slow_questions([], 0))
    assert asker.ask("비밀", Settings()).encoder == "bert@1"


def test_weights_too_large_for_a_server_are_refused_by_size(monkeypatch):
    monkeypatch.setattr("petitions.encoders.bert_encoder.MOST_BYTES", 1000)
    with pytest.raises(WeightsError, match="bytes of weights, a server takes 1,000"):
        ENCODERS["bert"].load_questions(Settings())


def test_a_question_loads_no_tensorflow_and_the_app_loads_no_engine():
    code = """
import sys
import topic_browser.meaning
import topic_browser.search_pages as pages
topic_browser.meaning.WAIT_S = 100  # a busy machine loads slowly
heavy = {"onnxruntime", "transformers", "tensorflow", "keras", "torch"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from petitions.settings import Settings
found = pages.ASKER.ask("학교 앞 건널목", Settings())
assert found.vector is not None and found.vector.shape == (384,), found
assert heavy & set(sys.modules) == {"onnxruntime"}, heavy & set(sys.modules)
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "include", ROOT / "plugins")))}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, timeout=120)
