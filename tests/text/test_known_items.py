"""Vectors count as far as they help words to find what is known, and not at all where they do not."""

import numpy as np
from scipy.sparse import csr_matrix

from petitions.text.known_items import (
    VECTORS_ALONE,
    choose_weight,
    fuse,
    measure_agreement,
    rank_answers,
    rank_vectors,
    rank_words,
)

WORDS = csr_matrix(np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 1.0]]))
QUESTIONS = csr_matrix(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))


def test_words_rank_those_that_hold_them_and_nobody_else():
    lists = rank_words(WORDS, QUESTIONS)
    assert lists[:, 0].tolist() == [0, 2, -1]
    assert (lists[:, 1:] == -1).all()


def test_a_petition_is_not_most_like_itself():
    vectors = np.eye(3, dtype=np.float32)
    assert rank_vectors(vectors, vectors)[:, 0].tolist() == [0, 1, 2]
    lists = rank_vectors(vectors, vectors, without_self=True)
    assert all(place not in row for place, row in enumerate(lists.tolist()))
    assert measure_agreement(lists, lists, ["a", "a", "b"], 0.0) == 2 / 6


def test_a_weight_of_zero_is_words_alone():
    assert fuse([3, 1], [2, 1], 0.0) == [3, 1]
    assert fuse([3, 1], [2, 1], 1.0) == [1, 3, 2][:1] + sorted([2, 3])
    assert fuse([3, 1], [2, 1], VECTORS_ALONE) == [2, 1]


def test_the_reciprocal_rank_of_who_is_not_found_is_zero():
    lists = np.array([[4, 5], [5, 4]])
    assert rank_answers(lists, np.full((2, 2), -1), [5, 6], 0.0).tolist() == [0.5, 0.0]


def test_a_weight_is_taken_where_it_gains_and_loses_on_no_set():
    measured = {
        0.0: {"title": 0.9, "body": 0.5},
        0.1: {"title": 0.9, "body": 0.52},
        0.2: {"title": 0.9, "body": 0.5},
        0.5: {"title": 0.8, "body": 0.7},
        VECTORS_ALONE: {"title": 0.1, "body": 0.2},
    }
    choice = choose_weight(measured, 400)
    assert (choice.weight, choice.fused["body"], choice.words["body"], choice.vectors["body"]) == (0.1, 0.52, 0.5, 0.2)
    measured[0.1] = {"title": 0.89, "body": 0.6}
    assert choose_weight(measured, 400).weight == 0.0


def test_what_vectors_of_chance_bring_where_words_find_nothing_is_no_gain():
    measured = {0.0: {"body": 0.0}, 0.1: {"body": 0.1}, VECTORS_ALONE: {"body": 0.1}}
    assert choose_weight(measured, 60).weight == 0.0
    assert choose_weight(measured, 600).weight == 0.1
