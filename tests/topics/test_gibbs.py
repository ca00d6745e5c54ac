import numpy as np
import pytest
from scipy.sparse import csr_matrix

from petitions.topics.gibbs import sample_topics

CHAIN = {"alpha": 0.1, "burn_in": 30, "n_samples": 3, "sample_every": 5}


def make_counts():
    random = np.random.default_rng(5)
    blocks = np.kron(np.eye(2), np.ones((15, 12)))  # 30 documents, two groups of twelve terms
    return csr_matrix(random.poisson(blocks) + np.eye(30, 24, dtype=int))


def test_samples_have_the_shapes_and_sums_that_are_promised_and_columns_in_order():
    counts, prior = make_counts(), np.full((2, 24), 0.1)
    prior[0, :12] += 5
    prior[1, 12:] += 5
    samples = sample_topics(counts, prior, seed=0, **CHAIN)
    assert samples.topic_word.shape == (2, 24)
    assert samples.document_topic.shape == (30, 2)
    assert samples.topic_word.sum(axis=1) == pytest.approx(1)
    assert samples.document_topic.sum(axis=1) == pytest.approx(1)
    assert samples.alpha.shape == (2,)
    assert samples.topic_word[0, :12].sum() > 0.9
    assert samples.topic_word[1, 12:].sum() > 0.9
    assert samples.document_topic.argmax(axis=1).tolist() == [0] * 15 + [1] * 15


def test_the_seed_decides_the_samples():
    one, same, other = (
        sample_topics(make_counts(), np.full((2, 24), 0.1), seed=seed, **CHAIN).topic_word for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
