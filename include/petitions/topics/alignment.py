"""Topics of two fits come in; which new topic continues which old one, and the lasting ids, go out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A topic of the new fit, and the topic of the old fit that it continues, by their rows; None: it is born."""

    new: int
    old: int | None
    distance: float | None  # Jensen-Shannon, 0 to 1; None when born


def align_topics(
    new_topic_word: NDArray[np.floating],
    new_terms: Sequence[str],
    old_topic_word: NDArray[np.floating],
    old_terms: Sequence[str],
    max_distance: float,
) -> list[Alignment]:
    """Pair the topics of two fits one to one, the nearest together, none further apart than `max_distance`.

    Args:
        new_topic_word: [K, V], rows sum to 1.
        new_terms: [V], the terms of its columns.
        old_topic_word: [L, W], rows sum to 1; L may be 0, then every topic is born.
        old_terms: [W], the terms of its columns.
        max_distance: topics at this distance or further are not the same topic.

    Returns:
        K alignments in the order of the new topics.
    """
    distance = measure_distances(new_topic_word, new_terms, old_topic_word, old_terms)  # [K, L]
    # Only nearness within the limit counts, so that no pair beyond it can push a good pair apart.
    nearness = np.maximum(max_distance - distance, 0)  # [K, L]
    rows, columns = linear_sum_assignment(nearness, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    old_of = {new: old for new, old in pairs if nearness[new, old] > 0}
    return [
        Alignment(new=k, old=old_of.get(k), distance=float(distance[k, old_of[k]]) if k in old_of else None)
        for k in range(len(distance))
    ]


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


def find_died_ids(alignments: Sequence[Alignment], old_ids: Sequence[int]) -> list[int]:
    """The ids of the old topics that no new one continues, in the order of the old fit."""
    continued = {alignment.old for alignment in alignments}
    return [topic_id for row, topic_id in enumerate(old_ids) if row not in continued]


def _spread(topic_word: NDArray[np.floating], terms: Sequence[str], column: dict[str, int]) -> NDArray[np.float64]:
    """The topics over the joint vocabulary, terms that a fit does not know at 0."""
    spread = np.zeros((len(topic_word), len(column)))  # [topics, joint]
    spread[:, [column[term] for term in terms]] = topic_word
    return spread
