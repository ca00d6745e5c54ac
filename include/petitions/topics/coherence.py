"""Top terms of topics come in; how well they belong together, and how little topics share, goes out."""

from collections.abc import Sequence

import numpy as np
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel
from numpy.typing import NDArray


def measure_npmi(
    topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]], dictionary: Dictionary
) -> list[float]:
    """NPMI of each topic's terms within windows of ten tokens (Bouma 2009): -1 never together, 1 always.

    Args:
        topics: K lists of at least two terms, all in the dictionary.
        documents: the tokens that the topics were fitted on, pruned ones included.
        dictionary: of the fit.
    """
    return _measure("c_npmi", topics, documents, dictionary)


def measure_c_v(topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]], dictionary: Dictionary) -> float:
    """Mean c_v of the topics (Röder and others 2015), 0 to 1; the arguments are those of `measure_npmi`."""
    return float(np.mean(_measure("c_v", topics, documents, dictionary)))


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


def _measure(
    kind: str, topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]], dictionary: Dictionary
) -> list[float]:
    model = CoherenceModel(
        topics=topics,
        texts=documents,
        dictionary=dictionary,
        coherence=kind,
        topn=max(map(len, topics)),
        processes=1,  # its worker processes would outlive a killed run
    )
    return [float(value) for value in model.get_coherence_per_topic()]
