"""Postgres joins words and vectors as the measurement does that weighs them."""

from dataclasses import replace

import numpy as np
import pytest

from invented import BERT, ELMO, MONDAY, PETITION, WINDOW, write_fit
from known import embed_by_chance
from petitions.records import Source
from petitions.store.fusion import EncoderWeight, upsert_weight
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.readers import read_similar, search_hybrid
from petitions.store.tokens import PetitionTokens, upsert_tokens
from petitions.store.vectors import upsert_embeddings
from petitions.store.words import PetitionWords, upsert_words
from petitions.text.bm25 import weigh_words
from petitions.text.known_items import fuse
from petitions.text.known_questions import TWO_WORDS, Sets
from petitions.text.search_words import split_many
from petitions.text.tokenizer import tokenize_many

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

N = 45  # fewer than a list has: none is cut where two are equal
SAMPLE = Source("sample")
WORDS = [
    "학교",
    "급식",
    "교사",
    "학생",
    "버스",
    "노선",
    "정류장",
    "신호등",
    "횡단보도",
    "병원",
    "의사",
    "환자",
    "보험",
    "주택",
    "분양",
    "전세",
    "공원",
    "하천",
    "소음",
    "공사",
]


def make_texts() -> list[tuple[str, str]]:
    """Titles of three words, bodies of 10 to 60, some more often than others."""
    rng = np.random.default_rng(0)
    often = rng.permutation(np.linspace(1, 9, len(WORDS)))
    draw = [rng.choice(WORDS, 13 + number, p=often / often.sum()) for number in range(N)]
    return [(" ".join(words[:3]), " ".join(f"{word} 정말 그렇게" for word in words[3:])) for words in draw]


@pytest.fixture
def sets(conn) -> Sets:
    petitions = [
        replace(PETITION, source_id=f"f-{number:03d}", title=title, purpose="", body=body)
        for number, (title, body) in enumerate(make_texts())
    ]
    upsert_petitions(conn, petitions, seen_at=MONDAY)
    write_fit(conn, petitions)
    texts = sorted(read_texts(conn, SAMPLE, WINDOW), key=lambda item: item.petition_id)
    vectors = embed_by_chance([item.whole for item in texts])
    upsert_embeddings(conn, BERT, texts, vectors)
    split = zip(texts, split_many([t.title for t in texts]), split_many([t.below_title for t in texts]), strict=True)
    upsert_words(
        conn,
        [
            PetitionWords(
                petition_id=item.petition_id,
                tokenizer="search-2",
                content_hash=item.content_hash,
                weights=weigh_words(title, body),
            )
            for item, title, body in split
        ],
    )
    upsert_tokens(
        conn,
        [
            PetitionTokens(
                petition_id=item.petition_id, tokenizer="mecab-1", content_hash=item.content_hash, tokens=tokens
            )
            for item, tokens in zip(texts, tokenize_many([item.whole for item in texts]), strict=True)
        ],
    )
    publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    return Sets(texts, vectors, embed_by_chance)


@pytest.mark.parametrize("weight", [0.1, 0.5, 2.0])
def test_search_is_fused_as_it_was_measured(conn, sets, weight):
    upsert_weight(conn, EncoderWeight(encoder=BERT, search_weight=weight))
    for asked, found in list(zip(sets.pairs, sets.candidates[TWO_WORDS], strict=True))[:12]:
        (vector,) = embed_by_chance([asked])
        rows = search_hybrid(conn, split_many([asked])[0], vector, 10, encoder=BERT)
        assert [int(row["petition_id"][-3:]) for row in rows] == fuse(found, weight)[:10]
        shares = dict(zip(found.petitions.tolist(), found.shares + weight * found.similarities, strict=True))
        for row in rows:
            assert row["score"] == pytest.approx(shares[int(row["petition_id"][-3:])], abs=1e-5)


@pytest.mark.parametrize("weight", [0.1, 1.0])
def test_similar_petitions_are_fused_as_it_was_measured(conn, sets, weight):
    upsert_weight(conn, EncoderWeight(encoder=BERT, similar_weight=weight))
    for number, found in list(enumerate(sets.list_most_like()))[:12]:
        rows = read_similar(conn, f"sample:f-{number:03d}", 10)
        assert [int(row["petition_id"][-3:]) for row in rows] == fuse(found, weight)[:10]
