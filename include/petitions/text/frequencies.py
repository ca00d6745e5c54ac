"""In how many petitions nouns and compounds stand: the table that ships, made by bench/keyword_weights.py."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TABLE = "noun_frequency.tsv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies:
    """In how many of `n_texts` a word stands, and in how many by itself, not as a part of a compound."""

    n_texts: int
    n_with: Mapping[str, int]
    n_alone: Mapping[str, int]


@cache
def read_table() -> bytes:
    """The table as it ships, compressed: versions of what uses it are named after it."""
    return files("petitions.text").joinpath(TABLE).read_bytes()


@cache
def read_frequencies() -> Frequencies:
    """The table that ships; its first line is the number of texts, the others are word, n_with, n_alone."""
    n_texts, *lines = gzip.decompress(read_table()).decode("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return Frequencies(
        n_texts=int(n_texts),
        n_with={word: int(n) for word, n, _ in rows},
        n_alone={word: int(n) for word, _, n in rows},
    )
