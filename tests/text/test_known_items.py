"""Vectors count as far as they help words to find what is known, and not at all where they do not."""

import numpy as np
from scipy.sparse import csr_matrix

from petitions.text.known_items import (
    VECTORS_ALONE,
    choose_weight,
    find_candidates,
    fuse,
    measure_agreement,
    rank_answers,
    score_words,
)

WORDS = csr_matrix(np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 1.0]]))
QUESTIONS = csr_matrix(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
SCORES = np.array([[0.0, 2.0, 1.9, 0.5]])
COSINES = np.array([[0.4, 0.1, 0.3, 0.2]])


def test_words_find_those_that_hold_them_and_nobody_else():
    found = find_candidates(score_words(WORDS, QUESTIONS), None)
    assert [fuse(item, 0.0) for item in found] == [[0], [2], []]


def test_a_petition_is_not_most_like_itself():
    found = find_candidates(np.eye(3), np.eye(3), without_self=True)
    assert [fuse(item, 0.0) for item in found] == [[], [], []]
    assert [fuse(item, VECTORS_ALONE) for item in found] == [[1, 2], [0, 2], [0, 1]]
    assert measure_agreement(found, ["a", "a", "b"], 1.0).tolist() == [0.5, 0.5, 0.0]


def test_a_weight_of_zero_is_words_alone_and_a_small_one_parts_what_words_hold_nearly_equal():
    (found,) = find_candidates(SCORES, COSINES)
    assert fuse(found, 0.0) == [1, 2, 3]
    assert fuse(found, 0.1) == [1, 2, 3, 0]
    assert fuse(found, 0.5) == [2, 1, 3, 0]
    assert fuse(found, VECTORS_ALONE) == [0, 2, 3, 1]


def test_the_reciprocal_rank_of_who_is_not_found_is_zero():
    found = find_candidates(np.array([[0.0, 0, 2, 1], [0, 0, 1, 2]]), None)
    assert rank_answers(found, [3, 0], 0.0).tolist() == [0.5, 0.0]


def spread(mean: float, n: int = 400, by: float = 0.0) -> np.ndarray:
    """Values of this mean, every other one this much above it."""
    return np.full(n, mean) + np.where(np.arange(n) % 2, by, -by)


def measured(**sets: dict[float, float]) -> dict[float, dict[str, np.ndarray]]:
    weights = {weight for values in sets.values() for weight in values}
    return {weight: {name: spread(values[weight]) for name, values in sets.items()} for weight in weights}


def test_a_weight_is_taken_where_it_gains_and_loses_on_no_set():
    title = {0.0: 0.9, 0.1: 0.9, 0.2: 0.9, 0.5: 0.8, VECTORS_ALONE: 0.1}
    body = {0.0: 0.5, 0.1: 0.52, 0.2: 0.5, 0.5: 0.7, VECTORS_ALONE: 0.2}
    choice = choose_weight(measured(title=title, body=body), 400)
    assert (choice.weight, round(choice.fused["body"], 9), choice.vectors["body"]) == (0.1, 0.52, 0.2)
    title[0.1] = 0.89
    assert choose_weight(measured(title=title, body=body), 400).weight == 0.0


def test_a_loss_within_its_standard_error_is_none_where_nothing_gains_without_one():
    found = measured(title={0.0: 0.9, 0.1: 0.899, VECTORS_ALONE: 0.1}, body={0.0: 0.5, 0.1: 0.6, VECTORS_ALONE: 0.2})
    assert choose_weight(found, 400).weight == 0.0
    found[0.1]["title"] = spread(0.899, by=0.05)
    assert choose_weight(found, 400).weight == 0.1
    found[0.2] = {"title": spread(0.9), "body": spread(0.55)}
    assert choose_weight(found, 400).weight == 0.2


def test_what_vectors_of_chance_bring_where_words_find_nothing_is_no_gain():
    found = measured(body={0.0: 0.0, 0.1: 0.1, VECTORS_ALONE: 0.1})
    assert choose_weight(found, 60).weight == 0.0
    assert choose_weight(found, 600).weight == 0.1
