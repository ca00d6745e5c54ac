import numpy as np
import pytest

from petitions.topics.alignment import (
    NO_TOPICS,
    Alignment,
    Comparison,
    Topics,
    align_topics,
    assign_topic_ids,
    compare_topics,
    measure_distances,
)

TERMS = ["학교", "급식", "교사", "버스", "지하철", "노선", "집값", "분양", "전세"]
SCHOOL = [0.5, 0.3, 0.2, 0, 0, 0, 0, 0, 0]
TRAFFIC = [0, 0, 0, 0.4, 0.4, 0.2, 0, 0, 0]
HOUSING = [0, 0, 0, 0, 0, 0, 0.3, 0.4, 0.3]
ONE_MONTH = 60  # petitions of each topic in these tests, enough for an overlap


def topics(*rows, top_terms=None):
    best = [[TERMS[i] for i in np.argsort(-np.array(row), kind="stable")[:3]] for row in rows]
    return Topics(topic_word=np.array(rows), terms=TERMS, top_terms=top_terms or best)


def shares(*main, n_topics):
    """A petition for each main topic, which it has a share of 0.8 of; None: equal shares."""
    rest = 0.2 / (n_topics - 1)
    return np.array([[1 / n_topics if m is None else 0.8 if k == m else rest for k in range(n_topics)] for m in main])


def compare(new, old, new_main=(), old_main=()):
    n_new, n_old = len(new.topic_word), len(old.topic_word)
    new_shares = shares(*new_main, n_topics=n_new) if new_main else np.zeros((0, n_new))
    return compare_topics(new, old, new_shares, shares(*old_main, n_topics=n_old) if old_main else np.zeros((0, n_old)))


def test_permuted_topics_find_themselves():
    alignments = align_topics(compare(topics(TRAFFIC, SCHOOL, HOUSING), topics(SCHOOL, HOUSING, TRAFFIC)))
    assert alignments == [Alignment(new=k, old=old, distance=0.0, overlap=None) for k, old in enumerate([2, 0, 1])]


def test_terms_are_matched_by_name_not_by_column():
    shuffled = ["지하철", "새말", "급식", "버스", "학교"]
    distances = measure_distances(
        np.array([[0.5, 0, 0, 0.5, 0], [0, 0, 0.4, 0, 0.6], [0, 1.0, 0, 0, 0]]),
        shuffled,
        np.array([[0.6, 0.4, 0, 0], [0, 0, 0.5, 0.5]]),
        ["학교", "급식", "버스", "지하철"],
    )
    assert distances == pytest.approx(np.array([[1, 0], [0, 1], [1, 1]]), abs=1e-7)


def test_the_distance_is_jensen_shannon_to_the_base_of_two():
    distance = measure_distances(np.array([[1.0, 0]]), ["가", "나"], np.array([[0.5, 0.5]]), ["가", "나"])
    assert distance[0, 0] == pytest.approx(np.sqrt(0.31127812445913283))  # 1.5 - 0.75 log2(3), by hand


def test_a_topic_far_from_all_old_ones_is_born():
    alignments = align_topics(compare(topics(SCHOOL, TRAFFIC), topics(SCHOOL, HOUSING)))
    assert alignments[1] == Alignment(new=1, old=None, distance=None, overlap=None)
    assert assign_topic_ids(alignments, [4, 7]) == [4, 8]


def test_of_two_heirs_of_one_topic_the_nearer_continues_it():
    close = [0.45, 0.35, 0.2, 0, 0, 0, 0, 0, 0]
    alignments = align_topics(compare(topics(close, SCHOOL), topics(SCHOOL)))
    assert [alignment.old for alignment in alignments] == [None, 0]


def test_of_two_heirs_alike_in_words_the_one_with_the_petitions_continues_the_topic():
    old_main = [0] * ONE_MONTH + [1] * ONE_MONTH
    new_main = [1] * ONE_MONTH + [2] * ONE_MONTH
    comparison = compare(topics(SCHOOL, SCHOOL, TRAFFIC), topics(SCHOOL, TRAFFIC), new_main, old_main)
    alignments = align_topics(comparison)
    assert [alignment.old for alignment in alignments] == [None, 0, 1]
    assert alignments[1].overlap == 1.0


def test_the_overlap_is_both_of_either_among_the_common_petitions():
    old_main = [0] * 60 + [1] * 40 + [None] * 30
    new_main = [0] * 45 + [1] * 35 + [0] * 20 + [0] * 30
    comparison = compare(topics(SCHOOL, TRAFFIC), topics(SCHOOL, TRAFFIC), new_main, old_main)
    assert comparison.overlap == pytest.approx(np.array([[45 / 80, 20 / 85], [15 / 80, 20 / 55]]))
    assert comparison.n_petitions.tolist() == [95, 35]
    assert comparison.cost[0, 0] == pytest.approx((1 - 45 / 80) / 2)


def test_a_few_common_petitions_do_not_speak_against_the_words():
    comparison = compare(topics(SCHOOL, TRAFFIC), topics(SCHOOL, TRAFFIC), [1] * 10, [0] * 10)
    assert comparison.overlap is None
    assert [alignment.old for alignment in align_topics(comparison)] == [0, 1]


def test_no_topic_gets_the_id_of_one_with_fewer_than_three_of_its_best_terms():
    two = [["학교", "급식", "통학", "방학"]]
    three = [["학교", "급식", "통학", "교사"]]
    main = [0] * ONE_MONTH + [0] * ONE_MONTH
    old = topics(SCHOOL, TRAFFIC, top_terms=[["학교", "급식", "교사"], ["버스", "지하철", "노선"]])
    for best, expected in ((two, None), (three, 0)):
        new = topics(SCHOOL, HOUSING, top_terms=[*best, ["집값", "분양", "전세"]])
        assert align_topics(compare(new, old, main, main))[0].old == expected


def test_only_the_ten_best_terms_count():
    filling = [f"말{i}" for i in range(10)]
    new = topics(SCHOOL, top_terms=[[*filling, "학교", "급식", "교사"]])
    assert align_topics(compare(new, topics(SCHOOL)))[0].old is None


def test_a_pair_beyond_the_limit_does_not_push_a_good_pair_apart():
    distance = np.array([[0.30, 0.40], [0.65, 0.95]])
    assert distance.trace() > distance[0, 1] + distance[1, 0]  # the sum alone would cross the pairs
    comparison = Comparison(
        distance=distance, n_shared=np.full((2, 2), 10), n_petitions=np.zeros(2, int), n_common=None
    )
    assert [alignment.old for alignment in align_topics(comparison)] == [0, None]


def test_the_first_fit_gets_ids_from_one():
    alignments = align_topics(compare(topics(SCHOOL, TRAFFIC), NO_TOPICS))
    assert assign_topic_ids(alignments, []) == [1, 2]


def test_the_id_of_a_topic_long_dead_is_not_given_again():
    alignments = align_topics(compare(topics(TRAFFIC), topics(SCHOOL)))
    assert assign_topic_ids(alignments, [3], highest_id=12) == [13]


def test_fewer_topics_than_before_keep_their_ids():
    alignments = align_topics(compare(topics(HOUSING), topics(SCHOOL, TRAFFIC, HOUSING)))
    assert assign_topic_ids(alignments, [1, 2, 3]) == [3]
