import numpy as np
import pytest

from petitions.errors import ConfigError
from petitions.scoring.topic_similarity import find_centroids, score_topic_similarity

NORTH, EAST = [0.0, 1.0], [1.0, 0.0]


def score(embeddings: np.ndarray, shares: np.ndarray, size: int = 1000) -> np.ndarray:
    """All scores, read in batches of a size."""
    starts = range(0, len(embeddings), size)
    found = find_centroids((embeddings[start : start + size], shares[start : start + size]) for start in starts)
    return score_topic_similarity(embeddings, found.centroids, found.main_topic)


def score_at_once(embeddings: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The definition, over whole matrices."""
    centroids = shares.astype(np.float64).T @ embeddings.astype(np.float64)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    cosines, main = embeddings @ centroids.T, np.argmax(shares, axis=1)
    return np.array([row[k] - max(np.delete(row, k)) for row, k in zip(cosines, main, strict=True)])


def test_a_petition_at_its_topics_centre_scores_above_an_outlier_which_is_nearer_to_another_topic():
    embeddings = np.array([NORTH, NORTH, EAST, EAST, NORTH])
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8]])
    scores = score(embeddings, shares)
    assert scores.dtype == np.float32
    first = np.array([0.1 * 2, 0.9 * 2 + 0.2]) / np.linalg.norm([0.1 * 2, 0.9 * 2 + 0.2])
    second = np.array([0.9 * 2, 0.1 * 2 + 0.8]) / np.linalg.norm([0.9 * 2, 0.1 * 2 + 0.8])
    gap_north, gap_east = first[1] - second[1], second[0] - first[0]
    np.testing.assert_allclose(scores, [gap_north, gap_north, gap_east, gap_east, -gap_north], atol=1e-6)


def test_what_all_petitions_have_in_common_moves_no_score_up():
    """Long texts lie nearer to the mean of all: with it a cosine follows the length, and the gap does not."""
    rng = np.random.default_rng(0)
    n, topics = 600, np.eye(8)[:4]
    main, fit, length = rng.integers(4, size=n), rng.uniform(0.3, 1, n), rng.uniform(0.2, 2, n)
    embeddings = length[:, np.newaxis] * np.eye(8)[7] + fit[:, np.newaxis] * topics[main]
    embeddings += rng.normal(scale=0.15, size=(n, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    shares = fit[:, np.newaxis] * np.eye(4)[main] + ((1 - fit) / 4)[:, np.newaxis]
    found = find_centroids([(embeddings, shares)])
    cosines = np.einsum("nd,nd->n", embeddings, found.centroids[found.main_topic])
    gaps = score(embeddings, shares)
    assert correlate(cosines, length) > 0.3 > correlate(gaps, length)
    assert correlate(gaps, fit) > 0.4 > correlate(cosines, fit)


def correlate(values: np.ndarray, others: np.ndarray) -> float:
    """Rank correlation."""
    return float(np.corrcoef(np.argsort(np.argsort(values)), np.argsort(np.argsort(others)))[0, 1])


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_the_size_of_the_batches_moves_no_score(size):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(700, 64)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    shares = rng.dirichlet(np.full(9, 0.2), 700).astype(np.float32)
    np.testing.assert_allclose(score(embeddings, shares, size), score_at_once(embeddings, shares), atol=1e-6)


def test_a_zero_row_and_a_lone_petition_are_defined():
    assert score(np.array([[0.0, 0.0]]), np.array([[1.0]])).tolist() == [0.0]
    assert score(np.array([NORTH]), np.array([[0.5, 0.5]])).tolist() == [0.0], "as near to the one as to the other"
    assert score(np.array([NORTH]), np.array([[1.0]])).tolist() == [1.0], "there is no other"
    assert score(np.array([NORTH, EAST]), np.array([[1.0, 0.0], [1.0, 0.0]])).shape == (2,)
    nothing = find_centroids([])
    assert (nothing.centroids.shape, nothing.main_topic.shape) == ((0, 0), (0,))


def test_tables_of_different_petitions_are_refused():
    with pytest.raises(ConfigError, match="2 embeddings, but topic shares of 1"):
        score(np.array([NORTH, EAST]), np.array([[1.0]]))
