"""Vectors of a word's occurrences come in; its senses go out: which occurrence has which, and the words beside it.

One sense a discourse (Gale, Church and Yarowsky 1992): what a petition means by a word it mostly means throughout, so
the mean of a petition's occurrences counts with each. The common component, the mean of all, is taken out and what is
left is reduced, since the directions that are left last are noise. The same vectors and number give the same senses.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from petitions.text.occurrences import Occurrence

RULES = 1  # raise it when the code below gives other senses
DIMENSIONS = 20  # that are kept of each kind of vectors
DISCOURSE = 0.5  # what the mean of a petition counts
MOST_SENSES = 5  # that are found by themselves
FEWEST_OF_SENSE = 5  # occurrences; a word with fewer than twice as many has one sense
LEAST_SILHOUETTE = 0.2  # of several senses: under it a word has one (docs/senses.md)
STARTS = 10  # of k-means
NEIGHBOURS = 10  # of a sense
BESIDE = 10  # morphemes on each side that neighbours are taken from
MOST_LETTERS = 12
_TOLD = frozenset({"NNG", "NNP", "XR", "VV", "VA", "SL"})  # tags of the words that are told

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def mix_vectors(kinds: Sequence[tuple[NDArray[np.floating], float]], owners: Sequence[str]) -> Floats:
    """Put the vectors of several encoders together, each without its common component and reduced.

    Args:
        kinds: of each encoder float [N, D], any D, and their weight.
        owners: N petitions that the occurrences stand in.

    Returns:
        float64 [N, K], each row of unit length.
    """
    mixed = _to_unit(np.hstack([weight * _reduce(vectors) for vectors, weight in kinds]))  # [N, K]
    _, numbers = np.unique(np.asarray(owners), return_inverse=True)
    means = np.zeros((numbers.max() + 1, mixed.shape[1]))  # [petitions, K]
    np.add.at(means, numbers, mixed)
    return _to_unit((1 - DISCOURSE) * mixed + DISCOURSE * _to_unit(means)[numbers])


def cluster_senses(vectors: Floats, n_senses: int | None = None) -> Labels:
    """Find the senses, the most frequent one 0.

    Without a number it is that of 2 to MOST_SENSES with the highest mean silhouette by cosine, or 1 where none reaches
    LEAST_SILHOUETTE or leaves each sense FEWEST_OF_SENSE occurrences.

    Args:
        vectors: float64 [N, K] of unit length, of which N >= n_senses.
        n_senses: how many, where that is told.

    Returns:
        int64 [N], 0 to the number of senses.
    """
    best, highest = np.zeros(len(vectors), np.int64), LEAST_SILHOUETTE
    if n_senses is not None:
        return _order(_split(vectors, n_senses)) if n_senses > 1 else best
    for n in range(2, min(MOST_SENSES, len(vectors) // FEWEST_OF_SENSE) + 1):
        labels = _split(vectors, n)
        if np.bincount(labels, minlength=n).min() < FEWEST_OF_SENSE:
            continue
        found = float(silhouette_score(vectors, labels, metric="cosine"))
        if found > highest:
            best, highest = _order(labels), found
    return best


def choose_typical(vectors: Floats, members: Sequence[int]) -> list[int]:
    """The members of a sense, the nearest to its middle first."""
    chosen = vectors[list(members)]
    nearness = chosen @ chosen.mean(axis=0)
    return [members[number] for number in np.argsort(-nearness, kind="stable")]


def find_neighbours(occurrences: Sequence[Occurrence], labels: Labels, stop_words: Iterable[str]) -> list[list[str]]:
    """The words that stand beside each sense more than beside the others, the most telling first.

    Each counts once an occurrence. The order is by the part of a log-likelihood ratio that the word adds: its number
    beside the sense times the logarithm of how much more that is than its share; where there is one sense, its number.
    """
    stopped = frozenset(stop_words)
    n_senses = int(labels.max()) + 1
    beside: list[Counter[str]] = [Counter() for _ in range(n_senses)]
    for occurrence, label in zip(occurrences, labels.tolist(), strict=True):
        beside[label].update(_words_beside(occurrence) - stopped)
    total = sum(beside, Counter())
    shares = np.bincount(labels, minlength=n_senses) / len(labels)

    def weigh(word: str, sense: int) -> float:
        n = beside[sense][word]
        return n * math.log(n / (total[word] * shares[sense])) if n_senses > 1 else n

    return [
        [
            word
            for word in sorted(found, key=lambda word, sense=sense: (-weigh(word, sense), word))  # type: ignore[misc]
            if weigh(word, sense) > 0
        ][:NEIGHBOURS]
        for sense, found in enumerate(beside)
    ]


def _words_beside(occurrence: Occurrence) -> set[str]:
    near = (*occurrence.before[-BESIDE:], *occurrence.after[:BESIDE])
    return {surface for surface, tag in near if 2 <= len(surface) <= MOST_LETTERS and tag.split("+")[0] in _TOLD}


def _reduce(vectors: NDArray[np.floating]) -> Floats:
    unit = _to_unit(np.asarray(vectors, np.float64))
    unit = unit - unit.mean(axis=0)
    n_kept = min(DIMENSIONS, *unit.shape)
    reduced: Floats = PCA(n_kept, svd_solver="full").fit_transform(unit)
    return _to_unit(reduced)


def _to_unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-9)
    return unit


def _split(vectors: Floats, n_senses: int) -> Labels:
    with threadpool_limits(1):  # a few hundred rows: threads wait for each other longer than they compute
        return np.asarray(KMeans(n_senses, n_init=STARTS, random_state=0).fit_predict(vectors), np.int64)


def _order(labels: Labels) -> Labels:
    """The same, numbered by how many there are of each; of as many the one that comes first."""
    found, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = found[np.lexsort((first, -counts))]
    return np.argsort(order)[np.searchsorted(found, labels)]
