import numpy as np
import pytest
from scipy.sparse import csr_matrix

from petitions.topics.ranking import measure_document_npmi, rank_terms

COUNTS = csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 9]])
TOPIC_WORD = np.array([[0.3, 0.3, 0.1, 0.3]])


def rank(counts, **weights):
    ranked = rank_terms(TOPIC_WORD, counts, n_terms=4, **({"relevance_weight": 1.0, "support_weight": 0.0} | weights))
    return [term for term, _ in ranked[0]]


def test_npmi_is_one_for_terms_that_always_meet_and_minus_one_for_those_that_never_do():
    npmi = measure_document_npmi(COUNTS.astype(bool).astype(float).tocsc())
    assert npmi[0, 1] == pytest.approx(1)
    assert npmi[0, 2] == -1
    assert np.diag(npmi).tolist() == [0, 0, 0, 0]


def test_without_support_the_relevance_decides_and_ties_stay_in_order():
    assert rank(COUNTS) == [0, 1, 3, 2]
    assert rank(COUNTS, relevance_weight=0.0) == [0, 1, 2, 3]  # 9 of 14 tokens are the last term


def test_a_term_that_meets_the_others_goes_before_one_that_stands_alone():
    assert rank(COUNTS, support_weight=1.0)[:2] == [0, 1]
    assert rank(COUNTS, support_weight=5.0, relevance_weight=0.0)[:2] == [0, 1]


def test_a_term_that_no_row_has_is_ranked_last():
    assert rank(csr_matrix([[1, 1, 0, 0], [1, 1, 1, 0]]))[-1] == 3
