"""Embeddings and topic shares in, how much nearer each petition is to its main topic than to others out, in batches."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petitions.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Centroids:
    """The centres of K topics, and which one each of N petitions belongs to."""

    centroids: npt.NDArray[np.float64]  # [K, D], unit length, or zeros
    main_topic: npt.NDArray[np.int64]  # [N], rows of `centroids`


def find_centroids(
    batches: Iterable[tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]],
) -> Centroids:
    """Find the centre of each topic in one pass: the mean of all embeddings, each weighted by the share of the topic.

    Args:
        batches: embeddings float [n, D], rows of unit length, and float [n, K], the share of each topic in each
            petition; of equal shares the first counts as the main topic. Sums are of float64, a batch at a time.

    Raises:
        ConfigError: the two of a batch do not have the same number of rows.
    """
    total = np.zeros((0, 0))
    main_topics = [np.zeros(0, np.int64)]
    for embeddings, document_topic in batches:
        if len(embeddings) != len(document_topic):
            raise ConfigError(f"{len(embeddings)} embeddings, but topic shares of {len(document_topic)} petitions")
        weighted = np.asarray(document_topic, np.float64).T @ np.asarray(embeddings, np.float64)  # [K, D]
        total = total + weighted if total.size else weighted
        main_topics.append(np.argmax(document_topic, axis=1))
    lengths = np.linalg.norm(total, axis=1, keepdims=True)  # [K, 1]
    centroids = np.divide(total, lengths, out=np.zeros_like(total), where=lengths > 0)  # [K, D]
    return Centroids(centroids=centroids, main_topic=np.concatenate(main_topics))


def score_topic_similarity(
    embeddings: npt.NDArray[np.floating], centroids: npt.NDArray[np.float64], main_topic: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """How much nearer each petition is to the centre of its main topic than to the nearest other: a gap of cosines.

    A cosine alone says how long a petition is: the mean of many tokens lies near the mean of all petitions, and so
    does every centre. In the difference that common part falls out (docs/scores.md has the figures).

    Args:
        embeddings: float [n, D], rows of unit length.
        centroids: float64 [K, D].
        main_topic: int64 [n], rows of `centroids`.

    Returns:
        float32 [n] in [-1, 1], under 0 where another topic is nearer; with one topic the cosine; 0 for a row of zeros.
    """
    cosines = np.asarray(embeddings, np.float64) @ centroids.T  # [n, K]
    rows = np.arange(len(cosines))
    own = cosines[rows, main_topic]  # [n]
    cosines[rows, main_topic] = -np.inf
    nearest = np.max(cosines, axis=1, initial=-np.inf)  # [n], of the others
    return np.clip(own - np.where(np.isfinite(nearest), nearest, 0), -1, 1).astype(np.float32)
