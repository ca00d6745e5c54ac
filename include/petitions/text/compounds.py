"""Morphemes come in, those that are pieces of one compound joined; so 거리 + 두기 is 거리두기, 국토 + 부 is 국토부.

A noun is a piece where fewer petitions hold it by itself than within the compound, by the table that ships. So 고등학교
is one word, and 온라인수업 two: 수업 stands by itself far more often. A piece that hardly ever stands by itself joins
what it is written with, in compounds too that the table does not know.
"""

from collections.abc import Collection, Sequence

from petitions.records import Morpheme, split_words
from petitions.text.frequencies import Frequencies

RULES = 2  # raise it when the code below joins otherwise
NOUN = "NNG"  # the tag of what was joined
MOST_LETTERS = 12
BOUND_TEXTS = 10  # that hold a piece, to say of it that it hardly ever stands by itself
BOUND_SHARE = 0.1  # of them where it does

_NOUNS = frozenset({"NNG", "NNP", "SL", "인명"})
_MISREAD = ("E", "V", "XSA", "XSV")  # of a piece within a known whole: 자유 + 한 + 국당
_NAMED_LAW = "이법"  # 민식이법, of which the tagger makes a subject: only a name can stand before it
_SHORTEST_MISREAD = 4
PARTICLES = frozenset("의로가도만이은는을를와과에들나")


class Compounds:
    """Joins the pieces of compounds; not to be shared between threads."""

    def __init__(self, table: Frequencies, ignored: Collection[str]) -> None:
        """With a table of how often words stand by themselves and in compounds.

        Args:
            table: that ships, or one of other texts.
            ignored: stop words; none of them makes a compound one word.
        """
        self._table, self._ignored = table, ignored
        # A word is read letter by letter of a compound only as far as the table has one that goes on: most end at once.
        self._begins = frozenset(word[:end] for word in table.n_with for end in range(2, len(word) + 1))
        self._bound = frozenset(
            word
            for word, n_with in table.n_with.items()
            if n_with >= BOUND_TEXTS and table.n_alone[word] < BOUND_SHARE * n_with
        )

    def join(self, text: Sequence[Morpheme]) -> list[Morpheme]:
        """The morphemes of a text in their order, the pieces of a compound as one noun."""
        joined: list[Morpheme] = []
        for word in split_words(text):
            joined += self._join_word(word) if len(word) > 1 else word
        return joined

    def _join_word(self, word: Sequence[Morpheme]) -> list[Morpheme]:
        joined: list[Morpheme] = []
        place = 0
        while place < len(word):
            end = self._find_end(word, place)
            joined.append(word[place] if end == place + 1 else self._join(word[place:end]))
            place = end
        is_whole = self._bound.isdisjoint(surface for surface, _, _ in joined)
        return joined if is_whole else self._join_bound(joined)

    def _find_end(self, word: Sequence[Morpheme], place: int) -> int:
        """Where the longest compound ends that begins here; behind the morpheme itself where there is none."""
        whole, longest = word[place][0].upper(), place + 1
        for end in range(place + 1, len(word)):
            whole += word[end][0].upper()
            if whole not in self._begins:
                break
            if whole in self._table.n_with and self._is_compound(whole, word[place : end + 1]):
                longest = end + 1
        return longest

    def _is_compound(self, whole: str, pieces: Sequence[Morpheme]) -> bool:
        if len(whole) > MOST_LETTERS or whole in self._ignored or any(tag == "SN" for _, tag, _ in pieces):
            return False
        if is_misread(whole, pieces):
            return True
        n_with = self._table.n_with[whole]
        nouns = [surface.upper() for surface, tag, _ in pieces if tag in _NOUNS and len(surface) > 1]
        return any(noun not in self._ignored and self._table.n_alone.get(noun, 0) < n_with for noun in nouns)

    def _join_bound(self, word: list[Morpheme]) -> list[Morpheme]:
        """Join a piece that hardly ever stands by itself with the noun before it, or with the one behind."""
        place = 0
        while place < len(word):
            before, behind = (0 <= other < len(word) and word[other][1] in _NOUNS for other in (place - 1, place + 1))
            if (before or behind) and word[place][0] in self._bound and word[place][1] in _NOUNS:
                start = place - 1 if before else place
                word = [*word[:start], self._join(word[start : start + 2]), *word[start + 2 :]]
                place = start
            place += 1
        return word

    def _join(self, pieces: Sequence[Morpheme]) -> Morpheme:
        """One noun, without a particle that the tagger took for a letter of it (분양 + 가로)."""
        whole = "".join(surface for surface, _, _ in pieces)
        n_with = self._table.n_with
        if whole[-1] in PARTICLES and n_with.get(whole[:-1], 0) > n_with.get(whole, 0):
            whole = whole[:-1]
        return whole, NOUN, pieces[0][2]


def is_misread(whole: str, pieces: Sequence[Morpheme]) -> bool:
    """Whether the pieces of a word that is known whole make it a phrase of a verb or a subject, which it cannot be."""
    inner = [tag for _, tag, _ in pieces[:-1]]
    is_cut = any(tag.startswith(_MISREAD) for tag in inner) or (
        whole.endswith(_NAMED_LAW) and any(tag.startswith("J") for tag in inner)
    )
    return is_cut and len(whole) >= _SHORTEST_MISREAD
