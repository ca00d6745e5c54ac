"""Morphemes of a text come in; names that the tagger cut to pieces (최/숙/현) are put together, as proper nouns.

A known word that the tagger read as a phrase (자유/한/국당) is whole again wherever it begins a word. A law named
after a person (민식이법) is one where it stands twice. A known word within a compound is whole again where the tagger
read a particle or a verb into it: 심의위원회 of 주거정책심의위원회, 피해 of 태풍피해서.

A name of three letters is told by a surname that stands by itself, two letters behind it that are no known word, and by
its standing in the text twice or more, with a particle or without. Of 6,874 petitions 38 have one, mostly of persons
and places.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from petitions.records import Morpheme, split_words
from petitions.text.compounds import is_misread

RULES = 3  # raise it when the code below finds other names
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
_LEFT = frozenset("남신나심")  # of which 은 makes what modifies a noun: 남은돈
# An ending or a particle within the letters is a sentence without blanks, a unit is a number in words (한번씩).
_LAW = re.compile(r"[가-힣]{2,3}이법")
_MOST_PIECES = 4  # of a word within a compound
_NOUNS = frozenset({"NNG", "NNP", "XSN", "NNB", "NNBC"})
_VERB_TAGS = ("V", "E", "XSV", "XSA")
_AFTER_VOWELS = frozenset(["가", "를", "는", "와", "로"])  # particles; behind a consonant they are letters of a noun
_NO_LETTER = ("J", *_VERB_TAGS)
_RIEUL = 8  # 로 follows ㄹ as it follows a vowel
_NO_NAME = ("E", "XSV", "XSA", "J", "VX", "NNB", "NR")


def join_names(text: Sequence[Morpheme], known: Mapping[str, int]) -> list[Morpheme]:
    """The morphemes of a text in their order, each name one proper noun.

    Args:
        text: its morphemes.
        known: words that are no names, and in how many texts they stand; no names begin with a surname before them:
            이사회 where 사회 is known.
    """
    words = [_join_within(_join_known(word, known), known) for word in split_words(text)]
    n_times: Counter[str] = Counter()
    for word in words:
        n_times.update(_read_name(word, known))
    names = {name for name, n in n_times.items() if n >= LEAST_TIMES}
    return [morpheme for word in words for morpheme in _join_name(word, names)]


def _join_known(word: Sequence[Morpheme], known: Mapping[str, int]) -> Sequence[Morpheme]:
    """The longest known word that it begins with as one noun, where the tagger read a phrase or a particle into it."""
    for end in range(len(word), 1, -1):
        whole = "".join(surface for surface, _, _ in word[:end])
        if whole in known and is_misread(whole, word[:end]):
            return [(whole, NAME, word[0][2]), *word[end:]]
    whole = "".join(surface for surface, _, _ in word)
    for n_letters in (1, 2) if len(word) > 1 and "+J" in word[-1][1] else ():  # 자유 + 한국 + 당은
        stem, rest = whole[:-n_letters], whole[-n_letters:]
        if len(stem) > LETTERS and stem in known and rest in _BEHIND:
            return [(stem, NAME, word[0][2]), (rest, "JX", False)]
    return word


def _join_within(word: Sequence[Morpheme], known: Mapping[str, int]) -> Sequence[Morpheme]:
    """Each noun behind another one that goes on in what the tagger took for a particle or a verb, whole."""
    joined = list(word)
    for place in range(1, len(joined) - 1):
        if not all(tag in _NOUNS for _, tag, _ in joined[place - 1 : place + 1]) or place + 1 >= len(joined):
            continue
        for end in range(min(len(joined), place + _MOST_PIECES), place + 2, -1):
            whole = "".join(surface for surface, _, _ in joined[place:end])
            inner = [tag for _, tag, _ in joined[place + 1 : end - 1]]
            if joined[end - 1][1] in _NOUNS and whole in known and any(tag.startswith(_NO_LETTER) for tag in inner):
                joined[place:end] = [(whole, "NNG", False)]
                break
        else:
            joined[place : place + 2] = _give_back(joined[place], joined[place + 1], known)
    return joined


def _give_back(noun: Morpheme, behind: Morpheme, known: Mapping[str, int]) -> list[Morpheme]:
    """A noun with the letters that the tagger took for a verb or a particle behind it: 피 + 해서 is 피해 + 서."""
    (stem, tag, _), (surface, tag_behind, _) = noun, behind
    final = (ord(stem[-1]) - ord("가")) % 28  # the consonant it ends in, 0: a vowel
    is_letter = len(stem) > 1 or (final and surface in _AFTER_VOWELS and (surface, final) != ("로", _RIEUL))
    is_cut = tag != "XSN" and (tag_behind.startswith(_VERB_TAGS) or (tag_behind.startswith("J") and is_letter))
    for letters in (surface, surface[:1]) if is_cut else ():
        if known.get(stem + letters, 0) > known.get(stem, 0):
            rest = surface[len(letters) :]
            return [(stem + letters, "NNG", noun[2]), *([(rest, tag_behind, False)] if rest else [])]
    return [noun, behind]


def _read_name(word: Sequence[Morpheme], known: Mapping[str, int]) -> Iterator[str]:
    """The names that a word may be."""
    whole = "".join(surface for surface, _, _ in word)
    law = _LAW.match(whole)
    if len(word) > 1 and law and law[0] not in known and whole[law.end() :] in ("", *_BEHIND):
        yield law[0]
    if len(word) < 2 or word[0][0] not in _SURNAMES:
        return
    name, rest = whole[:LETTERS], whole[LETTERS:]
    if (rest and rest not in _BEHIND) or len(name) < LETTERS or name in known or name[1:] in known:
        return
    place = len(word[0][0])
    for surface, tag, _ in word[1:]:
        is_letter = place == 1 and (surface, tag) == ("은", "ETM") and word[0][0] not in _LEFT  # 조은산
        if place < LETTERS and not is_letter and (tag.startswith(_NO_NAME) or "+" in tag):
            return
        place += len(surface)
    yield name


def _join_name(word: Sequence[Morpheme], names: Collection[str]) -> Sequence[Morpheme]:
    whole = "".join(surface for surface, _, _ in word)
    for n_letters in (LETTERS + 2, LETTERS + 1, LETTERS):
        name, rest = whole[:n_letters], whole[n_letters:]
        if name in names and rest in ("", *_BEHIND) and len(word) > 1:
            return [(name, NAME, word[0][2]), *([(rest, "JX", False)] if rest else [])]
    return word
