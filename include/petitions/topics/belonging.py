"""Topics and the counts of petitions come in; which petitions hold enough of their topic's terms to be of it goes out.

A share alone does not tell: a petition of few known words gets its share from one or two of them, and one about
something else gets the topic that lies nearest. Of 65 petitions, the five most agreed of 13 topics with half of it or
more, 17 did not fit by reading; those that do hold three terms or more, or are a title alone.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

MIN_TERMS = 3  # of its topic's terms in a petition
SHORT = 10  # different known words; a petition of fewer, mostly one whose body is not published, needs one term


def find_borne(
    blocks: Iterable[csr_matrix], n_terms: int, document_topic: NDArray[np.floating], ranked: Sequence[Sequence[int]]
) -> NDArray[np.bool_]:
    """Tell of each petition whether it holds enough terms of the topic that has the largest share of it.

    Args:
        blocks: the counts of N petitions over V terms, some rows a block.
        n_terms: V.
        document_topic: [N, K].
        ranked: K lists of terms, by their number.

    Returns:
        bool [N].
    """
    main = document_topic.argmax(axis=1)  # [N]
    is_term = np.zeros((len(ranked), n_terms), np.bool_)  # [K, V]
    for k, terms in enumerate(ranked):
        is_term[k, terms] = True
    borne = [np.zeros(0, np.bool_)]
    n = 0
    for counts in blocks:
        n_known = np.diff(counts.indptr)
        rows = np.repeat(np.arange(len(n_known)), n_known)
        is_held = is_term[main[n + rows], counts.indices]
        n_held = np.bincount(rows[is_held], minlength=len(n_known))
        borne.append(n_held >= np.where(n_known >= SHORT, MIN_TERMS, 1))
        n += len(n_known)
    return np.concatenate(borne)
