"""Embeddings and topic shares in, how near each petition is to the centre of its main topic out."""

import numpy as np
import numpy.typing as npt

from petitions.errors import ConfigError


def score_topic_similarity(
    embeddings: npt.NDArray[np.floating], document_topic: npt.NDArray[np.floating]
) -> npt.NDArray[np.float32]:
    """Cosine of each petition's embedding with the centroid of its main topic.

    A topic's centroid is the mean of all embeddings, each weighted by the share of the topic in its petition.

    Args:
        embeddings: float [N, D], rows of unit length.
        document_topic: float [N, K], the share of each topic in each petition; of equal shares the first counts.

    Returns:
        float32 [N] in [-1, 1]; 0 for a row or a centroid of zeros.

    Raises:
        ConfigError: the two do not have the same number of rows.
    """
    if len(embeddings) != len(document_topic):
        raise ConfigError(f"{len(embeddings)} embeddings, but topic shares of {len(document_topic)} petitions")
    if not len(embeddings):
        return np.zeros(0, np.float32)
    rows = np.asarray(embeddings, np.float64)  # [N, D]
    centroids = np.asarray(document_topic, np.float64).T @ rows  # [K, D]
    lengths = np.linalg.norm(centroids, axis=1, keepdims=True)  # [K, 1]
    centroids = np.divide(centroids, lengths, out=np.zeros_like(centroids), where=lengths > 0)  # [K, D]
    main_topic = np.argmax(document_topic, axis=1)  # [N]
    cosine = np.einsum("nd,nd->n", rows, centroids[main_topic])  # [N]
    return np.clip(cosine, -1, 1).astype(np.float32)
