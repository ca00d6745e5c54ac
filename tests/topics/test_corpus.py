import numpy as np

from petitions.topics.corpus import BagStream, build_dictionary, count_matrix, count_terms, take_evenly

LIMITS = {"no_below": 2, "no_above": 0.5, "max_terms": 100}


def test_rare_and_common_terms_are_pruned():
    documents = [["버스", "노선"], ["버스", "지하철"], ["버스", "노선"], ["버스", "급식"]]
    dictionary = build_dictionary(documents, **LIMITS)
    assert set(dictionary.token2id) == {"노선"}
    bags = BagStream(documents=documents, dictionary=dictionary, max_repeats=3)
    assert list(bags) == list(bags) == [[(0, 1)], [], [(0, 1)], []]
    assert len(bags) == 4


def test_a_burst_of_one_word_counts_no_more_than_the_limit():
    dictionary = build_dictionary([["버스"], ["버스"], ["급식"], ["급식"]], **LIMITS)
    bag = count_terms(dictionary, ["버스"] * 50 + ["급식", "처음보는말"], max_repeats=3)
    assert dict(bag) == {dictionary.token2id["버스"]: 3, dictionary.token2id["급식"]: 1}


def test_a_small_corpus_is_pruned_by_its_size():
    documents = [["버스"], ["버스"], *[[f"말{number}"] for number in range(100)]]
    assert set(build_dictionary(documents, **(LIMITS | {"no_below": 10})).token2id) == {"버스"}


def test_no_documents_give_an_empty_dictionary_and_no_counts():
    dictionary = build_dictionary([], **LIMITS)
    assert len(dictionary) == dictionary.num_docs == 0
    assert count_matrix([], 0).shape == (0, 0)


def test_counts_stand_in_the_order_of_the_bags():
    counts = count_matrix([[(0, 2), (2, 1)], [], [(1, 3)]], 3)
    assert counts.toarray().tolist() == [[2, 0, 1], [0, 0, 0], [0, 3, 0]]
    assert counts.dtype == np.int32


def test_a_sample_is_evenly_spaced_and_no_larger_than_the_limit():
    documents = [[str(number)] for number in range(10)]
    assert take_evenly(documents, 10, 4) == [["0"], ["3"], ["6"], ["9"]]
    assert take_evenly(documents, 10, 10) == documents
    assert take_evenly([], 0, 4) == []
