"""Search by words and by vectors: what an index finds, what filters let through, and what readers may call."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from invented import (
    BERT,
    ELMO,
    MONDAY,
    WINDOW,
    make_model,
    make_petitions,
    make_shares,
    make_topics,
    make_vectors,
    write_all,
)
from petitions.errors import PermanentError
from petitions.records import Source
from petitions.store.database import downgrade, upgrade
from petitions.store.fusion import EncoderWeight, upsert_weight
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.readers import Filters, search_hybrid
from petitions.store.recall import measure_recall, read_searched_encoders
from petitions.store.runs import begin_run, name_run
from petitions.store.topics import write_topic_model
from petitions.store.vectors import ensure_index, upsert_embeddings
from rows import run_checks, search_petitions, write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

INDEX = text("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%hnsw%'")
WIDE = "bert-wide@0123456789ab"
WORDS = (["급식", "학교"], ["신호등", "학교"], ["주택", "학교"], ["신호등", "건널목", "학교"])


@pytest.fixture
def published(conn):
    petitions = [replace(item, category="희귀" if n % 3 == 0 else "기타") for n, item in enumerate(make_petitions(12))]
    write_all(conn, petitions)
    write_words(conn, Source("sample"), WORDS)
    upsert_weight(conn, EncoderWeight(encoder=BERT, search_weight=1))
    publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    return conn


def build(conn, encoder: str, at_least: int = 1) -> str | None:
    return conn.scalar(text("SELECT petitions.prepare_search(:encoder, :n)"), {"encoder": encoder, "n": at_least})


def write_many(conn, n: int) -> np.ndarray:
    """Petitions with random vectors of 16 numbers by WIDE, float32 [n, 16], in the order of their ids."""
    write_all(conn, [replace(item, source_id=f"m-{number:05d}") for number, item in enumerate(make_petitions(n))])
    vectors = np.random.default_rng(0).normal(size=(n, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    upsert_embeddings(conn, WIDE, read_texts(conn, Source("sample"), WINDOW), vectors)
    publish(conn, "fit-1", [WIDE], at=MONDAY)
    return vectors


def test_a_petition_with_the_words_stands_before_one_that_is_only_near(published):
    vector = np.array([-1, 0, 0, 0], dtype=np.float32)
    rows = search_hybrid(published, ["급식"], vector, 3)
    assert rows[0]["petition_id"] == "sample:a-009", "the nearest of the three with the word"
    assert rows[0]["vector_rank"] == 4
    assert 0 < rows[0]["score"] - rows[0]["similarity"] <= 1, "the share of the best score by words, and the cosine"
    assert search_petitions(published, vector, 1)[0]["petition_id"] == "sample:a-012"


def test_a_rare_word_weighs_more_than_a_common_one(published):
    ensure_index(published, BERT)
    query = text("SELECT * FROM petitions.bm25_petitions(:e, :words, 12, NULL, NULL, NULL, NULL, NULL)")
    rows = published.execute(query, {"e": BERT, "words": ["학교", "건널목"]}).all()
    assert [row.petition_id for row in rows[:3]] == ["sample:a-004", "sample:a-008", "sample:a-012"]
    counted = text(
        "SELECT word, petitions.count_word(petitions.number_word(word)) FROM unnest(CAST(:words AS text[])) AS word"
    )
    words = ["건널목", "급식", "주택", "신호등", "학교", "없는낱말"]
    assert [n for _, n in published.execute(counted, {"words": words})] == [3, 3, 3, 6, 12, 0]


def test_a_question_without_a_known_word_is_answered_by_vectors_alone(published):
    vector = np.array([1, 0, 0, 0], dtype=np.float32)
    for words in ([], ["없는낱말"]):
        rows = search_hybrid(published, words, vector, 4)
        assert [row["vector_rank"] for row in rows] == [1, 2, 3, 4]
        assert {row["token_rank"] for row in rows} == {None}
    with pytest.raises(PermanentError, match="vectors of 3 numbers"):
        search_hybrid(published, [], np.ones(3, dtype=np.float32), 4)


def test_filters_keep_to_category_status_and_days(published):
    def ask(**filters) -> list[str]:
        named = ", ".join(f"{name} => :{name}" for name in filters)
        query = text(f"SELECT petition_id FROM petitions.search_petitions('[1,0,0,0]', 3, {named})")
        return [row.petition_id[-3:] for row in published.execute(query, filters)]

    assert ask(category="희귀") == ["001", "004", "007"]
    assert ask(status="ended") == []
    assert ask(since="2024-04-06", until="2024-04-08") == ["005", "006"]


def test_a_search_of_one_source_finds_it_among_many_of_another(published):
    """Filtered afterwards, none of it would be among the 30 nearest or the 100 with a rare word."""
    write_all(published, make_petitions(150))
    few = [replace(item, source=Source("assembly"), source_id=f"b-{n}") for n, item in enumerate(make_petitions(3))]
    upsert_petitions(published, few, seen_at=MONDAY)
    begin_run(published, Source("assembly"), WINDOW)
    model = make_model("fit-2", source=Source("assembly"), run_id=name_run(Source("assembly"), WINDOW))
    write_topic_model(published, model, make_topics(), [], [item.petition_id for item in few], make_shares(3))
    texts = read_texts(published, Source("assembly"), WINDOW)
    upsert_embeddings(published, BERT, texts, -make_vectors(3))
    for source in (Source("sample"), Source("assembly")):
        write_words(published, source, [["학교"]])
    for model_id in ("fit-1", "fit-2"):
        publish(published, model_id, [BERT, ELMO], at=MONDAY)
    vector = np.array([1, 0, 0, 0], dtype=np.float32)
    assert {row["source"] for row in search_hybrid(published, ["학교"], vector, 3)} == {"sample"}
    found = search_hybrid(published, ["학교"], vector, 3, Filters(source=Source("assembly")))
    assert sorted(row["petition_id"] for row in found) == ["assembly:b-0", "assembly:b-1", "assembly:b-2"]
    assert all(row["vector_rank"] and row["token_rank"] for row in found)


def test_no_index_is_made_for_few_vectors(published):
    assert ensure_index(published, BERT) is None
    assert published.scalar(INDEX) == 0
    assert measure_recall(published, BERT) is None
    assert read_searched_encoders(published) == [BERT]
    assert not [
        item for item in run_checks(published, Source("sample"), WINDOW, "fit-1", {BERT: {}}) if "recall" in item.name
    ]


def test_an_index_is_made_once_and_dropped_with_its_encoder(published):
    name = build(published, BERT)
    assert name and name.startswith("petition_embedding_hnsw_")
    assert (build(published, BERT), published.scalar(INDEX)) == (name, 1)
    published.execute(
        text(
            "INSERT INTO petitions.petition_embedding SELECT petition_id, 'new@1', embedding, content_hash"
            " FROM petitions.petition_embedding"
        )
    )
    assert build(published, "new@1") not in (None, name)
    assert published.scalar(INDEX) == 2, "the published one stays beside the one that is to be published"
    publish(published, "fit-1", ["new@1"], at=MONDAY)
    build(published, "new@1")
    assert published.scalar(INDEX) == 1


@pytest.mark.slow
def test_search_over_many_petitions_goes_by_the_index_and_finds_what_exact_search_finds(conn):
    vectors = write_many(conn, 2500)
    name = ensure_index(conn, WIDE)
    recall = measure_recall(conn, WIDE, n=20)
    assert recall is not None and recall >= 0.98
    scans = text("SELECT pg_stat_get_xact_numscans(CAST(:name AS regclass))")
    before = conn.scalar(scans, {"name": f"petitions.{name}"})
    found = 0
    for number in range(0, 2500, 250):
        rows = search_petitions(conn, vectors[number], 10)
        exact = np.argsort(-(vectors @ vectors[number]), kind="stable")[:10]
        found += len({row["petition_id"] for row in rows} & {f"sample:m-{place:05d}" for place in exact})
    assert found >= 98
    assert conn.scalar(scans, {"name": f"petitions.{name}"}) == before + 10
    results = {item.name: item for item in run_checks(conn, Source("sample"), WINDOW, "fit-1", {WIDE: {}})}
    assert (results[f"recall {WIDE}"].limit, results[f"recall {WIDE}"].passed) == ("at least 0.98", True)


@pytest.mark.slow
def test_an_index_that_is_searched_too_shortly_is_told_by_its_recall(conn):
    write_many(conn, 2500)
    ensure_index(conn, WIDE)
    for setting in ("ef_search = 1", "iterative_scan = off"):
        conn.execute(text(f"ALTER FUNCTION petitions.nearest_petitions SET hnsw.{setting}"))
    recall = measure_recall(conn, WIDE, n=20)
    assert recall is not None and recall < 0.5
    results = {item.name: item for item in run_checks(conn, Source("sample"), WINDOW, "fit-1", {WIDE: {}})}
    assert not results[f"recall {WIDE}"].passed


def test_readers_call_the_searches_and_not_their_parts(published):
    published.execute(text("SET LOCAL ROLE petition_reader"))
    assert len(search_hybrid(published, ["급식"], np.array([1, 0, 0, 0], dtype=np.float32), 3)) == 3
    for call in (
        "prepare_search('x')",
        "nearest_petitions('x', '[1]', 1, NULL, NULL, NULL, NULL, NULL)",
        "bm25_petitions('x', '{}', 1, NULL, NULL, NULL, NULL, NULL)",
    ):
        with pytest.raises(PermanentError, match="permission denied"), published.begin_nested():
            published.execute(text(f"SELECT petitions.{call}"))


def test_writers_make_the_index(published):
    published.execute(text("SET LOCAL ROLE petition_writer"))
    assert build(published, BERT)


def test_the_migration_of_search_goes_down_and_up_with_petitions_tokens_and_an_index_in_place(engine):
    def read_indexes(conn) -> set[str]:
        names = text("SELECT indexname FROM pg_indexes WHERE schemaname = 'petitions'")
        return {name for name in conn.execute(names).scalars() if "hnsw" in name or "levels_idx" in name}

    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
        assert build(conn, BERT) in read_indexes(conn)
    downgrade(engine, "0006")
    with engine.connect() as conn:
        assert read_indexes(conn) == set()
        assert conn.scalar(text("SELECT count(*) FROM petitions.petition_embedding")) == 6
    upgrade(engine)
    with engine.begin() as conn:
        assert build(conn, BERT) in read_indexes(conn)
        assert len(read_indexes(conn)) == 2
