"""Topics of two fits come in; which new topic continues which old one, and the lasting ids, go out.

Two things tell whether a topic is still the same: its words (Jensen-Shannon distance over the joint vocabulary) and
its petitions (overlap among those that both windows hold). Each weighs half. bench/topic_nights.py measures it all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

# Cost from which on two topics are no match. Over 90 nights of real fits, three quarters of the pairs that belong
# together stood below 0.14, and 99 % of the others above 0.75 (above 0.60 by distance alone, without petitions).
MAX_COST = 0.6
# A topic with fewer of the old one's best terms never gets its id, whatever the cost: readers know it by its terms.
BEST_TERMS, MIN_SHARED_TERMS = 10, 3
MIN_COMMON = 50  # petitions; in fewer an overlap is chance, and the distance decides alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The words of the K topics of a fit."""

    topic_word: NDArray[np.floating]  # [K, V], rows sum to 1
    terms: Sequence[str]  # [V], of its columns
    top_terms: Sequence[Sequence[str]]  # [K], the best first


NO_TOPICS = Topics(topic_word=np.zeros((0, 0)), terms=(), top_terms=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Each of K new topics beside each of L old ones."""

    distance: NDArray[np.float64]  # [K, L], Jensen-Shannon, 0 to 1
    n_shared: NDArray[np.int64]  # [K, L], terms that are among the BEST_TERMS of both
    n_petitions: NDArray[np.int64]  # [K], petitions with the new topic as main topic
    n_common: NDArray[np.int64] | None  # [K, L], petitions with both as main topic; None: too few in both windows

    @property
    def overlap(self) -> NDArray[np.float64] | None:
        """[K, L]: of the petitions with either as main topic, those with both; 0 to 1."""
        if self.n_common is None:
            return None
        either = self.n_common.sum(axis=1, keepdims=True) + self.n_common.sum(axis=0) - self.n_common  # [K, L]
        overlap: NDArray[np.float64] = self.n_common / np.maximum(either, 1)
        return overlap

    @property
    def cost(self) -> NDArray[np.float64]:
        """[K, L]: the mean of distance and missing overlap, or the distance alone; 0 to 1."""
        overlap = self.overlap
        return self.distance if overlap is None else (self.distance + 1 - overlap) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A topic of the new fit, and the topic of the old fit that it continues, by their rows; None: it is born."""

    new: int
    old: int | None
    distance: float | None  # None when born
    overlap: float | None  # None when born, and where the windows have too few petitions in common


def compare_topics(
    new: Topics, old: Topics, new_shares: NDArray[np.floating], old_shares: NDArray[np.floating]
) -> Comparison:
    """Measure how near the topics of two fits are.

    Args:
        new: K topics.
        old: L topics, or NO_TOPICS before the first fit.
        new_shares: [N, K], the shares of the new topics in petitions.
        old_shares: [N, L], those of the old topics in the same petitions. A petition that one of the fits does not
            know has equal shares there (all 0, or 1 / K) and is left out; N may be 0.
    """
    best = [set(terms[:BEST_TERMS]) for terms in old.top_terms]
    shared = [[len(one.intersection(terms[:BEST_TERMS])) for one in best] for terms in new.top_terms]
    new_main, old_main = _find_main(new_shares), _find_main(old_shares)  # [N]
    both = (new_main >= 0) & (old_main >= 0)  # [N]
    n_common = np.zeros((len(new.top_terms), len(best)), np.int64)  # [K, L]
    np.add.at(n_common, (new_main[both], old_main[both]), 1)
    return Comparison(
        distance=measure_distances(new.topic_word, new.terms, old.topic_word, old.terms),
        n_shared=np.array(shared, np.int64).reshape(n_common.shape),
        n_petitions=np.bincount(new_main[new_main >= 0], minlength=len(n_common)),
        n_common=n_common if n_common.sum() >= MIN_COMMON else None,
    )


def measure_distances(
    new_topic_word: NDArray[np.floating],
    new_terms: Sequence[str],
    old_topic_word: NDArray[np.floating],
    old_terms: Sequence[str],
) -> NDArray[np.float64]:
    """Jensen-Shannon distance (base 2) of every new to every old topic over the joint vocabulary.

    Returns:
        [K, L]; 0 for equal topics, 1 for topics without a common term.
    """
    column = {term: index for index, term in enumerate(dict.fromkeys([*new_terms, *old_terms]))}
    new = _spread(new_topic_word, new_terms, column)  # [K, joint]
    old = _spread(old_topic_word, old_terms, column)  # [L, joint]
    distance: NDArray[np.float64] = cdist(new, old, "jensenshannon") / math.sqrt(math.log(2))  # scipy takes nats
    # Rounding may leave the root of a negative number for equal rows, or a value just above 1.
    return np.clip(np.nan_to_num(distance), 0, 1)


def align_topics(comparison: Comparison) -> list[Alignment]:
    """Pair new and old topics one to one at the least cost.

    No pair costs MAX_COST or more or shares fewer than MIN_SHARED_TERMS of the best terms: there the new topic is born.

    Returns:
        K alignments in the order of the new topics.
    """
    # Only nearness within the limits counts, so that no pair beyond them can push a good pair apart.
    nearness = np.maximum(MAX_COST - comparison.cost, 0) * (comparison.n_shared >= MIN_SHARED_TERMS)  # [K, L]
    rows, columns = linear_sum_assignment(nearness, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    old_of = {new: old for new, old in pairs if nearness[new, old] > 0}
    overlap = comparison.overlap
    alignments = []
    for new in range(len(nearness)):
        old = old_of.get(new)
        alignments.append(
            Alignment(
                new=new,
                old=old,
                distance=None if old is None else float(comparison.distance[new, old]),
                overlap=None if old is None or overlap is None else float(overlap[new, old]),
            )
        )
    return alignments


def assign_topic_ids(alignments: Sequence[Alignment], old_ids: Sequence[int], highest_id: int = 0) -> list[int]:
    """Continued topics keep their id, born ones get the next free numbers, in their order; the first id is 1.

    Args:
        alignments: K, as `align_topics` gives them.
        old_ids: [L], the ids of the old topics in the order of their rows.
        highest_id: the highest id ever given, so that the id of a topic that died long ago is not given again.
    """
    next_id = max([highest_id, *old_ids], default=0) + 1
    ids = []
    for alignment in alignments:
        if alignment.old is None:
            ids.append(next_id)
            next_id += 1
        else:
            ids.append(old_ids[alignment.old])
    return ids


def _find_main(shares: NDArray[np.floating]) -> NDArray[np.int64]:
    """[N]: the topic with the greatest share in each petition; -1 where all are equal."""
    if shares.size == 0:
        return np.full(len(shares), -1)
    return np.where(np.ptp(shares, axis=1) > 0, shares.argmax(axis=1), -1)


def _spread(topic_word: NDArray[np.floating], terms: Sequence[str], column: dict[str, int]) -> NDArray[np.float64]:
    """The topics over the joint vocabulary, terms that a fit does not know at 0."""
    spread = np.zeros((len(topic_word), len(column)))  # [topics, joint]
    spread[:, [column[term] for term in terms]] = topic_word
    return spread
