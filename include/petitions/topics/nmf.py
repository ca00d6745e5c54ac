"""Counts of terms come in; topics by non-negative matrix factorization go out: where the sampling begins."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import svds

from petitions.topics.corpus import sum_counts

SMALLEST = 1e-12
FIRST_UPDATES = 5  # of the shares of given topics, before these move


def weigh_counts(counts: csr_matrix) -> csr_matrix:
    """TF-IDF, (1 + log count) * log(N / documents with the term), rows of length 1; an empty row stays empty.

    Args:
        counts: [N, V].
    """
    n_documents = np.bincount(counts.indices, minlength=counts.shape[1])  # [V]
    weighed = counts.astype(np.float64)
    weighed.data = (1 + np.log(counts.data)) * np.log(counts.shape[0] / n_documents[counts.indices])
    length = np.sqrt(sum_counts(weighed.multiply(weighed), axis=1))
    return (diags(1 / np.maximum(length, SMALLEST)) @ weighed).tocsr()


def factorize(
    matrix: csr_matrix, n_topics: int, n_updates: int, start: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Topics as factors of a matrix, by HALS (Cichocki and Phan 2009) from NNDSVDa (Boutsidis and Gallopoulos 2008).

    There is no chance in it: the same matrix gives the same factors on the same machine.

    Args:
        matrix: [N, V], not negative; both greater than `n_topics`.
        n_topics: K.
        n_updates: of each factor.
        start: [K, V], topics to begin at in place of NNDSVDa, rows over the columns of the matrix; the factors stay
            near them and in their order as far as the matrix allows.

    Returns:
        [K, V], rows sum to 1.
    """
    documents, terms = _start(matrix, n_topics) if start is None else _continue(matrix, start)  # [N, K], [K, V]
    transposed = matrix.T.tocsr()
    for _ in range(n_updates):
        _update(documents, matrix @ terms.T, terms @ terms.T)
        _update(terms.T, transposed @ documents, documents.T @ documents)
    factors: NDArray[np.float64] = terms / terms.sum(axis=1, keepdims=True)
    return factors


def _update(factor: NDArray[np.float64], target: NDArray[np.float64], gram: NDArray[np.float64]) -> None:
    """Fit one factor to the other in place, column by column: [M, K], target [M, K], gram [K, K]."""
    for k in range(len(gram)):
        step = (target[:, k] - factor @ gram[:, k]) / max(gram[k, k], SMALLEST)
        factor[:, k] = np.maximum(factor[:, k] + step, SMALLEST)


def _start(matrix: csr_matrix, n_topics: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The larger of the positive and the negative part of each singular pair; zeros become the mean."""
    left, values, right = svds(matrix, k=n_topics, v0=np.ones(min(matrix.shape)), solver="arpack")
    documents, terms = np.empty((matrix.shape[0], n_topics)), np.empty((n_topics, matrix.shape[1]))
    for k, j in enumerate(np.argsort(-values)):
        parts = [(np.maximum(sign * left[:, j], 0), np.maximum(sign * right[j], 0)) for sign in (1, -1)]
        norms = [(float(np.linalg.norm(u)), float(np.linalg.norm(v))) for u, v in parts]
        larger = max((0, 1), key=lambda part: norms[part][0] * norms[part][1])
        (u, v), (norm_u, norm_v) = parts[larger], norms[larger]
        scale = np.sqrt(values[j] * norm_u * norm_v)
        documents[:, k], terms[k] = scale * u / max(norm_u, SMALLEST), scale * v / max(norm_v, SMALLEST)
    mean = matrix.mean()
    documents[documents == 0], terms[terms == 0] = mean, mean
    return documents, terms


def _continue(matrix: csr_matrix, start: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The topics weighed as the matrix is, rows of length 1, and how much of each is in each document."""
    idf = np.log(matrix.shape[0] / np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1]), 1))  # [V]
    weighed = start * idf  # [K, V]
    length = np.linalg.norm(weighed, axis=1, keepdims=True)
    terms = np.maximum(weighed / np.maximum(length, SMALLEST), SMALLEST)
    documents = np.maximum(np.asarray(matrix @ terms.T), SMALLEST)  # [N, K]
    for _ in range(FIRST_UPDATES):  # at once, similar topics would count twice
        _update(documents, matrix @ terms.T, terms @ terms.T)
    return documents, terms
