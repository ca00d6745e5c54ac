"""A text comes in; its nouns and compounds go out, whole as they are written: what its keywords are chosen from.

A tagger takes a compound apart (종/부세, 국토/부), and one that it does not know at a wrong letter (거리/두기). A
writer puts a blank around it. So a phrase is what stands between a blank and the particle behind the last noun of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from petitions.text.frequencies import read_frequencies
from petitions.text.names import join_names
from petitions.text.tokenizer import Tokenizer

RULES = 4  # raise it when the code below gives other phrases
LONGEST = 12  # letters; a longer one is a sentence without blanks
SHORT = 3  # letters that a fragment has fewer of
_NOUNS = frozenset({"NNG", "NNP", "SL", "인명"})
_INSIDE = _NOUNS | {"SN", "SH", "XPN", "XSN", "NNB", "NNBC", "XR", "NR"}
_NOT_LAST = frozenset({"XPN", "SN", "NNB", "NNBC", "MM", "IC"})
PARTICLES = frozenset(["의", "로", "가", "도", "만", "이", "은", "는", "을", "를", "와", "과", "에", "나", "들"])
_ENDINGS = frozenset(["들", "적", "씩", "여", "째", "님", "로", "만", "간"])  # suffixes, but no part of a name
CUT = PARTICLES | {"인", "란"}  # 시행 + 사인, 사 + 분 + 위란
# What says when, where or that it is wished; stuck to a noun it is no part of it: 서울근처, 공개사과바랍니다.
_STUCK = frozenset(
    ["때", "이후", "이전", "직후", "직전", "당시", "도중", "이내", "이상", "이하", "근처", "아래"]
    + ["바람", "바랍", "부탁", "요망"]
)
_POINTS = ".·"  # within a number: 9.13, 6.25
# 세종시 and 한부모 begin with what is tagged as a determiner, 자사고 with an interjection; these are none of a name.
_FIRST = frozenset({"MM", "IC"})
_POINTING = frozenset(
    [
        "이",
        "그",
        "저",
        "각",
        "모든",
        "여러",
        "어떤",
        "무슨",
        "몇",
        "다른",
        "이런",
        "그런",
        "저런",
        "전",
        "본",
        "현",
        "온",
        "아무",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NounPhrase:
    """A noun or compound as it is written, Latin letters in capitals."""

    word: str
    parts: tuple[str, ...]  # its nouns of two letters or more
    follower: str  # the morpheme behind it, before the next blank; empty where there is none


def find_phrases(tokenizer: Tokenizer, text: str) -> list[NounPhrase]:
    """The nouns and compounds of a text in their order, repeats kept; a text without any gives an empty list."""
    phrases: list[NounPhrase] = []
    run: list[tuple[str, str]] = []
    tagged = join_names(tokenizer.tag(text), read_frequencies().n_with)
    for place, (surface, tag, begins) in enumerate(tagged):
        if begins:
            _close(phrases, run, "")
        is_glued = place + 1 < len(tagged) and not tagged[place + 1][2]
        if run and run[-1][1] == "SN" and is_glued and surface in _POINTS and tagged[place + 1][1] == "SN":
            run.append((surface, "SN"))
        elif tag in _INSIDE or (tag in _FIRST and not run and is_glued and surface not in _POINTING):
            run.append((surface.upper(), tag))
        else:
            _close(phrases, run, surface)
    _close(phrases, run, "")
    return phrases


def mend_fragments(
    phrases: Sequence[NounPhrase], longer: Collection[str], shorter: Collection[str]
) -> list[NounPhrase]:
    """Give back to a noun the letter that the tagger took for its particle, and take a particle that it did not see.

    Args:
        phrases: of one text.
        longer: words such as 공매도, which may come apart as 공매 + 도.
        shorter: words such as 원예농협, which may come with a particle as 원예농협의.
    """
    mended = []
    for item in phrases:
        whole, stem = item.word + item.follower, item.word[:-1]
        if len(item.follower) == 1 and len(item.word) < SHORT and whole in longer:
            mended.append(NounPhrase(word=whole, parts=(whole,), follower=""))
        elif item.word[-1] in CUT and stem in shorter:
            parts = tuple(part for part in item.parts if part in stem)
            mended.append(NounPhrase(word=stem, parts=parts or (stem,), follower=""))
        else:
            mended.append(item)
    return mended


def _close(phrases: list[NounPhrase], run: list[tuple[str, str]], follower: str) -> None:
    """End a run of morphemes, and keep what of it is a phrase."""
    while run and (
        run[-1][1] in _NOT_LAST
        or (run[-1][1] == "XSN" and run[-1][0] in _ENDINGS)
        or (run[-1][0] in _STUCK and any(tag in _NOUNS and len(surface) > 1 for surface, tag in run[:-1]))
    ):
        run.pop()
        follower = ""
    word = "".join(surface for surface, _ in run)
    if len(word) > 1 and any(tag in _NOUNS for _, tag in run):
        parts = tuple(surface for surface, tag in run if tag in _NOUNS and len(surface) > 1)
        phrases.append(NounPhrase(word=word, parts=parts, follower=follower))
    run.clear()
