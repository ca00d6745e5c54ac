"""What can be counted in a text without reading it: length, digits, exclamation marks, Latin letters, and the like."""

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_COUNTED = {
    "digits": re.compile(r"\d"),
    "exclamation marks": re.compile(r"!"),
    "question marks": re.compile(r"\?"),
    "Latin letters": re.compile(r"[A-Za-z]"),
    "single jamo": re.compile(r"[ㄱ-ㅎㅏ-ㅣ]"),
    "other signs": re.compile(r"[^\w\s]"),
    "dots in a row": re.compile(r"\.{2,}"),
}
# Who is called by an office or as a person; the name itself is not looked at.
_NAMED = re.compile(r"[가-힣]{1,4}(?:씨|님|의원|대통령|장관|검사|판사|기자|교수)")
_LINK = re.compile(r"https?://|www\.")
SIGNS = (
    "length",
    *(f"share of {name}" for name in _COUNTED),
    *(f"number of {name}" for name in _COUNTED),
    "words for persons",
    "links",
    "length of words",
    "share of different words",
)


def count_signs(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Count N texts: float64 [N, S], one column for each of `SIGNS`; an empty text has zeros."""
    return np.array([_count(text) for text in texts], np.float64).reshape(len(texts), len(SIGNS))


def _count(text: str) -> list[float]:
    words, length = text.split(), max(1, len(text))
    counts = [len(pattern.findall(text)) for pattern in _COUNTED.values()]
    n_words = max(1, len(words))
    return [
        math.log1p(len(text)),
        *(count / length for count in counts),
        *map(math.log1p, counts),
        len(_NAMED.findall(text)) / n_words,
        math.log1p(len(_LINK.findall(text))),
        sum(map(len, words)) / n_words,
        len(set(words)) / n_words,
    ]
