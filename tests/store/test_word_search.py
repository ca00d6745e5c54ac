"""Search by words: the ranking is BM25F over all that is published, filters are full, and nothing known is no error."""

from collections import Counter
from math import log1p

import numpy as np
import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, WINDOW, make_petitions, make_vectors, write_all
from petitions.records import Source
from petitions.store.fusion import EncoderWeight, insert_weight, is_weighed, upsert_weight
from petitions.store.petitions import read_texts
from petitions.store.publishing import publish
from petitions.store.readers import Filters, read_similar, search_hybrid
from petitions.store.tokens import PetitionTokens, upsert_tokens
from petitions.store.words import DIMENSIONS, number_word, read_unsplit
from petitions.text.bm25 import weigh_words
from rows import write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

N = 400
SAMPLE = Source("sample")
FREQUENT = ["정부", "국민", "대책"]  # in all petitions: read in rounds


def make_bodies() -> list[list[str]]:
    """Bodies of 20 to 300 words: three that all have, in any number, and others that few have."""
    rng = np.random.default_rng(0)
    return [
        [
            *FREQUENT,
            *rng.choice(FREQUENT, rng.integers(0, 40)),
            *(f"낱말{n}" for n in rng.integers(0, 900, 20 + number % 280)),
        ]
        for number in range(N)
    ]


@pytest.fixture
def many(conn):
    write_all(conn, make_petitions(N))
    write_words(conn, SAMPLE, make_bodies())
    publish(conn, "fit-1", [BERT], at=MONDAY)
    conn.execute(text("SELECT petitions.count_words()"))
    return conn


def test_what_is_prepared_again_writes_alone_the_words_of_which_something_has_changed(many):
    kept = "SELECT level, ctid::text, xmin::text, xmax::text FROM petitions.word_level ORDER BY level"
    before = many.execute(text(kept)).all()
    many.execute(text("SELECT petitions.count_words()"))
    assert many.execute(text(kept)).all() == before  # a row that is locked has an xmax
    holds = "petitions.word_level AS l JOIN petitions.petition_words AS w ON w.levels @> ARRAY[l.level]"
    choose = text(f"SELECT l.level, w.petition_id, w.levels FROM {holds} WHERE l.n_petitions > 20 LIMIT 1")
    one = many.execute(choose).one()
    without = (
        "UPDATE petitions.petition_words SET levels = array_remove(levels, :level) WHERE petition_id = :petition_id"
    )
    many.execute(text(without), one._asdict())
    many.execute(text("SELECT petitions.count_words()"))
    changed = {row.level for row in {*before} ^ {*many.execute(text(kept)).all()}}
    assert {one.level} <= changed <= {*one.levels}


def rank_exactly(words: list[str]) -> list[int]:
    weights = [weigh_words([], body) for body in make_bodies()]
    counts = Counter(word for row in weights for word in row)
    scores = [
        sum(row.get(word, 0.0) * log1p((N - counts[word] + 0.5) / (counts[word] + 0.5)) for word in words)
        for row in weights
    ]
    return sorted((place for place in range(N) if scores[place]), key=lambda place: -scores[place])


def find(conn, words: list[str], k: int = 10, **filters) -> list[int]:
    rows = search_hybrid(conn, words, None, k, Filters(**filters))
    ids = [item.petition_id for item in read_texts(conn, SAMPLE, WINDOW)]
    return [ids.index(row["petition_id"]) for row in rows]


@pytest.mark.parametrize(
    "words", [FREQUENT, FREQUENT[:1], ["낱말1"], ["정부", "낱말7", "낱말8"], ["낱말3", "없는낱말"]]
)
def test_the_ranking_is_that_of_all_who_have_the_words(many, words):
    assert len(set(find(many, words)) & set(rank_exactly(words)[:10])) >= min(10, len(rank_exactly(words))) - 0.5


