"""Fits of several numbers of topics come in; the number to use, and the curve that says why, go out."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from petitions.errors import EmptyWindowError
from petitions.topics.lda_settings import MIN_DOCUMENTS_PER_TOPIC

logger = logging.getLogger(__name__)

CANDIDATES = (3, 5, 7, 9, 11, 13, 15, 18, 21)
# What is this near to the best is as good. NPMI moves by 0.005 between seeds and by 0.02 between halves of a window.
NPMI_TOLERANCE = 0.02
STABILITY_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a fit of some number of topics is judged by: the top terms of its K topics, and their mean NPMI."""

    top_terms: Sequence[Sequence[str]]
    npmi: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A number of topics, the mean NPMI of its two fits, and the share of top terms that the two share."""

    n_topics: int
    npmi: float
    stability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The number of topics to use, and all numbers that were tried, in their order."""

    n_topics: int
    curve: list[Point]


def choose_n_topics(
    fit: Callable[[int, int], Trial],
    n_documents: int,
    current: int | None = None,
    candidates: Sequence[int] = CANDIDATES,
) -> Choice:
    """Take the largest number of topics that is about as coherent and as stable as the best one.

    The largest, since few topics are coherent and stable by being broad: a reader learns more from nine than from
    five that measure the same. NPMI alone does not see that a topic is an accident of this corpus; stability does.

    Args:
        fit: makes the trial of a number of topics, once with 0 and once with 1 as its second argument: the half of
            the documents to fit. Two seeds over all documents would say less: they begin at the same topics of NMF
            and share 0.91 to 1.0 of their terms whatever the number.
        n_documents: in each of the two trials.
        current: the number in use, which stays while it is as good: each change makes and ends topics.
        candidates: numbers of topics, rising; those with fewer than `MIN_DOCUMENTS_PER_TOPIC` documents a topic are
            left out.

    Raises:
        EmptyWindowError: no candidate is left.
    """
    possible = [k for k in candidates if k * MIN_DOCUMENTS_PER_TOPIC <= n_documents]
    if not possible:
        raise EmptyWindowError(
            f"{n_documents} petitions are too few for any of {list(candidates)} topics; "
            f"a topic needs at least {MIN_DOCUMENTS_PER_TOPIC}"
        )
    curve = [_try(fit, k) for k in possible]
    least_npmi = max(point.npmi for point in curve) - NPMI_TOLERANCE
    least_stability = max(point.stability for point in curve) - STABILITY_TOLERANCE
    good = [point for point in curve if point.npmi >= least_npmi]  # never empty, unlike with both conditions
    both = [point.n_topics for point in good if point.stability >= least_stability]
    if current in both:
        both = [current]
    n_topics = max(both) if both else max(good, key=lambda point: point.stability).n_topics
    logger.info("chose %d topics among %s", n_topics, possible)
    return Choice(n_topics=n_topics, curve=curve)


def measure_stability(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """The mean share of top terms that the topics of two fits share, paired one to one so that it is highest: 0 to 1.

    Args:
        one: K lists of n terms.
        other: K lists of n terms.
    """
    shared = np.array([[len(set(a) & set(b)) / max(len(a), 1) for b in other] for a in one])  # [K, K]
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return float(shared[rows, columns].mean())


def _try(fit: Callable[[int, int], Trial], n_topics: int) -> Point:
    one, other = fit(n_topics, 0), fit(n_topics, 1)
    return Point(
        n_topics=n_topics,
        npmi=(one.npmi + other.npmi) / 2,
        stability=measure_stability(one.top_terms, other.top_terms),
    )
