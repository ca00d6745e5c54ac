"""Tokens of documents come in; gensim's dictionary and bags of words go out, pruned and with bursts flattened."""

from collections.abc import Sequence
from dataclasses import dataclass

from gensim.corpora import Dictionary

Bag = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A pruned dictionary of V terms and the N bags of words over it, in the order of the documents."""

    dictionary: Dictionary
    bags: list[Bag]


def build_corpus(
    documents: Sequence[Sequence[str]], *, no_below: int, no_above: float, max_repeats: int, max_terms: int
) -> Corpus:
    """Prune rare and common terms and count the rest.

    Args:
        documents: N lists of tokens, in an order that is always the same: it decides the ids of the terms.
        no_below: a term in fewer documents is dropped; a small corpus takes 1 % of its documents instead, at least 2.
        no_above: a term in a larger share of the documents is dropped.
        max_repeats: a document counts a term at most so often: words come in bursts (Church and Gale 1995), and a
            long petition that repeats one name would bend a topic to itself.
        max_terms: only so many terms are kept, the most common ones.

    Returns:
        The corpus; without documents, or with none of the terms left, its dictionary and bags are empty.
    """
    dictionary = Dictionary(documents)
    if documents:
        floor = max(2, min(no_below, len(documents) // 100))
        dictionary.filter_extremes(no_below=floor, no_above=no_above, keep_n=max_terms)
    return Corpus(
        dictionary=dictionary, bags=[count_terms(dictionary, document, max_repeats) for document in documents]
    )


def count_terms(dictionary: Dictionary, document: Sequence[str], max_repeats: int) -> Bag:
    """The bag of words of one document, each term counted at most `max_repeats` times; unknown terms left out."""
    return [(term_id, min(count, max_repeats)) for term_id, count in dictionary.doc2bow(document)]
