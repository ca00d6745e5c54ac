"""Morphemes of a text come in; names that the tagger cut to pieces (최/숙/현) are put together, as proper nouns.

A name of three letters is told by a surname that stands by itself, two letters behind it that are no known word, and by
its standing in the text twice or more, with a particle or without. Of 6,874 petitions 38 have one, mostly of persons
and places.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from petitions.text.compounds import Morpheme, split_words

RULES = 1  # raise it when the code below finds other names
NAME = "NNP"
LETTERS = 3
LEAST_TIMES = 2
_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유홍전고문손양배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마"
    "길연위표명기반왕금옥육인맹제모탁국어은편용"
)
_BEHIND = frozenset(
    ["의", "은", "는", "이", "가", "을", "를", "와", "과", "도", "에", "에게", "께서", "라는", "이라는"]
    + ["씨", "씨가", "씨는", "씨의", "군", "양", "님", "선수", "의원"]
)
# An ending or a particle within the letters is a sentence without blanks, a unit is a number in words (한번씩).
_NO_NAME = ("E", "XSV", "XSA", "J", "VX", "NNB", "NR")


def join_names(text: Sequence[Morpheme], known: Collection[str]) -> list[Morpheme]:
    """The morphemes of a text in their order, each name one proper noun.

    Args:
        text: its morphemes.
        known: words that are no names, and no names begin with a surname before them: 이사회 where 사회 is known.
    """
    words = list(split_words(text))
    behind: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        for name, rest in _read_name(word, known):
            behind[name].append(rest)
    names = {name for name, rests in behind.items() if len(rests) >= LEAST_TIMES}
    return [morpheme for word in words for morpheme in _join_name(word, names)] if names else list(text)


def _read_name(word: Sequence[Morpheme], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """The name that a word may be, and what stands behind it."""
    if len(word) < 2 or word[0][0] not in _SURNAMES:
        return
    whole = "".join(surface for surface, _, _ in word)
    name, rest = whole[:LETTERS], whole[LETTERS:]
    if (rest and rest not in _BEHIND) or len(name) < LETTERS or name in known or name[1:] in known:
        return
    place = len(word[0][0])
    for surface, tag, _ in word[1:]:
        if place < LETTERS and (tag.startswith(_NO_NAME) or "+" in tag):
            return
        place += len(surface)
    yield name, rest


def _join_name(word: Sequence[Morpheme], names: Collection[str]) -> Sequence[Morpheme]:
    whole = "".join(surface for surface, _, _ in word)
    if whole[:LETTERS] not in names or (whole[LETTERS:] and whole[LETTERS:] not in _BEHIND):
        return word
    rest = whole[LETTERS:]
    return [(whole[:LETTERS], NAME, word[0][2]), *([(rest, "JX", False)] if rest else [])]
