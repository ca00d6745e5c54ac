"""Vectors are compared with those of the encoder they are by, and of another of the same width never."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from invented import (
    BERT,
    ELMO,
    MONDAY,
    TUESDAY,
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
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.readers import Filters, read_similar, search_hybrid
from petitions.store.runs import begin_run, name_run
from petitions.store.topics import write_topic_model
from petitions.store.vectors import upsert_embeddings
from rows import search_petitions, write_words

pytestmark = pytest.mark.postgres

RETRAINED = "bert-tiny@ffffffffffff"  # as wide as BERT
ASKED = make_vectors(12)[0]
FAR = ["sample:a-012", "sample:a-011", "sample:a-010"]  # from the first petition by BERT; its nearest by RETRAINED
NEAR = ["sample:a-001", "sample:a-002", "sample:a-003"]


@pytest.fixture
def sample(conn):
    """Twelve petitions with the vectors of two encoders of one width: by RETRAINED the first stands beside the last."""
    write_all(conn, make_petitions(12))
    vectors = make_vectors(12)[::-1].copy()
    vectors[0] = make_vectors(12)[0]
    upsert_embeddings(conn, RETRAINED, read_texts(conn, Source("sample"), WINDOW), vectors)
    publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    return conn


@pytest.fixture
def both(sample):
    """The same beside another source, whose three petitions are published with RETRAINED."""
    write_assembly(sample, RETRAINED, "mecab-1")
    return sample


def write_assembly(conn, encoder: str, tokenizer: str) -> None:
    few = [
        replace(item, source=Source("assembly"), source_id=f"b-{number}")
        for number, item in enumerate(make_petitions(3), start=1)
    ]
    upsert_petitions(conn, few, seen_at=MONDAY)
    begin_run(conn, Source("assembly"), WINDOW)
    run_id = name_run(Source("assembly"), WINDOW)
    model = make_model("fit-2", source=Source("assembly"), run_id=run_id, tokenizer=tokenizer)
    write_topic_model(conn, model, make_topics(), [], [item.petition_id for item in few], make_shares(3))
    upsert_embeddings(conn, encoder, read_texts(conn, Source("assembly"), WINDOW), make_vectors(3))
    publish(conn, "fit-2", [encoder], at=MONDAY)


def ids(rows) -> list[str]:
    return [row["petition_id"] for row in rows]


def test_neighbours_are_those_of_the_encoder_that_was_published_last(sample):
    assert ids(read_similar(sample, "sample:a-001", 2)) == NEAR[1:]
    assert ids(search_petitions(sample, ASKED, 3, encoder=BERT)) == NEAR
    publish(sample, "fit-1", [RETRAINED, ELMO], at=TUESDAY)
    assert ids(read_similar(sample, "sample:a-001", 3)) == FAR
    assert ids(search_petitions(sample, ASKED, 4, encoder=RETRAINED)) == [NEAR[0], *FAR]
    publish(sample, "fit-1", [BERT, ELMO], at=TUESDAY)
    assert ids(read_similar(sample, "sample:a-001", 2)) == NEAR[1:]


def test_a_vector_by_an_encoder_that_is_not_published_is_refused_by_name(sample):
    for search in (
        lambda: search_petitions(sample, ASKED, 3, encoder=RETRAINED),
        lambda: search_hybrid(sample, ["학교"], ASKED, 3, encoder=RETRAINED),
        lambda: search_hybrid(sample, ["학교"], ASKED, 3, Filters(source=Source("sample")), encoder=RETRAINED),
    ):
        with pytest.raises(PermanentError, match=f"by {RETRAINED}, but .* by {BERT}"), sample.begin_nested():
            search()


def test_a_vector_that_may_be_by_either_of_two_encoders_is_refused(both):
    for search in (
        lambda: search_petitions(both, ASKED, 3),
        lambda: search_hybrid(both, ["학교"], ASKED, 3),
    ):
        with (
            pytest.raises(PermanentError, match=f"vectors of 4 numbers by {BERT}, {RETRAINED}.*encoder"),
            both.begin_nested(),
        ):
            search()


def test_a_vector_is_compared_with_the_sources_that_were_published_with_its_encoder(both):
    for encoder, source in ((BERT, "sample"), (RETRAINED, "assembly")):
        assert {row["source"] for row in search_petitions(both, ASKED, 15, encoder=encoder)} == {source}
        assert {row["source"] for row in search_hybrid(both, [], ASKED, 15, encoder=encoder)} == {source}
        assert {row["source"] for row in search_hybrid(both, [], ASKED, 15, Filters(source=Source(source)))} == {source}
    assert ids(read_similar(both, "assembly:b-1", 5)) == ["assembly:b-2", "assembly:b-3"]
    assert {row["source"] for row in read_similar(both, "sample:a-001", 15)} == {"sample"}
    with pytest.raises(PermanentError, match=f"assembly is searched by {RETRAINED}"), both.begin_nested():
        search_hybrid(both, [], ASKED, 3, Filters(source=Source("assembly")), encoder=BERT)


def test_words_alone_find_petitions_of_all_encoders(both):
    for source in (Source("sample"), Source("assembly")):
        write_words(both, source, [["학교"]])
    query = text("SELECT source FROM petitions.search_petitions_hybrid(ARRAY['학교'], NULL, 30)")
    assert set(both.scalars(query)) == {"sample", "assembly"}


def test_words_are_found_whatever_tokens_the_topics_of_a_source_were_made_from(sample):
    write_assembly(sample, BERT, "mecab-2")
    write_words(sample, Source("sample"), [["학교"]])
    write_words(sample, Source("assembly"), [["학교"]])
    found = search_hybrid(sample, ["학교"], np.array([-1, 0, 0, 0], np.float32), 30)
    assert {row["source"] for row in found if row["token_rank"]} == {"sample", "assembly"}


def test_nothing_published_gives_nothing_whatever_the_encoder(conn):
    assert search_petitions(conn, ASKED, 3, encoder=BERT) == []
    assert search_hybrid(conn, ["학교"], ASKED, 3, encoder=BERT) == []