def test_filters_are_answered_in_full(many):
    ids = [item.petition_id for item in read_texts(many, SAMPLE, WINDOW)]
    days = dict(many.execute(text("SELECT petition_id, begins_on FROM petitions.petition")).all())
    since = sorted(days.values())[-20]
    late = [place for place in rank_exactly(FREQUENT) if days[ids[place]] >= since]
    assert set(find(many, FREQUENT, 200, since=since)) == set(late)
    assert find(many, FREQUENT, category="없는 분류") == []


def test_unknown_words_of_a_question_are_left_out(many):
    assert find(many, ["낱말5", "ASDFGH"]) == find(many, ["낱말5"]) != []
    assert find(many, ["ASDFGH"]) == []


def test_letters_are_looked_for_where_no_word_is_found(many):
    rows = search_hybrid(many, ["건널목에신"], None, 5, question="건널목에 신")
    assert len(rows) == 5
    for question in ("", " ", "😀", "가" * 201, "%", "' OR 1=1; --", "a:* & !b"):
        assert search_hybrid(many, [], None, 5, question=question) == []


def test_words_are_numbered_alike_by_the_code_and_by_postgres(conn):
    for word in ("국토부", "617", "GTXD", "법"):
        assert (
            conn.scalar(text("SELECT petitions.number_word(:word)"), {"word": word}) == number_word(word) <= DIMENSIONS
        )


def test_petitions_are_split_once_a_text_and_tokenizer(many):
    assert read_unsplit(many, SAMPLE, WINDOW, "search-1") == []
    assert len(read_unsplit(many, SAMPLE, WINDOW, "search-2", 7)) == 7


def test_vectors_without_a_measured_weight_do_not_count(many):
    vector = make_vectors(N)[0]
    assert not is_weighed(many, SAMPLE)
    by_word = search_hybrid(many, ["낱말5"], None, 10)
    assert search_hybrid(many, ["낱말5"], vector, 10, encoder=BERT) == by_word
    upsert_weight(many, EncoderWeight(encoder=BERT, search_weight=2))
    insert_weight(many, EncoderWeight(encoder=BERT, search_weight=0.0))
    assert is_weighed(many, SAMPLE)
    fused = search_hybrid(many, ["낱말5"], vector, N, encoder=BERT)
    assert [row["vector_rank"] for row in fused if row["petition_id"] == "sample:a-001"] == [1]


def test_the_petitions_most_like_one_share_its_weightiest_words(conn):
    write_all(conn, make_petitions(6))
    # the last has no word: its vector answers
    write_words(conn, SAMPLE, [["급식", "우유"], ["신호등"], ["급식", "학교"], ["급식", "우유", "학교"], ["집"], []])
    publish(conn, "fit-1", [BERT], at=MONDAY)
    found = [row["petition_id"] for row in read_similar(conn, "sample:a-001", 2)]
    assert found == ["sample:a-004", "sample:a-003"]
    assert [row["petition_id"] for row in read_similar(conn, "sample:a-006", 2)] == ["sample:a-005", "sample:a-004"]


def test_of_equal_words_those_that_topics_are_made_of_tell_what_is_most_like_a_petition(conn):
    write_all(conn, make_petitions(3))
    write_words(conn, SAMPLE, [["급식", "정말로"], ["정말로", "우유"], ["급식", "학교"]])
    publish(conn, "fit-1", [BERT], at=MONDAY)
    assert [row["petition_id"] for row in read_similar(conn, "sample:a-001", 2)] == ["sample:a-002", "sample:a-003"]
    one = read_texts(conn, SAMPLE, WINDOW)[0]
    tokens = PetitionTokens(
        petition_id=one.petition_id, tokenizer="mecab-1", content_hash=one.content_hash, tokens=["급식"]
    )
    upsert_tokens(conn, [tokens])
    assert [row["petition_id"] for row in read_similar(conn, "sample:a-001", 2)] == ["sample:a-003", "sample:a-002"]
