"""What letters say beside the network of whether a text follows its title: which of the title's stand in it too.

Each pair of neighbouring letters of the title stands in the text or does not. A text that follows holds most of them;
another one holds those that so long a text has by chance. The logarithm of how much likelier what is found is of the
first kind is added up: a long text gains nothing by its length, and a rare pair says more than a frequent one. Pairs of
letters need no dictionary: particles and endings of Korean words change few of them.

A checkpoint may hold what pairs are worth, and what they weigh beside the network, both fitted on petitions that no
stage of the training read (`petitions pretrain calibrate`); docs/scores.md has what each tells alone and both together.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_checkpoint import Checkpoint

SHARES = "cls.letters.shares"  # ours, as the next ones: transformers leaves them out
LENGTH = "cls.letters.length"
WEIGHTS = "cls.letters.weights"
N_NUMBERS = 2**16  # of pairs: few of those that petitions hold share one
KEPT = 0.7  # of the pairs of a title that its text would not hold by chance stand in it, about
LEAST, MOST = 0.001, 0.999  # of the chance that a text holds a pair
_SIGNS = re.compile(r"\W+")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterShares:
    """In which share of documents each pair of letters stands, and how many pairs they have."""

    shares: npt.NDArray[np.float32]  # [N_NUMBERS]
    length: float  # mean of the documents' texts below the title, in pairs of letters

    def measure(self, first: str, second: str) -> float:
        """How much likelier the letters of the first text are in the second if it follows, a logarithm; 0 for none."""
        asked = number_pairs(first)  # [P]
        if not len(asked):
            return 0.0
        n_pairs = max(0, len(_join_letters(second)) - 1)
        by_chance = np.clip(1 - (1 - self.shares[asked].astype(np.float64)) ** (n_pairs / self.length), LEAST, MOST)
        if_next = by_chance + KEPT * (1 - by_chance)  # [P]
        is_there = np.isin(asked, number_pairs(second))  # [P]
        found = np.where(is_there, np.log(if_next / by_chance), np.log((1 - if_next) / (1 - by_chance)))
        return float(found.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What pairs of letters are worth, and what network, letters and neither weigh."""

    letters: LetterShares
    weights: npt.NDArray[np.float32]  # [3]

    def weigh(self, margins: npt.NDArray[np.float64], pairs: Sequence[Pair]) -> npt.NDArray[np.float64]:
        """The log odds of "follows", float64 [N], of those of the network, float64 [N], and of N pairs of texts."""
        found = np.array([self.letters.measure(first, second) for first, second in pairs], np.float64)  # [N]
        network, letters, constant = self.weights.tolist()
        return network * margins + letters * found + constant


def read_overlap(checkpoint: Checkpoint) -> Overlap | None:
    """Read it from a checkpoint; None where it has none.

    Raises:
        WeightsError: it is of another shape, or not finite.
    """
    if SHARES not in checkpoint.tensors:
        return None
    letters = LetterShares(shares=checkpoint.take(SHARES, (N_NUMBERS,)), length=float(checkpoint.take(LENGTH, (1,))[0]))
    return Overlap(letters=letters, weights=checkpoint.take(WEIGHTS, (3,)))


def number_pairs(text: str) -> npt.NDArray[np.int64]:
    """The numbers of the pairs of neighbouring letters and digits of a text, each once, signs and spaces left out."""
    letters = _join_letters(text)
    pairs = {letters[place : place + 2] for place in range(len(letters) - 1)}
    return np.array(sorted({crc32(pair.encode()) % N_NUMBERS for pair in pairs}), np.int64)


def count_shares(documents: Sequence[Pair]) -> LetterShares:
    """Count over documents, a title and a text each; a pair that none holds counts as in one of two more."""
    counts = np.zeros(N_NUMBERS)
    for title, text in documents:
        counts[np.union1d(number_pairs(title), number_pairs(text))] += 1
    length = float(np.mean([max(1, len(_join_letters(text)) - 1) for _, text in documents]))
    return LetterShares(shares=((counts + 1) / (len(documents) + 2)).astype(np.float32), length=length)


def _join_letters(text: str) -> str:
    return _SIGNS.sub("", unicodedata.normalize("NFC", text)).lower()
