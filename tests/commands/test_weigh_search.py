"""Vectors that know more than the words get a weight, vectors of chance none; too few petitions get neither."""

import hashlib

import numpy as np
import pytest

from petitions.commands.weigh_search import measure
from petitions.records import PetitionText
from petitions.text.known_items import VECTORS_ALONE, choose_weight

THINGS = ["급식", "신호등", "주택", "버스", "하천", "소음", "요금", "공원", "병원", "도서관"]
PLACES = ["서울", "부산", "대구", "인천", "광주", "대전"]
TEXTS = [
    PetitionText(
        petition_id=f"sample:{thing}-{place}",
        content_hash=f"{thing}-{place}",
        title=f"{place} {thing} 개선",
        purpose="",
        body=f"{number % 7}번째 본문입니다. 저희 마을 이야기를 들어 주세요. 번호는 {number * 7919}입니다.",
    )
    for number, (thing, place) in enumerate((thing, place) for thing in THINGS for place in PLACES)
]
CATEGORIES = [item.title.split()[1] for item in TEXTS]
PARTS = [{*item.title.split(), item.below_title, item.whole} for item in TEXTS]


def embed_knowing(texts) -> np.ndarray:
    """How many parts of each petition a text holds: its body, its text as a whole, words of its title."""
    vectors = np.array([[sum(part in text for part in parts) for parts in PARTS] for text in texts], dtype=np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def embed_by_chance(texts) -> np.ndarray:
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) for text in texts]
    vectors = np.stack([np.random.default_rng(seed).normal(size=16) for seed in seeds]).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("embed", "helps"), [(embed_knowing, True), (embed_by_chance, False)])
def test_the_weight_of_vectors_is_what_they_deserve(embed, helps):
    search, _ = measure(TEXTS, CATEGORIES, embed([item.whole for item in TEXTS]), embed)
    assert search[0.0]["title"] == 1.0
    assert search[0.0]["body from title"] < 0.2, "the bodies share no word with their titles"
    choice = choose_weight(search, len(TEXTS))
    assert (choice.weight > 0) == helps
    assert all(choice.fused[name] >= value for name, value in choice.words.items())
    assert (search[VECTORS_ALONE]["body from title"] == 1.0) == helps


def test_the_most_like_by_words_are_of_the_category():
    _, similar = measure(TEXTS, CATEGORIES, embed_by_chance([item.whole for item in TEXTS]), embed_by_chance)
    assert similar[0.0]["category of the nearest ten"] > similar[VECTORS_ALONE]["category of the nearest ten"] + 0.1
