"""How well words, vectors and both together find what is known to be the answer, and what vectors should weigh.

Known items (Azzopardi, de Rijke, Balog 2007): a question made of a petition must find that petition. No judgement by
hand is needed, so that any encoder can be measured on whatever is published. In: sparse weights of words, unit vectors;
out: the mean reciprocal rank by weight of the vectors, and the weight to take.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

DEPTH = 50  # of each list, as in search_petitions_hybrid
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
LEAST_GAIN = 0.002  # a smaller one is chance
VECTORS_ALONE = float("inf")

Scores = NDArray[np.float64]  # [Q, N], of N petitions for each question


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The petitions that stand highest for a question by words or by vectors."""

    petitions: NDArray[np.int64]  # [C], ascending
    shares: NDArray[np.float64]  # [C], of the best score by words; 0: not among the highest by words
    similarities: NDArray[np.float64]  # [C], cosine; 0 where no vector was looked at
    is_near: NDArray[np.bool_]  # [C], among the highest by vectors


def weigh_rarity(weights: csr_matrix) -> NDArray[np.float64]:
    """How rare each word is, as in bm25_petitions: float64 [V]."""
    n, counts = weights.shape[0], np.bincount(weights.indices, minlength=weights.shape[1])
    return np.asarray(np.log1p((n - counts + 0.5) / (counts + 0.5)))


def score_words(weights: csr_matrix, questions: csr_matrix) -> Scores:
    """How high each petition stands by BM25F for each question.

    Args:
        weights: [N, V], of each word in each petition.
        questions: [Q, V], how often, or how much, each word is asked for.
    """
    asked = questions.multiply(weigh_rarity(weights)[np.newaxis, :]).tocsr()
    return np.asarray((asked @ weights.T).toarray())


def find_candidates(
    words: Scores, vectors: NDArray[np.floating] | None, *, without_self: bool = False
) -> list[Candidates]:
    """The DEPTH highest by words, and as many by vectors, of each question.

    Args:
        words: [Q, N]; who has 0 is not found.
        vectors: cosines, [Q, N]; None: not looked at.
        without_self: the i-th question is the i-th petition, and does not answer itself.
    """
    found = []
    for row, by_word in enumerate(words):
        cosines = np.zeros(len(by_word)) if vectors is None else vectors[row]
        nobody = row if without_self else -1
        high = [place for place in _highest(by_word, DEPTH + 1) if by_word[place] > 0 and place != nobody][:DEPTH]
        near = [] if vectors is None else [place for place in _highest(cosines, DEPTH + 1) if place != nobody][:DEPTH]
        petitions = np.array(sorted({*high, *near}), np.int64)  # [C]
        shares = by_word[petitions] / by_word[high[0]] if high else np.zeros(len(petitions))
        found.append(
            Candidates(
                petitions=petitions,
                shares=np.where(np.isin(petitions, high), shares, 0.0),
                similarities=cosines[petitions].astype(np.float64),
                is_near=np.isin(petitions, near),
            )
        )
    return found


def _highest(scores: NDArray[np.floating], n: int) -> list[int]:
    """The places of the n highest, the highest first; of equal ones the lower place."""
    order: list[int] = np.argsort(-scores, kind="stable")[:n].tolist()
    return order


def fuse(found: Candidates, weight: float) -> list[int]:
    """Join both lists by share + weight times cosine, the best first; of equal ones the lower number.

    Convex combination of scores (Bruch, Gai, Ingber 2023): unlike ranks they know how far the first is ahead.
    """
    if weight == VECTORS_ALONE:
        scores, is_found = found.similarities, found.is_near
    else:
        scores = found.shares + weight * found.similarities
        is_found = (found.shares > 0) | (found.is_near & (weight > 0))
    order = np.argsort(-scores, kind="stable")
    fused: list[int] = found.petitions[order[is_found[order]]].tolist()
    return fused


def rank_answers(candidates: Sequence[Candidates], answers: Sequence[int], weight: float) -> NDArray[np.float64]:
    """1 / the rank of the answer to each question, 0 where it is not found: [Q]."""
    ranks = []
    for found, answer in zip(candidates, answers, strict=True):
        fused = fuse(found, weight)
        ranks.append(1 / (fused.index(answer) + 1) if answer in fused else 0.0)
    return np.array(ranks)


def measure_agreement(
    candidates: Sequence[Candidates], kinds: Sequence[str], weight: float, k: int = 10
) -> NDArray[np.float64]:
    """The share of the k most like petitions that are of the same kind, of each petition, in their order: [N]."""
    agreed = []
    for place, found in enumerate(candidates):
        fused = fuse(found, weight)[:k]
        agreed.append(sum(kinds[other] == kinds[place] for other in fused) / max(len(fused), 1))
    return np.array(agreed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A weight, and why: what each question set gives with it, with words alone and with vectors alone."""

    weight: float
    words: Mapping[str, float]
    vectors: Mapping[str, float]
    fused: Mapping[str, float]


def gain_by_chance(n_items: int) -> float:
    """What vectors of chance may bring where words find nothing: the mean reciprocal rank, and two standard errors."""
    ranks = 1 / np.arange(1, min(n_items, DEPTH) + 1)  # each place is as likely, most of them behind the list
    mean = ranks.sum() / n_items
    return float(mean + 2 * np.sqrt((np.square(ranks).sum() / n_items - mean**2) / n_items))


def choose_weight(measured: Mapping[float, Mapping[str, NDArray[np.float64]]], n_items: int) -> Choice:
    """Choose the weight that gains most over all sets among those that lose on none; 0 where none gains enough.

    Where each loses somewhere, a loss within a standard error of the difference, question by question, is none.

    Args:
        measured: by weight, with 0 and VECTORS_ALONE, the values of each set, of each question: [Q].
        n_items: how many questions a set has.
    """
    means = {weight: {name: float(v.mean()) for name, v in sets.items()} for weight, sets in measured.items()}
    words, chance = means[0.0], gain_by_chance(n_items)
    least = {name: (1 - words[name]) * chance + LEAST_GAIN for name in words}

    def choose(allowed: float) -> float:
        fit = [0.0]
        for weight, sets in measured.items():
            lost = {name: measured[0.0][name] - values for name, values in sets.items()}
            errors = {name: allowed * v.std() / np.sqrt(len(v)) for name, v in lost.items()}
            is_fit = all(v.mean() <= errors[name] for name, v in lost.items())
            if weight != VECTORS_ALONE and is_fit and any(-v.mean() >= least[name] for name, v in lost.items()):
                fit.append(weight)
        return max(fit, key=lambda weight: (sum(means[weight].values()), -weight))

    chosen = choose(0.0) or choose(1.0)
    return Choice(weight=chosen, words=words, vectors=means[VECTORS_ALONE], fused=means[chosen])
