"""Topics over terms come in; the terms that a reader should see of each go out, the best first."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from petitions.topics.coherence import measure_relevance
from petitions.topics.corpus import sum_counts

N_CANDIDATES = 40  # of each topic by relevance, which are ranked again
N_ANCHORS = 20  # most relevant terms that the support of a candidate is measured with


def rank_terms(
    topic_word: NDArray[np.float64], counts: csr_matrix, *, relevance_weight: float, support_weight: float, n_terms: int
) -> list[list[tuple[int, float]]]:
    """Rank the terms of each topic by relevance (Sievert and Shirley 2014) plus support.

    The support of a term is how well it occurs together with the most relevant terms of the topic in whole documents:
    their mean NPMI. It keeps out what is frequent in a topic only by what a few documents repeat.

    Args:
        topic_word: [K, V], rows sum to 1, no zeros.
        counts: [N, V]; a term in none of its rows, which may be a sample, is not ranked.
        relevance_weight: lambda; 1 ranks by probability alone, 0 by lift alone.
        support_weight: of the support beside the relevance, which is a logarithm.
        n_terms: how many are wanted; at most N_CANDIDATES, and V.

    Returns:
        K lists of (term, relevance), the best first; ties in the order of the terms.
    """
    total = sum_counts(counts, axis=0)
    relevance = measure_relevance(topic_word, np.maximum(total, 1) / total.sum(), relevance_weight)  # [K, V]
    relevance[:, total == 0] = -np.inf
    present = counts.astype(bool).astype(np.float64).tocsc()
    ranked = []
    for row in relevance:
        candidates = np.argsort(-row, kind="stable")[:N_CANDIDATES]
        support = _measure_support(present[:, candidates])
        best = np.argsort(-(row[candidates] + support_weight * support), kind="stable")[:n_terms]
        ranked.append([(int(term), float(row[term])) for term in candidates[best]])
    return ranked


def _measure_support(present: csc_matrix) -> NDArray[np.float64]:
    """The mean NPMI of each column with the first N_ANCHORS other ones."""
    npmi = measure_document_npmi(present)
    n_anchors = min(N_ANCHORS, len(npmi))
    n_others = n_anchors - (np.arange(len(npmi)) < n_anchors)  # a term is no anchor of itself
    support: NDArray[np.float64] = npmi[:, :n_anchors].sum(axis=1) / np.maximum(n_others, 1)
    return support


def measure_document_npmi(present: csc_matrix) -> NDArray[np.float64]:
    """NPMI (Bouma 2009) of each pair of terms over whole documents.

    Args:
        present: [N, C], 1 where a document has a term; a term in none meets no other.

    Returns:
        [C, C]; -1 for terms that never meet, 0 on the diagonal.
    """
    together = (present.T @ present).toarray() / present.shape[0]
    alone = np.diag(together)
    seen = np.where(together > 0, together, 0.5)
    npmi = np.log(seen / np.maximum(np.outer(alone, alone), 1e-12)) / -np.log(np.minimum(seen, 1 - 1e-9))
    npmi = np.where(together > 0, npmi, -1)
    np.fill_diagonal(npmi, 0)
    return npmi
