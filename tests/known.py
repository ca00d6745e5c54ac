"""Petitions whose titles share no word with their bodies, and vectors that know which is whose, or know nothing."""

import hashlib
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from invented import ELMO, MONDAY, PETITION, WINDOW, write_fit
from petitions.records import Petition, Source
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.vectors import upsert_embeddings
from petitions.store.words import PetitionWords, upsert_words
from petitions.text.bm25 import weigh_words
from petitions.text.search_words import split_many

THINGS = ["급식", "신호등", "주택", "버스", "하천", "소음", "요금", "공원", "병원", "도서관"]
PLACES = ["서울", "부산", "대구", "인천", "광주", "대전", "울산", "수원", "전주", "제주", "강릉", "춘천"]
PETITIONS: list[Petition] = [
    replace(
        PETITION,
        source_id=f"k-{number:03d}",
        title=f"{place} {thing} 개선",
        purpose="",
        body=f"{number % 7}번째 본문입니다. 저희 마을 이야기를 들어 주세요. 번호는 {number * 7919}입니다.",
        category=thing,
    )
    for number, (thing, place) in enumerate((thing, place) for thing in THINGS for place in PLACES)
]
PARTS = [{*item.title.split(), item.body, f"{item.title}\n{item.body}"} for item in PETITIONS]


def embed_knowing(texts) -> np.ndarray:
    """How many parts of each petition a text holds: its body, its text as a whole, words of its title."""
    vectors = np.array([[sum(part in text for part in parts) for parts in PARTS] for text in texts], dtype=np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def embed_by_chance(texts) -> np.ndarray:
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) for text in texts]
    vectors = np.stack([np.random.default_rng(seed).normal(size=16) for seed in seeds]).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def publish_known(conn: Connection, encoder: str, embed, n: int = len(PETITIONS)) -> None:
    """Publish the first n, with words, and vectors by what embeds."""
    upsert_petitions(conn, PETITIONS[:n], seen_at=MONDAY)
    write_fit(conn, PETITIONS[:n])
    texts = read_texts(conn, Source("sample"), WINDOW)
    upsert_embeddings(conn, encoder, texts, embed([item.whole for item in texts]))
    titles = split_many([item.title for item in texts])
    bodies = split_many([item.below_title for item in texts])
    upsert_words(
        conn,
        [
            PetitionWords(
                petition_id=item.petition_id,
                tokenizer="search-1",
                content_hash=item.content_hash,
                weights=weigh_words(title, body),
            )
            for item, title, body in zip(texts, titles, bodies, strict=True)
        ],
    )
    publish(conn, "fit-1", [encoder, ELMO], at=MONDAY)
