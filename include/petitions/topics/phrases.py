"""A text as morphemes comes in; the noun phrases that are written in it go out."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from petitions.records import Morpheme, split_words

MIN_LETTERS = 2  # of a noun that counts as a word, as in a token
MAX_NOUNS = 3
MAX_LETTERS = 12  # of a phrase, blanks included: two of them make a label

_NOUNS = ("NNG", "NNP", "SL")
_PARTS = (*_NOUNS, "XPN", "XSN")  # what a compound noun is made of
_PLURAL = "들"
_NO_NAME = ("적", "님", "씨")  # suffixes that make an adjective, or speak to a person
_MAY_FOLLOW = ("J", "XSV", "VCP", "S", "XSN")  # particle, 하다, 이다, mark, 들


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A noun phrase as it is written, the tokens that it is made of, and whether a verb is made of it (폐지+하다)."""

    text: str
    words: tuple[str, ...]
    is_verb: bool = False

    @property
    def key(self) -> str:
        """The phrase without blanks and capitals, which writers set or leave out as they like: n번방, N번방."""
        return self.text.replace(" ", "").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A written word up to its particle or ending; the phrase may go on where there is none."""

    text: str
    nouns: tuple[str, ...]
    is_open: bool
    is_verb: bool


def find_phrases(text: Sequence[Morpheme], known: Collection[str]) -> list[Phrase]:
    """Every run of up to `MAX_NOUNS` nouns that begins and ends with a written word.

    Particles and endings are cut off and end the run. Names of persons, numbers, marks and nouns that are no terms of
    the fit (stop words, rare words) are in no phrase.

    Args:
        text: its morphemes in their order, the pieces of a compound joined to one.
        known: the terms of the fit.

    Returns:
        The phrases in their order, the shorter ones within longer ones too; none for a text without known nouns.
    """
    words = [_read_word(part, known) for part in split_words(text)]
    return [phrase for start in range(len(words)) for phrase in _join_words(words[start:])]


def _join_words(words: Sequence[_Word | None]) -> Iterator[Phrase]:
    """The phrases that begin with the first word."""
    text: list[str] = []
    nouns: tuple[str, ...] = ()
    for word in words:
        if word is None:
            return
        text.append(word.text)
        nouns += word.nouns
        phrase = Phrase(text=" ".join(text), words=nouns, is_verb=word.is_verb)
        if len(nouns) > MAX_NOUNS or len(phrase.text) > MAX_LETTERS:
            return
        yield phrase
        if not word.is_open:
            return


def _read_word(word: Sequence[Morpheme], known: Collection[str]) -> _Word | None:
    """The nouns that a word begins with; None where they make no name or are not known."""
    end = next((i for i, (surface, tag, _) in enumerate(word) if tag not in _PARTS or surface == _PLURAL), len(word))
    nouns = tuple(s.upper() for s, tag, _ in word[:end] if tag in _NOUNS and len(s) >= MIN_LETTERS)
    text, rest = "".join(surface for surface, _, _ in word[:end]), list(word[end:])
    if not nouns or any(surface in _NO_NAME for surface, _, _ in word[:end]) or any(n not in known for n in nouns):
        return None
    if rest and (text + rest[0][0]).upper() in known:  # 공매/도: the tagger took the end of a noun for a particle
        text += rest.pop(0)[0]
    if rest and not rest[0][1].startswith(_MAY_FOLLOW):
        return None
    return _Word(text=text, nouns=nouns, is_open=not rest, is_verb=bool(rest) and rest[0][1].startswith("XSV"))
