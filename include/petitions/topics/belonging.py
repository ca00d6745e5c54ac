"""Topics and the bags of petitions come in; which petitions hold enough of their topic's terms to be of it goes out.

A share alone does not tell: a petition of few known words gets its share from one or two of them, and one about
something else gets the topic that lies nearest. Of 65 petitions, the five most agreed of 13 topics with half of it or
more, 17 did not fit by reading; those that do hold three terms or more, or are a title alone.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from petitions.topics.corpus import Bag

MIN_TERMS = 3  # of its topic's terms in a petition
SHORT = 10  # different known words; a petition of fewer, mostly one whose body is not published, needs one term


def find_borne(
    bags: Iterable[Bag], document_topic: NDArray[np.floating], ranked: Sequence[Sequence[int]]
) -> NDArray[np.bool_]:
    """Tell of each petition whether it holds enough terms of the topic that has the largest share of it.

    Args:
        bags: of N petitions.
        document_topic: [N, K].
        ranked: K lists of terms, by their number.

    Returns:
        bool [N].
    """
    terms = [frozenset(topic) for topic in ranked]
    main = document_topic.argmax(axis=1)  # [N]
    borne = np.zeros(len(main), np.bool_)
    for row, bag in enumerate(bags):
        n_held = sum(term in terms[main[row]] for term, _ in bag)
        borne[row] = n_held >= (MIN_TERMS if len(bag) >= SHORT else 1)
    return borne
