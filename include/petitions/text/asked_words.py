"""The words of a petition come in; those that others like it are asked for by go out, as in `similar_petitions`."""

import heapq
from collections.abc import Collection, Mapping
from math import log1p

from petitions.text.bm25 import MOST

HEAVIEST, BY_WORDS = 64, 32  # the words that weigh most in the petition, then those of them that weigh most of all
LEVELS = 16  # of weights, as store.words keeps them
OF_TOPICS = 2.0  # how often a word counts that topics are made of: verbs and adverbs ask as much as the subject


def choose_words(
    weights: Mapping[str, float], tokens: Collection[str], n_with: Mapping[str, int], n: int
) -> dict[str, float]:
    """The words to ask by, and how much each is asked for; none for a petition whose words nobody else has.

    Args:
        weights: of the words of the petition.
        tokens: which of them topics are made of.
        n_with: in how many petitions each stands.
        n: how many petitions there are.
    """
    of_text = {
        word: (int(weight / MOST * LEVELS) + 0.5) * MOST / LEVELS * (OF_TOPICS if word in tokens else 1.0)
        for word, weight in weights.items()
    }
    heaviest = heapq.nsmallest(HEAVIEST, of_text, key=lambda word: (-of_text[word], -len(word), word))
    shared = {
        word: of_text[word] * log1p((n - n_with[word] + 0.5) / (n_with[word] + 0.5))
        for word in heaviest
        if n_with[word] > 1
    }
    return {word: of_text[word] for word in heapq.nlargest(BY_WORDS, shared, key=lambda word: shared[word])}
