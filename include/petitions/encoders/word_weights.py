"""Lists of words in, rows of TF-IDF over a fixed vocabulary out: the words' part of a stacked head."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.floating]


def count_documents(texts: Sequence[Sequence[str]]) -> Counter[str]:
    """In how many of N texts each word stands."""
    return Counter(word for words in texts for word in set(words))


def weigh_words(texts: Sequence[Sequence[str]], vocabulary: Sequence[str], idf: Floats) -> csr_matrix:
    """Weigh N texts: float64 [N, W], (1 + log n) * idf, each row of unit length; a text without known words is zeros.

    Args:
        texts: N lists of words.
        vocabulary: W words.
        idf: float64 [W].
    """
    numbers = {word: number for number, word in enumerate(vocabulary)}
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    for words in texts:
        counts = Counter(numbers[word] for word in words if word in numbers)
        row = {number: (1 + math.log(count)) * idf[number] for number, count in sorted(counts.items())}
        length = math.sqrt(sum(value**2 for value in row.values())) or 1.0
        indices += row
        values += [value / length for value in row.values()]
        ends.append(len(indices))
    return csr_matrix((values, indices, ends), shape=(len(texts), len(vocabulary)))
