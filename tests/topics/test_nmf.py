import numpy as np
import pytest
from scipy.sparse import csr_matrix

from petitions.topics.nmf import factorize, weigh_counts


def make_counts():
    random = np.random.default_rng(3)
    blocks = np.kron(np.eye(3), np.ones((20, 4)))  # 60 documents, three groups of four terms
    return csr_matrix(random.poisson(2 * blocks) + random.poisson(0.05, blocks.shape))


def test_factors_are_the_groups_of_terms_and_sum_to_one():
    factors = factorize(weigh_counts(make_counts()), 3, 50)
    assert factors.sum(axis=1) == pytest.approx(1)
    assert {frozenset(np.argsort(-row)[:4].tolist()) for row in factors} == {
        frozenset(range(first, first + 4)) for first in (0, 4, 8)
    }


def test_the_same_matrix_gives_the_same_bits():
    one, other = (factorize(weigh_counts(make_counts()), 3, 20) for _ in range(2))
    assert np.array_equal(one, other)


def test_weights_are_tf_idf_of_length_one_and_an_empty_row_stays_empty():
    weighed = weigh_counts(csr_matrix([[2, 0, 0], [1, 3, 0], [0, 0, 0], [0, 1, 1]])).toarray()
    rare, common = np.log(4 / 1), np.log(4 / 2)
    expected = np.array([common, (1 + np.log(3)) * common])
    assert weighed[1, :2] == pytest.approx(expected / np.linalg.norm(expected))
    assert weighed[3, 1:] == pytest.approx(np.array([common, rare]) / np.hypot(common, rare))
    assert weighed[2].tolist() == [0, 0, 0]
