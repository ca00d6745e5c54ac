"""Lists of words in, rows of hashed TF-IDF out: the words' part of a stacked head, which so holds no vocabulary."""

import math
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

N_GRAM = 2  # words, and pairs that stand side by side

Floats = npt.NDArray[np.floating]


def hash_words(words: Sequence[str], n_buckets: int) -> list[int]:
    """The bucket of each word and of each pair of neighbours."""
    grams = ["\x00".join(words[i : i + n]) for n in range(1, N_GRAM + 1) for i in range(len(words) - n + 1)]
    return [crc32(gram.encode("utf-8", "surrogatepass")) % n_buckets for gram in grams]


def count_documents(texts: Sequence[Sequence[str]], n_buckets: int) -> npt.NDArray[np.int64]:
    """In how many of N texts each bucket stands: int64 [W]."""
    counts = np.zeros(n_buckets, np.int64)
    for words in texts:
        counts[list(set(hash_words(words, n_buckets)))] += 1
    return counts


def weigh_words(texts: Sequence[Sequence[str]], idf: Floats) -> csr_matrix:
    """Weigh N texts: float64 [N, W], (1 + log n) * idf, each row of unit length; a text without weighty words is zeros.

    Args:
        texts: N lists of words.
        idf: float [W], of buckets; 0 of one that does not count.
    """
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    for words in texts:
        counts = Counter(hash_words(words, len(idf)))
        row = {bucket: (1 + math.log(n)) * float(idf[bucket]) for bucket, n in sorted(counts.items()) if idf[bucket]}
        length = math.sqrt(sum(value**2 for value in row.values())) or 1.0
        indices += row
        values += [value / length for value in row.values()]
        ends.append(len(indices))
    return csr_matrix((values, indices, ends), shape=(len(texts), len(idf)))
