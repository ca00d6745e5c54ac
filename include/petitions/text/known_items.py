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
SMOOTHING = 60  # of reciprocal rank fusion, as there
WEIGHTS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
LEAST_GAIN = 0.002  # a smaller one is chance
VECTORS_ALONE = float("inf")

Lists = NDArray[np.int64]  # [Q, DEPTH], the best first; -1 is nobody


def weigh_rarity(weights: csr_matrix) -> NDArray[np.float64]:
    """How rare each word is, as in bm25_petitions: float64 [V]."""
    n, counts = weights.shape[0], np.bincount(weights.indices, minlength=weights.shape[1])
    return np.asarray(np.log1p((n - counts + 0.5) / (counts + 0.5)))


def rank_words(weights: csr_matrix, questions: csr_matrix, *, without_self: bool = False) -> Lists:
    """The petitions that stand highest by BM25F for each question.

    Args:
        weights: [N, V], of each word in each petition.
        questions: [Q, V], how often, or how much, each word is asked for.
        without_self: the i-th question is the i-th petition, and does not answer itself.
    """
    asked = questions.multiply(weigh_rarity(weights)[np.newaxis, :]).tocsr()
    return _rank((asked @ weights.T).toarray(), 0.0, without_self=without_self)


def rank_vectors(
    embeddings: NDArray[np.float32], questions: NDArray[np.float32], *, without_self: bool = False
) -> Lists:
    """The petitions nearest to each question by cosine: of [N, D] and [Q, D], both of unit length."""
    return _rank((questions @ embeddings.T).astype(np.float64), -np.inf, without_self=without_self)


def _rank(scores: NDArray[np.float64], above: float, *, without_self: bool) -> Lists:
    """Of scores [Q, N] the highest; those that are not above a limit are nobody."""
    if without_self:
        np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
    return np.where(np.take_along_axis(scores, order, 1) > above, order, -1)


def fuse(words: Sequence[int], vectors: Sequence[int], weight: float) -> list[int]:
    """Join two lists by reciprocal rank, the best first; of equal ones the lower number."""
    scores: dict[int, float] = {}
    for item, share in ((words, 0.0 if weight == VECTORS_ALONE else 1.0), (vectors, min(weight, 1e9))):
        for place, petition in enumerate(item, 1):
            if petition >= 0 and share:
                scores[petition] = scores.get(petition, 0.0) + share / (SMOOTHING + place)
    return sorted(scores, key=lambda petition: (-scores[petition], petition))


def rank_answers(words: Lists, vectors: Lists, answers: Sequence[int], weight: float) -> NDArray[np.float64]:
    """1 / the rank of the answer to each question, 0 where it is not found: [Q]."""
    ranks = []
    for by_word, by_vector, answer in zip(words, vectors, answers, strict=True):
        fused = fuse(by_word.tolist(), by_vector.tolist(), weight)
        ranks.append(1 / (fused.index(answer) + 1) if answer in fused else 0.0)
    return np.array(ranks)


def measure_agreement(words: Lists, vectors: Lists, kinds: Sequence[str], weight: float, k: int = 10) -> float:
    """The share of the k most like petitions that are of the same kind, over all petitions, in their order."""
    agreed = n = 0
    for place, (by_word, by_vector) in enumerate(zip(words, vectors, strict=True)):
        found = fuse(by_word.tolist(), by_vector.tolist(), weight)[:k]
        agreed += sum(kinds[other] == kinds[place] for other in found)
        n += len(found)
    return agreed / max(n, 1)


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


def choose_weight(measured: Mapping[float, Mapping[str, float]], n_items: int) -> Choice:
    """Choose the weight that gains most over all sets among those that lose on none; 0 where none gains enough.

    Args:
        measured: by weight, with 0 and VECTORS_ALONE, the value of each set.
        n_items: how many questions a set has.
    """
    words, chance = measured[0.0], gain_by_chance(n_items)

    def gain(weight: float) -> float:
        return max(value - words[name] - (1 - words[name]) * chance for name, value in measured[weight].items())

    fit = [
        weight
        for weight, values in measured.items()
        if weight != VECTORS_ALONE and all(value >= words[name] for name, value in values.items())
    ]
    best = max(fit, key=lambda weight: (sum(measured[weight].values()), -weight))
    chosen = best if gain(best) >= LEAST_GAIN else 0.0
    return Choice(weight=chosen, words=words, vectors=measured[VECTORS_ALONE], fused=measured[chosen])
