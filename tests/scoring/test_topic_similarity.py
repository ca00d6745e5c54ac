import numpy as np
import pytest

from petitions.errors import ConfigError
from petitions.scoring.topic_similarity import score_topic_similarity

NORTH, EAST = [0.0, 1.0], [1.0, 0.0]


def test_a_petition_at_its_topics_centre_scores_one_and_an_outlier_less():
    embeddings = np.array([NORTH, NORTH, EAST, EAST, NORTH])
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8]])
    scores = score_topic_similarity(embeddings, shares)
    assert scores.dtype == np.float32
    centroid_0 = np.array([0.1 * 2, 0.9 * 2 + 0.2]) / np.linalg.norm([0.1 * 2, 0.9 * 2 + 0.2])
    centroid_1 = np.array([0.9 * 2, 0.1 * 2 + 0.8]) / np.linalg.norm([0.9 * 2, 0.1 * 2 + 0.8])
    expected = [centroid_0[1], centroid_0[1], centroid_1[0], centroid_1[0], centroid_1[1]]
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_a_zero_row_and_a_lone_petition_are_defined():
    assert score_topic_similarity(np.array([[0.0, 0.0]]), np.array([[1.0]])).tolist() == [0.0]
    assert score_topic_similarity(np.array([NORTH]), np.array([[0.5, 0.5]])).tolist() == [1.0]
    assert score_topic_similarity(np.zeros((0, 2)), np.zeros((0, 9))).shape == (0,)


def test_tables_of_different_petitions_are_refused():
    with pytest.raises(ConfigError, match="2 embeddings, but topic shares of 1"):
        score_topic_similarity(np.array([NORTH, EAST]), np.array([[1.0]]))
