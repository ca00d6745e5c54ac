"""Tokens of documents come in; gensim's dictionary and counts go out, pruned and with bursts flattened."""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from gensim.corpora import Dictionary
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

logging.getLogger("gensim").setLevel(logging.WARNING)  # it tells of every pass and topic: hundreds of lines a fit

Bag = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BagStream:
    """The bags of documents over a dictionary, made anew in each pass: what gensim takes as a corpus."""

    documents: Iterable[Sequence[str]]
    dictionary: Dictionary
    max_repeats: int

    def __len__(self) -> int:
        """The number of documents, as the dictionary counted them."""
        return int(self.dictionary.num_docs)

    def __iter__(self) -> Iterator[Bag]:
        """One bag a document, in their order."""
        for document in self.documents:
            yield count_terms(self.dictionary, document, self.max_repeats)


def build_dictionary(
    documents: Iterable[Sequence[str]], *, no_below: int, no_above: float, max_terms: int
) -> Dictionary:
    """Prune rare and common terms.

    Args:
        documents: N lists of tokens, in an order that is always the same: it decides the ids of the terms.
        no_below: a term in fewer documents is dropped; a small corpus takes 1 % of its documents instead, at least 2.
        no_above: a term in a larger share of the documents is dropped.
        max_terms: only so many terms are kept, the most common ones.

    Returns:
        V terms; none without documents. `num_docs` is N, `num_pos` the number of all tokens.
    """
    dictionary = Dictionary(documents)
    if dictionary.num_docs:
        floor = max(2, min(no_below, dictionary.num_docs // 100))
        dictionary.filter_extremes(no_below=floor, no_above=no_above, keep_n=max_terms)
    return dictionary


def count_terms(dictionary: Dictionary, document: Sequence[str], max_repeats: int) -> Bag:
    """The bag of words of one document, each term counted at most `max_repeats` times; unknown terms left out.

    Words come in bursts (Church and Gale 1995), and a long petition that repeats one name would bend a topic to itself.
    """
    return [(term_id, min(count, max_repeats)) for term_id, count in dictionary.doc2bow(document)]


def count_matrix(bags: Iterable[Bag], n_terms: int) -> csr_matrix:
    """The counts of N bags, int32 [N, V]; a row without terms is empty."""
    lengths, indices, counts = [0], [], []
    for bag in bags:
        lengths.append(len(bag))
        indices.append(np.fromiter((term_id for term_id, _ in bag), np.int32, len(bag)))
        counts.append(np.fromiter((count for _, count in bag), np.int32, len(bag)))
    flat = [np.concatenate([np.zeros(0, np.int32), *parts]) for parts in (counts, indices)]
    return csr_matrix((*flat, np.cumsum(lengths)), shape=(len(lengths) - 1, n_terms))


def sum_counts(counts: csr_matrix, axis: int) -> NDArray[np.float64]:
    """The sums over one axis of a sparse matrix, as a flat array."""
    return np.asarray(counts.sum(axis=axis), dtype=np.float64).ravel()


def take_evenly(documents: Iterable[Sequence[str]], n_documents: int, most: int) -> list[Sequence[str]]:
    """At most `most` of so many documents, evenly spaced, in their order."""
    return list(islice(documents, 0, None, max(1, math.ceil(n_documents / most))))
