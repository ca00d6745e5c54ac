"""A text comes in; the piece of it that holds most of the words that were looked for goes out, with these marked."""

import re
from collections.abc import Sequence

Pieces = Sequence[tuple[str, bool]]  # pieces of a text in their order, and whether to mark each

LONGEST = 180  # characters of a snippet
LEAD = 30  # characters before the first word that is marked
MOST_WORDS, MOST_PLACES = 32, 200
_BETWEEN = r"[-.·ㆍ,/&+_ ]?"  # a word to search by has lost what stood between its parts


def make_pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    """What finds any of the words, the longer first; None without words."""
    told = sorted({word.strip() for word in words[:MOST_WORDS]} - {""}, key=lambda word: (-len(word), word))
    # A word of one letter stands for itself at the beginning of a word alone: 법 is not what stands in 방법.
    parts = [_BETWEEN.join(map(re.escape, word)) if len(word) > 1 else rf"(?<!\w){re.escape(word)}" for word in told]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def mark(text: str, pattern: re.Pattern[str] | None) -> Pieces:
    """The whole text in pieces, those that were found marked."""
    pieces, end = [], 0
    for found in pattern.finditer(text) if pattern else ():
        pieces += [(text[end : found.start()], False), (found.group(), True)]
        end = found.end()
    return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]


def cut_snippet(text: str, pattern: re.Pattern[str] | None) -> Pieces:
    """At most LONGEST characters of a text, on one line: where most of the words stand, else its beginning."""
    line = " ".join(text.split())
    start = max(0, _find_best(line, pattern) - LEAD)
    if start:
        start = line.find(" ", start, start + LEAD) + 1 or start  # no half word where it can be had
    told = line[start : start + LONGEST]
    before = "… " if start else ""
    after = " …" if start + LONGEST < len(line) else ""
    return [piece for piece in [(before, False), *mark(told, pattern), (after, False)] if piece[0]]


def _find_best(line: str, pattern: re.Pattern[str] | None) -> int:
    """Where the stretch begins that has the most different words, the first of equal ones."""
    places: list[tuple[int, str]] = []
    for found in pattern.finditer(line) if pattern else ():
        places.append((found.start(), found.group().upper()))
        if len(places) == MOST_PLACES:
            break
    reach = LONGEST - 2 * LEAD
    counts = [len({word for place, word in places if 0 <= place - start < reach}) for start, _ in places]
    return places[counts.index(max(counts))][0] if places else 0
