import numpy as np
import pytest

from petitions.errors import ConfigError
from petitions.scoring.topic_similarity import find_centroids, score_topic_similarity

NORTH, EAST = [0.0, 1.0], [1.0, 0.0]


def score(embeddings: np.ndarray, shares: np.ndarray, size: int = 1000) -> np.ndarray:
    """All scores, read in batches of a size."""
    starts = range(0, len(embeddings), size)
    found = find_centroids((embeddings[start : start + size], shares[start : start + size]) for start in starts)
    return score_topic_similarity(embeddings, found.centroids[found.main_topic])


def score_at_once(embeddings: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The definition, over whole matrices."""
    centroids = shares.astype(np.float64).T @ embeddings.astype(np.float64)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return np.einsum("nd,nd->n", embeddings, centroids[np.argmax(shares, axis=1)])


def test_a_petition_at_its_topics_centre_scores_one_and_an_outlier_less():
    embeddings = np.array([NORTH, NORTH, EAST, EAST, NORTH])
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8]])
    scores = score(embeddings, shares)
    assert scores.dtype == np.float32
    centroid_0 = np.array([0.1 * 2, 0.9 * 2 + 0.2]) / np.linalg.norm([0.1 * 2, 0.9 * 2 + 0.2])
    centroid_1 = np.array([0.9 * 2, 0.1 * 2 + 0.8]) / np.linalg.norm([0.9 * 2, 0.1 * 2 + 0.8])
    expected = [centroid_0[1], centroid_0[1], centroid_1[0], centroid_1[0], centroid_1[1]]
    np.testing.assert_allclose(scores, expected, atol=1e-6)


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_the_size_of_the_batches_moves_no_score(size):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(700, 64)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    shares = rng.dirichlet(np.full(9, 0.2), 700).astype(np.float32)
    np.testing.assert_allclose(score(embeddings, shares, size), score_at_once(embeddings, shares), atol=1e-6)


def test_a_zero_row_and_a_lone_petition_are_defined():
    assert score(np.array([[0.0, 0.0]]), np.array([[1.0]])).tolist() == [0.0]
    assert score(np.array([NORTH]), np.array([[0.5, 0.5]])).tolist() == [1.0]
    assert score(np.array([NORTH, EAST]), np.array([[1.0, 0.0], [1.0, 0.0]])).shape == (2,)
    nothing = find_centroids([])
    assert (nothing.centroids.shape, nothing.main_topic.shape) == ((0, 0), (0,))


def test_tables_of_different_petitions_are_refused():
    with pytest.raises(ConfigError, match="2 embeddings, but topic shares of 1"):
        score(np.array([NORTH, EAST]), np.array([[1.0]]))
