"""The command weigh-search writes what vectors deserve, and search goes by it at once; else it writes nothing."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, WINDOW, make_petitions, write_all
from known import embed_by_chance, embed_knowing, publish_known
from petitions.cli import main
from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.records import Source
from petitions.settings import Settings
from petitions.store.petitions import read_texts
from petitions.store.publishing import publish
from petitions.store.vectors import upsert_embeddings

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
STORED = text("SELECT encoder, search_weight, similar_weight FROM petitions.encoder_weight")
SHIPPED = ENCODERS[SEARCHED].name(Settings())


@pytest.fixture
def settings(monkeypatch, database_url):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_SOURCE", "sample")
    return monkeypatch


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


def read_stored(engine) -> list[tuple]:
    with engine.connect() as conn:
        return list(map(tuple, conn.execute(STORED)))


def find_vector_ranks() -> set[int | None]:
    result = run("search", "서울 급식", "--json")
    assert result.exit_code == 0, result.output
    return {row["vector_rank"] for row in json.loads(result.stdout)}


def test_vectors_that_help_get_a_weight_and_search_goes_by_it_at_once(settings, engine):
    settings.setattr("petitions.steps.encoders.load_encoder", lambda *_, **__: (SHIPPED, embed_knowing))
    with engine.begin() as conn:
        publish_known(conn, SHIPPED, embed_knowing)
    assert find_vector_ranks() == {None}
    result = run("weigh-search", "--json")
    assert result.exit_code == 0, result.output
    assert read_stored(engine) == [], "without --write nothing is stored"
    result = run("weigh-search", "--write", "--json")
    assert result.exit_code == 0, result.output
    ((encoder, search_weight, _),) = read_stored(engine)
    assert encoder == SHIPPED
    assert search_weight == json.loads(result.stdout)[0]["weight"] > 0
    assert 1 in find_vector_ranks()


def test_vectors_that_do_not_help_lose_the_weight_that_they_had(settings, engine):
    settings.setattr("petitions.steps.encoders.load_encoder", lambda *_, **__: (SHIPPED, embed_by_chance))
    with engine.begin() as conn:
        publish_known(conn, SHIPPED, embed_by_chance)
        conn.execute(text("INSERT INTO petitions.encoder_weight VALUES (:name, 1, 1)"), {"name": SHIPPED})
    assert find_vector_ranks() != {None}
    assert run("weigh-search", "--write").exit_code == 0
    assert read_stored(engine)[0][:2] == (SHIPPED, 0)
    assert find_vector_ranks() == {None}


def test_another_encoder_than_the_searched_one_is_measured_and_search_stays_as_it_was(settings, engine):
    other = ENCODERS["elmo"].name(Settings())
    settings.setattr("petitions.steps.encoders.load_encoder", lambda *_, **__: (other, embed_knowing))
    with engine.begin() as conn:
        publish_known(conn, SHIPPED, embed_by_chance)
        texts = read_texts(conn, Source("sample"), WINDOW)
        upsert_embeddings(conn, other, texts, embed_knowing([item.whole for item in texts]))
    result = run("weigh-search", "--encoder", "elmo", "--write", "--json")
    assert result.exit_code == 0, result.output
    ((encoder, weight, _),) = read_stored(engine)
    assert encoder == other
    assert weight > 0
    assert find_vector_ranks() == {None}


def test_what_cannot_be_measured_is_one_line_and_writes_nothing(settings, engine):
    def refuse() -> str:
        result = run("weigh-search", "--write")
        assert result.exit_code != 0
        assert read_stored(engine) == []
        return result.output.strip().splitlines()[-1]

    assert "nothing of sample is published" in refuse()
    with engine.begin() as conn:
        write_all(conn, make_petitions(4))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    told = refuse()
    assert f"published is sample by {BERT}, but" in told, "the encoder of the settings is not published"
    assert SHIPPED in told
    with engine.begin() as conn:
        publish(conn, "fit-1", [SHIPPED, ELMO], at=MONDAY)
    assert "sample has 0 published petitions with vectors, 100 are needed" in refuse()
    result = run("weigh-search", "-n", "99")
    assert result.exit_code != 0
    assert "99 is not in the range" in result.output
