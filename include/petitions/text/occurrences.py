"""A word and a text come in; where the text uses the word, and the words around it there, go out.

A word is used where the tagger has it as a noun of its own: 의사가, 담당의사, 의사협회. What the dictionary knows as
one word is another word: 의사소통, 한의사, 국회의사당.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from petitions.text.tokenizer import Tokenizer

RULES = 1  # raise it when the code below gives other occurrences
MOST_BESIDE = 120  # characters of its sentence on each side of a word
NOUNS = frozenset({"NNG", "NNP", "인명", "NNB", "NNBC", "NP", "NR", "XR", "SL", "SH"})
_SENTENCE = re.compile(r"(?:[^\n.!?…]|[.!?…](?!\s|$))+[.!?…]*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A word where it is used: the sentence around it, and the morphemes of that with their tags."""

    start: int  # of the word in the text
    sentence: str
    place: int  # of the word in the sentence
    before: tuple[tuple[str, str], ...]  # (surface, tag), the nearest last
    after: tuple[tuple[str, str], ...]  # the nearest first


def find_occurrences(tokenizer: Tokenizer, text: str, word: str) -> Iterator[Occurrence]:
    """Find a word in a text, in its order; of a long sentence what stands near the word is read."""
    if word not in text:
        return
    for match in _SENTENCE.finditer(text):
        if word in match[0]:
            yield from _read_sentence(tokenizer, match[0], match.start(), word)


def _read_sentence(tokenizer: Tokenizer, sentence: str, offset: int, word: str) -> Iterator[Occurrence]:
    place = sentence.find(word)
    while place >= 0:
        first, last = _cut(sentence, place, place + len(word))
        near = sentence[first:last]
        morphemes = tokenizer.locate(near)
        at = _find(morphemes, word, place - first)
        if at is not None:
            begin, end = at
            yield Occurrence(
                start=offset + place,
                sentence=near,
                place=place - first,
                before=tuple((surface, tag) for surface, tag, _ in morphemes[:begin]),
                after=tuple((surface, tag) for surface, tag, _ in morphemes[end:]),
            )
        place = sentence.find(word, place + len(word))


def _find(morphemes: Sequence[tuple[str, str, int]], word: str, place: int) -> tuple[int, int] | None:
    """Which morphemes are the word: nouns that begin and end where it does."""
    begin = next((index for index, (_, _, start) in enumerate(morphemes) if start == place), None)
    if begin is None:
        return None
    end, letters = begin, 0
    while letters < len(word) and end < len(morphemes):
        surface, tag, start = morphemes[end]
        if tag not in NOUNS or start != place + letters:
            return None
        letters, end = letters + len(surface), end + 1
    return (begin, end) if letters == len(word) else None


def _cut(sentence: str, start: int, end: int) -> tuple[int, int]:
    """The part of a sentence around a word, whole words where there are blanks."""
    first, last = max(0, start - MOST_BESIDE), min(len(sentence), end + MOST_BESIDE)
    if first:
        blank = sentence.find(" ", first, start)
        first = blank + 1 if blank >= 0 else first
    else:
        first = len(sentence) - len(sentence.lstrip())
    if last < len(sentence):
        blank = sentence.rfind(" ", end, last)
        last = blank if blank >= 0 else last
    return first, last
