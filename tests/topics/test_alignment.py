import numpy as np
import pytest

from petitions.topics.alignment import Alignment, align_topics, assign_topic_ids, find_died_ids, measure_distances

TERMS = ["학교", "급식", "버스", "지하철", "집값", "분양"]
SCHOOL = [0.6, 0.4, 0, 0, 0, 0]
TRAFFIC = [0, 0, 0.5, 0.5, 0, 0]
HOUSING = [0, 0, 0, 0, 0.3, 0.7]


def align(new, old, max_distance=0.6):
    return align_topics(np.array(new), TERMS, np.array(old), TERMS, max_distance)


def test_permuted_topics_find_themselves():
    alignments = align([TRAFFIC, SCHOOL, HOUSING], [SCHOOL, HOUSING, TRAFFIC])
    assert alignments == [Alignment(new=k, old=old, distance=0.0) for k, old in enumerate([2, 0, 1])]


def test_terms_are_matched_by_name_not_by_column():
    shuffled = ["지하철", "새말", "급식", "버스", "학교"]
    distances = measure_distances(
        np.array([[0.5, 0, 0, 0.5, 0], [0, 0, 0.4, 0, 0.6], [0, 1.0, 0, 0, 0]]),
        shuffled,
        np.array([SCHOOL, TRAFFIC]),
        TERMS,
    )
    assert distances == pytest.approx(np.array([[1, 0], [0, 1], [1, 1]]), abs=1e-7)


def test_the_distance_is_jensen_shannon_to_the_base_of_two():
    distance = measure_distances(np.array([[1.0, 0]]), ["가", "나"], np.array([[0.5, 0.5]]), ["가", "나"])
    assert distance[0, 0] == pytest.approx(np.sqrt(0.31127812445913283))  # 1.5 - 0.75 log2(3), by hand


def test_a_topic_far_from_all_old_ones_is_born_and_the_left_one_dies():
    alignments = align([SCHOOL, TRAFFIC], [SCHOOL, HOUSING])
    assert alignments[1] == Alignment(new=1, old=None, distance=None)
    assert assign_topic_ids(alignments, [4, 7]) == [4, 8]
    assert find_died_ids(alignments, [4, 7]) == [7]


def test_of_two_heirs_of_one_topic_the_nearer_continues_it():
    close = [0.55, 0.45, 0, 0, 0, 0]
    alignments = align([close, SCHOOL], [SCHOOL])
    assert [alignment.old for alignment in alignments] == [None, 0]


def test_a_pair_beyond_the_limit_does_not_push_a_good_pair_apart():
    new = np.array([[5, 2, 4, 1], [6, 0, 0, 6]]) / 12
    old = np.array([[3 / 8, 2 / 8, 1 / 8, 2 / 8], [0, 4 / 7, 3 / 7, 0]])
    distances = measure_distances(new, TERMS[:4], old, TERMS[:4])
    assert distances.trace() > distances[0, 1] + distances[1, 0]  # the sum alone would cross the pairs
    alignments = align_topics(new, TERMS[:4], old, TERMS[:4], 0.35)
    assert [alignment.old for alignment in alignments] == [0, None]


def test_the_first_fit_gets_ids_from_one():
    alignments = align_topics(np.array([SCHOOL, TRAFFIC]), TERMS, np.zeros((0, 0)), [], 0.6)
    assert assign_topic_ids(alignments, []) == [1, 2]
    assert find_died_ids(alignments, []) == []


def test_the_id_of_a_topic_long_dead_is_not_given_again():
    assert assign_topic_ids(align([TRAFFIC], [SCHOOL]), [3], highest_id=12) == [13]


def test_fewer_topics_than_before_keep_their_ids():
    alignments = align([HOUSING], [SCHOOL, TRAFFIC, HOUSING])
    assert assign_topic_ids(alignments, [1, 2, 3]) == [3]
    assert find_died_ids(alignments, [1, 2, 3]) == [1, 2]
