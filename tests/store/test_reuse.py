"""Nothing is tokenized, encoded or scored twice, and nothing that is stale is read."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, TUESDAY, WINDOW, make_petitions, make_vectors, write_all, write_fit
from petitions.errors import PermanentError
from petitions.records import Hidden, Source
from petitions.store.petitions import mark_hidden, read_texts, upsert_petitions
from petitions.store.scores import Keywords, Score, read_unscored, upsert_keywords, upsert_scores
from petitions.store.tokens import PetitionTokens, read_untokenized, upsert_tokens
from petitions.store.upsert import Counts
from petitions.store.vectors import (
    EmbeddingStream,
    read_embeddings,
    read_unencoded,
    select_embeddings,
    upsert_embeddings,
)
from rows import read_tokens

pytestmark = pytest.mark.postgres

PETITIONS = make_petitions(10)
SAMPLE = Source("sample")


@pytest.fixture(autouse=True)
def stored(conn):
    upsert_petitions(conn, PETITIONS, seen_at=MONDAY)


def tokenize(conn, texts, tokenizer="mecab-1") -> Counts:
    return upsert_tokens(
        conn,
        [
            PetitionTokens(
                petition_id=item.petition_id,
                tokenizer=tokenizer,
                content_hash=item.content_hash,
                tokens=item.title.split(),
            )
            for item in texts
        ],
    )


def stream(conn, encoder) -> EmbeddingStream:
    return EmbeddingStream(conn=conn, query=select_embeddings(SAMPLE, WINDOW, encoder))


def test_batches_of_unseen_texts_end_when_all_are_written(conn):
    sizes = []
    while texts := read_untokenized(conn, SAMPLE, WINDOW, "mecab-1", 4):
        tokenize(conn, texts)
        sizes.append(len(texts))
    assert sizes == [4, 4, 2]
    assert [item.petition_id for item in read_untokenized(conn, SAMPLE, WINDOW, "mecab-2")] == [
        item.petition_id for item in PETITIONS
    ]


def test_a_changed_text_is_unseen_again_and_its_old_tokens_are_not_read(conn):
    tokenize(conn, read_untokenized(conn, SAMPLE, WINDOW, "mecab-1"))
    upsert_petitions(conn, [replace(PETITIONS[4], body="고쳤습니다.")], seen_at=TUESDAY)
    assert len(read_tokens(conn, SAMPLE, WINDOW, "mecab-1")) == 9
    unseen = read_untokenized(conn, SAMPLE, WINDOW, "mecab-1")
    assert [item.body for item in unseen] == ["고쳤습니다."]
    assert tokenize(conn, unseen) == Counts(updated=1)
    assert len(read_tokens(conn, SAMPLE, WINDOW, "mecab-1")) == 10


def test_tokens_come_back_in_the_order_of_the_ids(conn):
    tokenize(conn, reversed(read_untokenized(conn, SAMPLE, WINDOW, "mecab-1")))
    documents = read_tokens(conn, SAMPLE, WINDOW, "mecab-1")
    assert documents == [(item.petition_id, item.title.split()) for item in PETITIONS]


def test_hidden_petitions_are_neither_unseen_nor_read(conn):
    tokenize(conn, read_untokenized(conn, SAMPLE, WINDOW, "mecab-1"))
    hidden = Hidden(source=SAMPLE, source_id="a-002", url="", artifact="raw#0")
    mark_hidden(conn, [hidden], seen_at=TUESDAY)
    assert len(read_tokens(conn, SAMPLE, WINDOW, "mecab-1")) == 9
    assert len(read_unencoded(conn, SAMPLE, WINDOW, BERT)) == 9


def test_vectors_come_back_bit_by_bit(conn):
    texts = read_unencoded(conn, SAMPLE, WINDOW, BERT)
    vectors = np.random.default_rng(0).normal(size=(10, 768)).astype(np.float32)
    assert upsert_embeddings(conn, BERT, texts, vectors) == Counts(inserted=10)
    (batch,) = stream(conn, BERT)
    assert batch.texts == [(item.petition_id, item.content_hash) for item in PETITIONS]
    assert batch.embeddings.dtype == np.float32
    np.testing.assert_array_equal(batch.embeddings, vectors)
    some = [PETITIONS[7].petition_id, PETITIONS[2].petition_id]
    np.testing.assert_array_equal(read_embeddings(conn, BERT, some), vectors[[7, 2]])


def test_a_stream_gives_the_same_batches_each_time_and_other_queries_go_between(conn, monkeypatch):
    monkeypatch.setattr("petitions.store.vectors.BATCH", 4)
    vectors = make_vectors(10)
    upsert_embeddings(conn, BERT, read_unencoded(conn, SAMPLE, WINDOW, BERT), vectors)
    for _ in range(2):
        sizes = []
        for batch in stream(conn, BERT):
            np.testing.assert_array_equal(read_embeddings(conn, BERT, batch.petition_ids), batch.embeddings)
            sizes.append(len(batch.texts))
        assert sizes == [4, 4, 2]


def test_vectors_of_hidden_petitions_and_of_texts_that_changed_are_not_streamed(conn):
    upsert_embeddings(conn, BERT, read_unencoded(conn, SAMPLE, WINDOW, BERT), make_vectors(10))
    mark_hidden(conn, [Hidden(source=SAMPLE, source_id="a-002", url="", artifact="raw#0")], seen_at=TUESDAY)
    upsert_petitions(conn, [replace(PETITIONS[4], body="고쳤습니다.")], seen_at=TUESDAY)
    (batch,) = stream(conn, BERT)
    assert batch.petition_ids == [PETITIONS[row].petition_id for row in (0, 2, 3, 5, 6, 7, 8, 9)]


def test_encoders_of_different_widths_stand_side_by_side(conn):
    texts = read_unencoded(conn, SAMPLE, WINDOW, BERT)
    upsert_embeddings(conn, BERT, texts, make_vectors(10, width=8))
    upsert_embeddings(conn, ELMO, texts[:3], make_vectors(3, width=5))
    assert [batch.embeddings.shape for batch in stream(conn, BERT)] == [(10, 8)]
    assert [batch.embeddings.shape for batch in stream(conn, ELMO)] == [(3, 5)]
    assert list(stream(conn, "none")) == []
    assert read_embeddings(conn, "none", []).shape == (0, 0)


def test_a_vector_of_the_same_text_is_not_rewritten_for_its_last_bits(conn):
    texts = read_unencoded(conn, SAMPLE, WINDOW, BERT)
    upsert_embeddings(conn, BERT, texts, make_vectors(10))
    before = conn.execute(text("SELECT xmin::text, ctid::text FROM petition_embedding")).all()
    assert upsert_embeddings(conn, BERT, texts, make_vectors(10) * np.float32(1 + 1e-7)) == Counts(unchanged=10)
    assert conn.execute(text("SELECT xmin::text, ctid::text FROM petition_embedding")).all() == before


@pytest.mark.parametrize("vectors", [make_vectors(9), np.full((10, 4), np.nan, dtype=np.float32), np.zeros(10)])
def test_vectors_that_do_not_fit_are_refused(conn, vectors):
    texts = read_unencoded(conn, SAMPLE, WINDOW, BERT)
    with pytest.raises(PermanentError, match="bert-tiny"):
        upsert_embeddings(conn, BERT, texts, vectors)


def score(conn, texts, name, value=0.5, model_id="") -> Counts:
    return upsert_scores(
        conn,
        [
            Score(
                petition_id=item.petition_id,
                encoder=BERT,
                score=name,
                value=value,
                content_hash=item.content_hash,
                model_id=model_id,
            )
            for item in texts
        ],
    )


def test_a_topic_similarity_is_of_a_fit_and_leaves_that_of_another_alone(conn):
    write_fit(conn, PETITIONS)
    texts = read_texts(conn, SAMPLE, WINDOW)
    assert score(conn, texts, "topic_similarity", 0.5, "fit-1") == Counts(inserted=10)
    assert score(conn, texts, "topic_similarity", 0.5, "fit-1") == Counts(unchanged=10)
    assert score(conn, texts, "topic_similarity", 0.9, "fit-2") == Counts(inserted=10)


def test_a_text_is_unscored_while_it_lacks_one_of_the_scores(conn):
    write_all(conn, PETITIONS)
    names = ["next_sentence", "moderation"]
    texts = read_unscored(conn, SAMPLE, WINDOW, BERT, names)
    assert len(texts) == 10
    score(conn, texts, "next_sentence", 0.5, "")
    assert len(read_unscored(conn, SAMPLE, WINDOW, BERT, names)) == 10
    assert read_unscored(conn, SAMPLE, WINDOW, BERT, names[:1]) == []
    score(conn, texts[:3], "moderation", 0.5, "")
    assert [item.petition_id for item in read_unscored(conn, SAMPLE, WINDOW, BERT, names)] == [
        item.petition_id for item in texts[3:]
    ]


@pytest.mark.parametrize(
    ("name", "value", "model_id", "message"),
    [
        ("next_sentence", float("nan"), "", "nan, not finite"),
        ("Happiness!", 0.5, "", "petition_score_score_check"),
        ("topic_similarity", 0.5, "", "petition_score_model_id_check"),
        ("next_sentence", 0.5, "fit-1", "petition_score_model_id_check"),
    ],
)
def test_a_score_that_cannot_be_is_refused(conn, name, value, model_id, message):
    texts = read_unscored(conn, SAMPLE, WINDOW, BERT, [name], 2)
    with pytest.raises(PermanentError, match=message), conn.begin_nested():
        score(conn, texts, name, value, model_id)


def test_fewer_keywords_of_a_new_text_leave_none_of_the_old(conn):
    def keywords(content_hash: str, *words: str) -> Keywords:
        weighted = [(word, 0.5) for word in words]
        return Keywords(
            petition_id="sample:a-001", encoder=BERT, content_hash=content_hash, extractor="v1", words=weighted
        )

    assert upsert_keywords(conn, [keywords(PETITIONS[0].content_hash, "가", "나", "다")]) == Counts(inserted=3)
    assert upsert_keywords(conn, [keywords("another", "라")]) == Counts(updated=1, deleted=2)
    assert conn.execute(text("SELECT rank, word FROM petition_keyword")).all() == [(1, "라")]
    assert upsert_keywords(conn, [keywords("a third")]) == Counts(deleted=1)
    assert conn.execute(text("SELECT count(*) FROM petition_keyword")).scalar_one() == 0
