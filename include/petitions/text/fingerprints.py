"""A text comes in; what tells its copies goes out: how it is spelled, its runs of letters, and a few of those runs.

Runs (shingles) of letters and digits alone, so that blanks, marks and case make no difference. Winnowing (Schleimer,
Wilkerson and Aiken 2003, doi 10.1145/872757.872770) keeps about one of seven, in such a way that two texts with
`WINDOW + RUN - 1` letters in common in a row have a kept one in common, wherever these stand.
"""

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

RUN = 8  # letters
WINDOW = 12  # runs, of which the one with the least hash is kept
LEAST_RUNS = 30  # in a shorter text a common run is chance
METHOD = f"winnow-{RUN}-{WINDOW}-{LEAST_RUNS}-1"  # the last number counts the changes of the code below
_NOT_SPELLED = re.compile(r"[\W_]+")
_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # of SplitMix64

Hashes = NDArray[np.int64]


def spell(text: str) -> str:
    """The letters and digits of a text, in small letters."""
    return _NOT_SPELLED.sub("", text.lower())


def hash_spelling(text: str) -> str:
    """A name for how a text is spelled: equal where texts differ by case, blanks and marks alone."""
    return hashlib.sha256(spell(text).encode("utf-8", "surrogatepass")).hexdigest()


def hash_runs(text: str) -> Hashes:
    """A hash of each run of `RUN` letters, int64 [letters - RUN + 1]; a shorter text is one run, an empty one none."""
    letters = np.frombuffer(spell(text).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if not len(letters):
        return np.empty(0, np.int64)
    letters = np.pad(letters, (0, max(0, RUN - len(letters))))
    n = len(letters) - RUN + 1
    hashes = np.zeros(n, np.uint64)
    with np.errstate(over="ignore"):
        for place in range(RUN):
            hashes = hashes * np.uint64(_ODD[0]) + letters[place : place + n]
        for shift, odd in ((30, _ODD[1]), (27, _ODD[2])):
            hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(odd)
        hashes ^= hashes >> np.uint64(31)
    return hashes.view(np.int64)


def choose_fingerprints(hashes: Hashes) -> Hashes:
    """The least hash of each `WINDOW` runs in a row, once each and sorted, int64 [F].

    None of a text with fewer than `LEAST_RUNS`: "please help" stands in many that are no copies.
    """
    if len(hashes) < LEAST_RUNS:
        return np.empty(0, np.int64)
    least, reach = hashes, 1  # `least` is the minimum of so many hashes from each on
    while reach < WINDOW:
        step = min(reach, WINDOW - reach)
        least, reach = np.minimum(least[:-step], least[step:]), reach + step
    is_new = np.r_[True, least[1:] != least[:-1]]
    return np.unique(least[is_new])
