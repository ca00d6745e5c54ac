"""Top terms of topics come in; how well they belong together, and how little topics share, goes out.

NPMI and c_v are the numbers that gensim's CoherenceModel gives, which takes 1.5 and 7 times as long: it slides over the
documents in Python.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NPMI_WINDOW, C_V_WINDOW = 10, 110  # tokens
EPSILON = 1e-12  # added to the share of windows that hold both terms


def measure_npmi(topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]) -> list[float]:
    """NPMI of each topic's terms within windows of ten tokens (Bouma 2009): -1 never together, 1 always.

    Args:
        topics: K lists of at least two terms.
        documents: the tokens that the topics were fitted on, pruned ones included.
    """
    found = []
    for npmi in _compare_terms(topics, documents, NPMI_WINDOW):
        found.append(float(npmi[~np.eye(len(npmi), dtype=bool)].mean()))
    return found


def measure_c_v(topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]) -> float:
    """Mean c_v of the topics (Röder and others 2015), 0 to 1; the arguments are those of `measure_npmi`."""
    found = []
    for npmi in _compare_terms(topics, documents, C_V_WINDOW):
        whole = npmi.sum(axis=0)  # [n]
        cosine = npmi @ whole / (np.linalg.norm(npmi, axis=1) * np.linalg.norm(whole))  # [n]
        found.append(float(cosine.mean()))
    return float(np.mean(found))


def measure_diversity(topics: Sequence[Sequence[str]]) -> float:
    """Share of distinct terms among all the terms of the topics (Dieng and others 2020); 1 when no two share any."""
    terms = [term for topic in topics for term in topic]
    return len(set(terms)) / len(terms)


def measure_relevance(
    topic_word: NDArray[np.float64], term_share: NDArray[np.float64], weight: float
) -> NDArray[np.float64]:
    """How well a term stands for a topic: often in it, and oftener than elsewhere (Sievert and Shirley 2014).

    Args:
        topic_word: [K, V], rows sum to 1, no zeros.
        term_share: [V], the share of each term in the corpus, no zeros.
        weight: lambda; 1 ranks by probability alone, 0 by lift alone.

    Returns:
        [K, V], logarithms.
    """
    lift = topic_word / term_share[np.newaxis, :]  # [K, V]
    relevance: NDArray[np.float64] = weight * np.log(topic_word) + (1 - weight) * np.log(lift)  # [K, V]
    return relevance


def _compare_terms(
    topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]], size: int
) -> list[NDArray[np.float64]]:
    """NPMI of each pair of terms of each topic: K times [n, n]."""
    places = {term: place for place, term in enumerate(sorted({term for terms in topics for term in terms}))}
    n_windows, counts = _count_windows(places, documents, size)
    found = []
    for terms in topics:
        rows = [places[term] for term in terms]
        share = counts[np.ix_(rows, rows)] / n_windows  # [n, n]
        single = np.diag(share)  # [n]
        found.append(np.log((share + EPSILON) / np.outer(single, single)) / -np.log(share + EPSILON))
    return found


def _count_windows(
    places: dict[str, int], documents: Sequence[Sequence[str]], size: int
) -> tuple[int, NDArray[np.float64]]:
    """The number of windows, and of those that hold each pair of terms: [V, V], single terms on the diagonal."""
    n_windows, counts = 0, np.zeros((len(places), len(places)))
    for tokens in documents:
        n_starts = max(1, len(tokens) - size + 1)
        n_windows += n_starts
        known = [(at, places[token]) for at, token in enumerate(tokens) if token in places]
        if not known:
            continue
        at, terms = np.array(known).T
        columns, column = np.unique(terms, return_inverse=True)  # [u]
        last = np.full((len(tokens) + 1, len(columns)), -1)  # where a term stood last, in row i + 1 of token i
        last[at + 1, column] = at
        last = np.maximum.accumulate(last, axis=0)
        newest, left = last[-n_starts:], last[:n_starts]  # up to the end of a window, and before its begin
        # As gensim counts: a term that leaves a window is gone from it, also where it stands in it again, until it
        # comes in anew.
        entered = np.maximum(newest - size + 1, 0)
        is_held = ((newest >= 0) & (entered > left)).astype(np.float32)  # [n_starts, u]
        counts[np.ix_(columns, columns)] += is_held.T @ is_held
    return n_windows, counts
