"""Top terms of topics come in; how well they belong together, and how little topics share, goes out.

Both coherences are what gensim's CoherenceModel gives as `c_npmi` and `c_v`, to the rounding (tests compare them), in a
tenth of its time. gensim asks every window, and took 2.9 of the 6.7 CPU seconds of a night's fit of 1,821 petitions;
here only those windows are asked where a term enters or is left behind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

NPMI_WINDOW, C_V_WINDOW = 10, 110  # tokens; Röder and others 2015
EPSILON = 1e-12  # of gensim: of a pair that never meets
TOKENS_AT_ONCE = 500_000


def measure_npmi(topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]) -> list[float]:
    """NPMI of each topic's terms within windows of ten tokens (Bouma 2009): -1 never together, 1 always.

    A term that is in none of the documents counts 0 with each other one.

    Args:
        topics: K lists of at least two terms.
        documents: the tokens that the topics were fitted on, pruned ones included.
    """
    apart = [~np.eye(len(terms), dtype=bool) for terms in topics]
    pairs = _weigh_pairs(topics, documents, NPMI_WINDOW)
    return [float(weights[others].mean()) for weights, others in zip(pairs, apart, strict=True)]


def measure_c_v(topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]]) -> float:
    """Mean c_v of the topics (Röder and others 2015), 0 to 1; the arguments are those of `measure_npmi`.

    That of a topic is the mean cosine of each term's NPMI with all terms, itself included, and the sum of those of all.
    """
    return float(np.mean([_compare_with_sum(weights) for weights in _weigh_pairs(topics, documents, C_V_WINDOW)]))


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


def _compare_with_sum(weights: NDArray[np.float64]) -> float:
    whole = weights.sum(axis=0)  # [n]
    lengths = np.linalg.norm(weights, axis=1) * np.linalg.norm(whole)  # [n]
    return float(np.divide(weights @ whole, lengths, out=np.zeros(len(weights)), where=lengths > 0).mean())


def _weigh_pairs(
    topics: Sequence[Sequence[str]], documents: Sequence[Sequence[str]], size: int
) -> Iterator[NDArray[np.float64]]:
    """NPMI of the terms of each topic with each other, [n, n], by the windows of so many tokens that hold both."""
    ids = {term: number for number, term in enumerate(dict.fromkeys(term for terms in topics for term in terms))}
    numbers = [np.array([ids[term] for term in terms]) for terms in topics]
    together = [np.zeros((len(terms), len(terms))) for terms in topics]
    n_windows = 0
    for some in _take_some(documents):
        windows = _Windows(some, size, ids)
        n_windows += len(windows)
        for counts, terms in zip(together, numbers, strict=True):
            counts += windows.count_together(terms)
    for counts in together:
        share, both = np.diag(counts) / n_windows, counts / n_windows + EPSILON
        chance = np.outer(share, share)
        ratio = np.divide(both, chance, out=np.ones_like(both), where=chance > 0)
        yield np.log(ratio) / -np.log(both)


def _take_some(documents: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """Documents of so many tokens at once, or one that has more."""
    some: list[Sequence[str]] = []
    n_tokens = 0
    for tokens in documents:
        if some and n_tokens + len(tokens) > TOKENS_AT_ONCE:
            yield some
            some, n_tokens = [], 0
        some.append(tokens)
        n_tokens += len(tokens)
    if some:
        yield some


class _Windows:
    """All windows of so many tokens in some documents; a shorter document, an empty one too, is one window."""

    def __init__(self, documents: Sequence[Sequence[str]], size: int, ids: Mapping[str, int]) -> None:
        """Read the documents; of their tokens only those count that have an id."""
        lengths = np.array([len(tokens) for tokens in documents])
        self.size, self.ends = size, np.cumsum(lengths)  # [documents], as the next three
        self.begins = self.ends - lengths
        n_of = np.maximum(lengths - size + 1, 1)
        self.after = np.cumsum(n_of)  # the windows of the documents up to this one
        self.before = self.after - n_of
        everything = np.array([ids.get(token, -1) for tokens in documents for token in tokens], np.int32)
        self.places = np.flatnonzero(everything >= 0)
        self.found, self.document = everything[self.places], np.searchsorted(self.ends, self.places, side="right")

    def __len__(self) -> int:
        """How many."""
        return int(self.after[-1])

    def count_together(self, terms: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many windows hold each two of the terms, [n, n]; on the diagonal, each one.

        As gensim slides its window, a term is out of it as soon as one occurrence is left behind, though another may be
        inside, until the next one enters: so that figures can be set beside those of others. What a window holds is
        thus another thing only where an occurrence enters or is left, and is asked there alone.
        """
        windows, n_alike = self._find_changes(np.isin(self.found, terms))
        document = np.searchsorted(self.after, windows, side="right")
        begin = self.begins[document]
        first = begin + windows - self.before[document]
        end = np.minimum(first + self.size, self.ends[document])
        holds = np.zeros((len(terms), len(windows)))
        for row, term in zip(holds, terms, strict=True):
            at = self.places[self.found == term]
            last = np.concatenate([[-1], at])  # where it stood last before a place
            inside, before = last[np.searchsorted(at, end)], last[np.searchsorted(at, first)]
            row[:] = (inside >= first) & ((before < begin) | (inside - before >= self.size))
        together: NDArray[np.float64] = (holds * n_alike) @ holds.T
        return together

    def _find_changes(self, is_asked: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The windows that hold other places than the one before, and how many of them in a row hold the same."""
        places, document = self.places[is_asked], self.document[is_asked]
        shift = self.before[document] - self.begins[document]  # from the first token of a window to its number
        enters = np.maximum(places - self.size + 1, self.begins[document]) + shift
        leaves = np.minimum(places + 1 + shift, self.after[document])
        windows = np.unique(np.concatenate([enters, leaves]))
        windows = windows[windows < len(self)]
        return windows, np.diff(windows, append=len(self))
