"""Texts in, the nouns and compounds that each is about out: by weight, place and, where it helps, BERT's masked words.

A linear model: how often a word stands in the text, how rare it is in others, how early it comes, and how it is made.
Its weights are set so that a petition's body names the nouns of its title (bench/keyword_weights.py); the title itself,
where it is given as the first line, leads by its place. `EXTRACTOR` names all that decides the words.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from petitions.text import names
from petitions.text.frequencies import Frequencies, read_frequencies, read_table
from petitions.text.noun_phrases import CUT, LONGEST, PARTICLES, RULES, NounPhrase, find_phrases, mend_fragments
from petitions.text.processes import map_in_processes
from petitions.text.tokenizer import TOKENIZER, Tokenizer, count_processes, read_stopwords

# See docs/search.md, "Keywords", for how they were measured.
WEIGHTS: Mapping[str, float] = {
    "constant": -3.328,
    "frequency": 0.3,
    "rarity": 0.03,
    "place": -0.374,
    "spread": 1.491,
    "density": 19.359,
    "length": 0.239,
    "is_compound": 1.303,
}
_MANY_LETTERS = 7

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A noun or compound of a text, and its weight among all others, 0 to 1."""

    word: str
    weight: float


def mend_phrases(phrases: Sequence[NounPhrase], table: Frequencies) -> list[NounPhrase]:
    """Mend what the tagger cut at a wrong letter, by what is known better here or elsewhere.

    A noun gets the letter behind it (공매 + 도), and a compound that is met nowhere else loses a particle that was
    taken for a noun (농협의).
    """
    here = {item.word for item in phrases}
    longer = {
        item.word + item.follower
        for item in phrases
        if (item.follower and item.word + item.follower in here)
        or table.n_alone.get(item.word + item.follower, 0) > table.n_alone.get(item.word, 0)
    }
    shorter = {
        word[:-1]
        for word in here
        if word[-1] in PARTICLES and word not in table.n_with and (word[:-1] in here or word[:-1] in table.n_with)
    } | {item.word[:-1] for item in phrases if _ends_in_particle(item, table)}
    return mend_fragments(phrases, longer, shorter)


def _ends_in_particle(item: NounPhrase, table: Frequencies) -> bool:
    """Whether it is a commoner word and a particle: 반려견과, which the tagger reads as 반려 + 견과."""
    stem = item.word[:-1]
    is_cut = len(item.parts) > 1 and len(item.parts[-1]) == 2 and item.word.endswith(item.parts[-1])
    return (
        item.word[-1] in CUT
        and (is_cut or item.word[-1] == "들")
        and table.n_with.get(stem, 0) > table.n_with.get(item.word, 0)
    )


@cache
def name_extractor(masked_weight: float = 0.0) -> str:
    """The version of what finds keywords: tokenizer, rules, table and weights; stored beside them."""
    parts = (
        TOKENIZER,
        RULES,
        names.RULES,
        hashlib.sha256(read_table()).hexdigest(),
        sorted(WEIGHTS.items()),
        masked_weight,
    )
    return f"keywords-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def extract_keywords(
    tokenizer: Tokenizer,
    text: str,
    top_k: int,
    *,
    masked_weight: float = 0.0,
    masked_ratios: Mapping[str, float] | None = None,
) -> list[Keyword]:
    """The keywords of a text, the weightiest first; fewer than `top_k` where it has fewer nouns.

    Args:
        tokenizer: not shared with another thread.
        text: the title, where there is one, is its first line.
        top_k: at most so many.
        masked_weight: the weight of the logarithm of a word's masked ratio, measured for its encoder; 0 leaves it out.
        masked_ratios: how much likelier BERT holds a word at the mask of a prompt with this text than without it.
    """
    table = read_frequencies()
    words, features = describe_candidates(mend_phrases(find_phrases(tokenizer, text), table), table)
    if not words:
        return []
    scores = features @ np.fromiter(WEIGHTS.values(), np.float64)  # [N]
    if masked_weight:
        ratios = masked_ratios or {}
        scores = scores + masked_weight * np.log([max(ratios.get(word, 1.0), 1e-9) for word in words])
    weights = 1 / (1 + np.exp(-scores))
    order = sorted(range(len(words)), key=lambda place: (-scores[place], words[place]))
    return [Keyword(word=words[place], weight=float(weights[place])) for place in drop_parts(words, order, top_k)]


def extract_many(texts: Sequence[str], top_k: int) -> list[list[str]]:
    """The keywords of each text, words alone; large batches on all cores, small ones in this process."""
    program = (
        "from petitions.text import processes, tokenizer; from petitions.text import keywords;"
        " tagger = tokenizer.Tokenizer();"
        f" processes.answer_lines(lambda text: keywords.list_words(tagger, text, {top_k}))"
    )
    n_processes = count_processes(len(texts))
    if n_processes == 1:
        tokenizer = Tokenizer()
        return [list_words(tokenizer, text, top_k) for text in texts]
    return map_in_processes(program, texts, n_processes)


def list_words(tokenizer: Tokenizer, text: str, top_k: int) -> list[str]:
    """The keywords of a text without their weights."""
    return [item.word for item in extract_keywords(tokenizer, text, top_k)]


def describe_candidates(phrases: Sequence[NounPhrase], table: Frequencies) -> tuple[list[str], Floats]:
    """The words of a text that may be its keywords, and float64 [N, F] of each, F in the order of `WEIGHTS`.

    A part of a compound is one where it stands alone too, here or in other texts: so 두기 of 거리두기 is none.
    """
    n_alone = Counter(item.word for item in phrases)
    n_times: Counter[str] = Counter()
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    n_parts: dict[str, int] = {}
    for place, item in enumerate(phrases):
        n_parts[item.word] = len(item.parts)
        for word in {item.word, *item.parts}:
            n_times[word] += 1
            first.setdefault(word, place)
            last[word] = place
    ignored = read_stopwords()
    words = sorted(
        word
        for word in n_times
        if len(word) <= LONGEST and word not in ignored and (word in n_alone or table.n_alone.get(word, 0) > 1)
    )
    n = len(phrases)
    rows = [
        (
            1.0,
            1 + math.log(n_times[word]),
            math.log((table.n_texts + 1) / (table.n_with.get(word, 0) + 1)),
            math.log1p(first[word]),
            (last[word] - first[word]) / n,
            n_times[word] / n,
            min(len(word), _MANY_LETTERS),
            float(n_parts.get(word, 1) > 1),
        )
        for word in words
    ]
    return words, np.array(rows, np.float64).reshape(len(words), len(WEIGHTS))


def drop_parts(words: Sequence[str], order: Sequence[int], top_k: int) -> list[int]:
    """The first `top_k` places of an order; of a word and a longer one that holds it the longer stands, once."""
    chosen: list[int] = []
    for place in order:
        word = words[place]
        if any(word in words[other] for other in chosen):
            continue
        held = [number for number, other in enumerate(chosen) if words[other] in word]
        if held:
            chosen[held[0]] = place
            chosen = [other for number, other in enumerate(chosen) if number not in held[1:]]
        elif len(chosen) < top_k:
            chosen.append(place)
    return chosen
