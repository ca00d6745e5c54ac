"""Questions made of petitions, which must find them again: scores by words, and by vectors, for `known_items` to join.

All words of a title, or two of them, must find the petition; the title must find the body alone; the petitions most
like one should be of its category. In: petitions, their vectors, what embeds a text; out: what each weight of the
vectors gives, or how words, vectors and both compare.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from petitions.records import PetitionText
from petitions.text import known_items
from petitions.text.asked_words import choose_words
from petitions.text.bm25 import weigh_words
from petitions.text.known_items import VECTORS_ALONE, WEIGHTS, Candidates, find_candidates, score_words
from petitions.text.search_words import split_many
from petitions.text.tokenizer import tokenize_many

RULES = 1  # raise it when the code finds other figures for the same petitions, vectors and weight
TITLE, TWO_WORDS, BODY = "title", "two words of the title", "body from title"
NEAREST = "category of the nearest ten"

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
# By weight of the vectors, by question set, of each question: [N].
Values = dict[float, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The mean reciprocal rank of the answers to one set of questions, and how far chance may part two of them."""

    name: str
    words: float
    vectors: float | None  # None: not looked at
    fused: float
    chance: float  # two standard errors of the mean difference between both and words alone

    @property
    def least(self) -> float:
        """What both together must find, to be no worse than words alone but for chance."""
        return self.words - self.chance

    @property
    def is_worse(self) -> bool:
        """Vectors, as they are served, spoil what words find."""
        return self.fused < self.least

    def tell(self) -> str:
        """The figures in a line."""
        vectors = "" if self.vectors is None else f"vectors {self.vectors:.3f}, "
        return f"{self.name}: words {self.words:.3f}, {vectors}both {self.fused:.3f}"


class Sets:
    """The petitions that answer N petitions' questions, by words and by vectors."""

    def __init__(
        self,
        texts: Sequence[PetitionText],
        whole: NDArray[np.float32],
        embed: Embed | None,
        ask: Embed | None = None,
    ) -> None:
        """Ask all questions.

        Args:
            texts: N petitions.
            whole: their vectors, float32 [N, D].
            embed: gives a vector of a body alone, by the same encoder; without it none answers.
            ask: that of a question; without it `embed`, and without both no vector answers.
        """
        titles = split_many([item.title for item in texts])
        bodies = split_many([item.below_title for item in texts])
        chance = random.Random(0)  # noqa: S311 - to draw questions
        self.pairs = [" ".join(chance.sample(item.title.split(), min(2, len(item.title.split())))) for item in texts]
        make = _make_matrices([*titles, *bodies])
        self._texts = texts
        self._words = [weigh_words(title, body) for title, body in zip(titles, bodies, strict=True)]
        self._make = make
        self._weights = make(self._words)
        self._whole = whole
        below = make([weigh_words([], body) for body in bodies])
        by_title = make([dict.fromkeys(title, 1.0) for title in titles])
        by_pair = make([dict.fromkeys(words, 1.0) for words in split_many(self.pairs)])
        words = {
            TITLE: score_words(self._weights, by_title),
            TWO_WORDS: score_words(self._weights, by_pair),
            BODY: score_words(below, by_title),
        }
        vectors: dict[str, NDArray[np.float32]] = {}
        if ask := ask or embed:
            asked, of_pairs = ask([item.title for item in texts]), ask([pair or " " for pair in self.pairs])
            vectors = {TITLE: asked @ whole.T, TWO_WORDS: of_pairs @ whole.T}
            if embed is not None:
                vectors[BODY] = asked @ embed([item.below_title or " " for item in texts]).T
        self.candidates = {name: find_candidates(words[name], vectors.get(name)) for name in words}
        self.with_vectors = vectors.keys()

    def rank(self, name: str, weight: float) -> NDArray[np.float64]:
        """1 / the rank of each answer of a set, 0 where it is not found: [N]."""
        found = self.candidates[name]
        return known_items.rank_answers(found, range(len(found)), weight)

    def list_most_like(self) -> list[Candidates]:
        """The petitions that may be most like each, by its heaviest words and by its vector."""
        tokens = tokenize_many([item.whole for item in self._texts])
        n_with = Counter(word for row in self._words for word in row)
        asked = [
            choose_words(row, set(own), n_with, len(self._words)) for row, own in zip(self._words, tokens, strict=True)
        ]
        words = score_words(self._weights, self._make(asked))
        return find_candidates(words, self._whole @ self._whole.T, without_self=True)


def measure(
    texts: Sequence[PetitionText],
    categories: Sequence[str],
    whole: NDArray[np.float32],
    embed: Embed,
    ask: Embed | None = None,
) -> tuple[Values, Values]:
    """Measure search and similar petitions at each weight, of N texts, their categories and vectors as in `Sets`."""
    sets = Sets(texts, whole, embed, ask)
    like = sets.list_most_like()
    tried = (*WEIGHTS, VECTORS_ALONE)
    search = {weight: {name: sets.rank(name, weight) for name in sets.candidates} for weight in tried}
    similar = {
        weight: search[weight] | {NEAREST: known_items.measure_agreement(like, categories, weight)} for weight in tried
    }
    return search, similar


def compare(
    texts: Sequence[PetitionText],
    whole: NDArray[np.float32],
    embed: Embed | None,
    weight: float,
    ask: Embed | None = None,
) -> list[Comparison]:
    """Compare words, vectors and both at the weight that is served, on each set; texts, vectors, embed as in `Sets`.

    With `ask` alone the set of bodies is left out, whose vectors are stored nowhere and cost most.
    """
    sets = Sets(texts, whole, embed, ask)
    found = []
    for name in sets.with_vectors or sets.candidates:
        words, fused = sets.rank(name, 0.0), sets.rank(name, weight)
        found.append(
            Comparison(
                name=name,
                words=float(words.mean()),
                vectors=float(sets.rank(name, VECTORS_ALONE).mean()) if name in sets.with_vectors else None,
                fused=float(fused.mean()),
                chance=float(2 * (fused - words).std() / np.sqrt(len(words))),
            )
        )
    return found


def _make_matrices(known: Iterable[Iterable[str]]) -> Callable[[Sequence[Mapping[str, float]]], csr_matrix]:
    """What makes [N, V] of N mappings from word to weight; words that no petition has are left out."""
    places = {word: place for place, word in enumerate(sorted({word for words in known for word in words}))}

    def make(rows: Sequence[Mapping[str, float]]) -> csr_matrix:
        cells = [
            (row, places[word], weight)
            for row, words in enumerate(rows)
            for word, weight in words.items()
            if word in places
        ]
        numbers, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
        return csr_matrix((np.array(values, float), (numbers, columns)), shape=(len(rows), len(places)))

    return make
