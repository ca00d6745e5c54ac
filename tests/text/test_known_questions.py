"""Vectors that know more than the words get a weight, vectors of chance none."""

import pytest

from known import PETITIONS, embed_by_chance, embed_knowing
from petitions.records import PetitionText
from petitions.text.known_items import VECTORS_ALONE, choose_weight
from petitions.text.known_questions import compare, measure

TEXTS = [
    PetitionText(
        petition_id=item.petition_id, content_hash=item.source_id, title=item.title, purpose="", body=item.body
    )
    for item in PETITIONS[::2]
]
CATEGORIES = [item.category for item in PETITIONS[::2]]


@pytest.mark.parametrize(("embed", "helps"), [(embed_knowing, True), (embed_by_chance, False)])
def test_the_weight_of_vectors_is_what_they_deserve(embed, helps):
    search, _ = measure(TEXTS, CATEGORIES, embed([item.whole for item in TEXTS]), embed)
    assert search[0.0]["title"].mean() == 1.0
    assert search[0.0]["body from title"].mean() < 0.2, "the bodies share no word with their titles"
    choice = choose_weight(search, len(TEXTS))
    assert (choice.weight > 0) == helps
    assert (search[VECTORS_ALONE]["body from title"].mean() == 1.0) == helps


def test_the_most_like_by_words_are_of_the_category():
    _, similar = measure(TEXTS, CATEGORIES, embed_by_chance([item.whole for item in TEXTS]), embed_by_chance)
    by_words, by_vectors = (similar[weight]["category of the nearest ten"].mean() for weight in (0.0, VECTORS_ALONE))
    assert by_words > by_vectors + 0.1


@pytest.mark.parametrize(("embed", "is_worse"), [(embed_knowing, False), (embed_by_chance, True)])
def test_what_is_served_is_compared_with_words_alone(embed, is_worse):
    found = {item.name: item for item in compare(TEXTS, embed([item.whole for item in TEXTS]), embed, 1.0)}
    assert found["title"].is_worse == is_worse


def test_without_vectors_both_are_words():
    for item in compare(TEXTS, embed_by_chance([item.whole for item in TEXTS]), None, 0.0):
        assert (item.fused, item.vectors, item.chance) == (item.words, None, 0.0)
        assert not item.is_worse


def test_questions_alone_are_compared_without_the_bodies_vectors():
    whole = embed_knowing([item.whole for item in TEXTS])
    asked = compare(TEXTS, whole, None, 1.0, embed_knowing)
    assert asked == compare(TEXTS, whole, embed_knowing, 1.0)[:2]
    assert [item.name for item in asked] == ["title", "two words of the title"]
