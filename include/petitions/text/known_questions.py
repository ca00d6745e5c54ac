"""Questions made of petitions, which must find them again: lists by words, and by vectors, for `known_items` to join.

All words of a title, or two of them, must find the petition; the title must find the body alone; the petitions most
like one should be of its category. In: petitions, their vectors, what embeds a text; out: what each weight of the
vectors gives, or how words, vectors and both compare.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from petitions.records import PetitionText
from petitions.text import known_items
from petitions.text.bm25 import weigh_words
from petitions.text.known_items import VECTORS_ALONE, WEIGHTS, Lists
from petitions.text.search_words import split_many

TITLE, TWO_WORDS, BODY = "title", "two words of the title", "body from title"
BY_WORDS = 32  # of a petition, the heaviest: what similar_petitions asks by

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Values = dict[float, dict[str, float]]  # by weight of the vectors, by question set


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
            embed: gives a vector of a text, by the same encoder; without it no vector answers.
            ask: that of a question; without it the same.
        """
        titles = split_many([item.title for item in texts])
        bodies = split_many([item.below_title for item in texts])
        chance = random.Random(0)  # noqa: S311 - to draw questions
        pairs = [" ".join(chance.sample(item.title.split(), min(2, len(item.title.split())))) for item in texts]
        make = _make_matrices([*titles, *bodies])
        self._weights = make([weigh_words(title, body) for title, body in zip(titles, bodies, strict=True)])
        self._whole = whole
        below = make([weigh_words([], body) for body in bodies])
        by_title = make([dict.fromkeys(title, 1.0) for title in titles])
        by_pair = make([dict.fromkeys(words, 1.0) for words in split_many(pairs)])
        self.lists: dict[str, tuple[Lists, Lists]] = {
            TITLE: (known_items.rank_words(self._weights, by_title), _nobody(len(texts))),
            TWO_WORDS: (known_items.rank_words(self._weights, by_pair), _nobody(len(texts))),
            BODY: (known_items.rank_words(below, by_title), _nobody(len(texts))),
        }
        if embed is None:
            return
        ask = ask or embed
        asked = ask([item.title for item in texts])
        of_bodies = embed([item.below_title or " " for item in texts])
        of_pairs = ask([pair or " " for pair in pairs])
        for name, among, questions in ((TITLE, whole, asked), (TWO_WORDS, whole, of_pairs), (BODY, of_bodies, asked)):
            self.lists[name] = (self.lists[name][0], known_items.rank_vectors(among, questions))

    def rank(self, name: str, weight: float) -> NDArray[np.float64]:
        """1 / the rank of each answer of a set, 0 where it is not found: [N]."""
        words, vectors = self.lists[name]
        return known_items.rank_answers(words, vectors, range(len(words)), weight)

    def list_most_like(self) -> tuple[Lists, Lists]:
        """The petitions most like each, by its heaviest words and by its vector."""
        return (
            known_items.rank_words(self._weights, _keep_heaviest(self._weights), without_self=True),
            known_items.rank_vectors(self._whole, self._whole, without_self=True),
        )


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
    search = {weight: {name: float(sets.rank(name, weight).mean()) for name in sets.lists} for weight in tried}
    similar = {
        weight: {
            BODY: search[weight][BODY],
            "category of the nearest ten": known_items.measure_agreement(*like, categories, weight),
        }
        for weight in tried
    }
    return search, similar


def compare(
    texts: Sequence[PetitionText],
    whole: NDArray[np.float32],
    embed: Embed | None,
    weight: float,
    ask: Embed | None = None,
) -> list[Comparison]:
    """Compare words, vectors and both at the weight that is served, on each set; texts, vectors, embed as in `Sets`."""
    sets = Sets(texts, whole, embed, ask)
    found = []
    for name in sets.lists:
        words, fused = sets.rank(name, 0.0), sets.rank(name, weight)
        found.append(
            Comparison(
                name=name,
                words=float(words.mean()),
                vectors=None if embed is None else float(sets.rank(name, VECTORS_ALONE).mean()),
                fused=float(fused.mean()),
                chance=float(2 * (fused - words).std() / np.sqrt(len(words))),
            )
        )
    return found


def _nobody(n: int) -> Lists:
    return np.full((n, 1), -1, dtype=np.int64)


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


def _keep_heaviest(weights: csr_matrix, n: int = BY_WORDS) -> csr_matrix:
    """Of each petition the n words that weigh most, those of itself alone left out."""
    kept = weights.copy()
    rarity = known_items.weigh_rarity(weights)
    alone = np.bincount(weights.indices, minlength=weights.shape[1]) < 2
    for row in range(kept.shape[0]):
        part = slice(kept.indptr[row], kept.indptr[row + 1])
        columns = kept.indices[part]
        value = np.where(alone[columns], 0.0, kept.data[part] * rarity[columns])
        kept.data[part][np.argsort(-value, kind="stable")[n:]] = 0.0
        kept.data[part][alone[columns]] = 0.0
    return kept
