"""The words that petitions are found by: which, and how much each says of its petition; from text/bm25.

Words stand in the index by a number, made from their MD5: the same on every server, and no table of words to keep in
step. Two words of a petition and a question share one by chance in one of 10 million cases; the answer is compared
with the words themselves.
"""

import hashlib
import heapq
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from petitions.records import PetitionText, Source, Window
from petitions.store.petitions import read_unseen
from petitions.store.tables import petition_words
from petitions.store.upsert import Counts, upsert

DIMENSIONS = 1_000_000_000  # the most that a sparsevec has
LEVELS = 16  # of weights, so that the index is read from the heaviest on
MOST_WEIGHT = 2.2  # text.bm25.MOST; 49_words.sql has both too
MOST_WORDS = 2_000  # of a petition, the heaviest: some kB
_WITHOUT = text("SELECT source, n_without_words FROM petitions.searched_encoder WHERE n_without_words > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionWords:
    """The words of one petition, and the weight of each, more than 0 and less than MOST_WEIGHT; there may be none."""

    petition_id: str
    tokenizer: str
    content_hash: str
    weights: Mapping[str, float]


def read_unsplit(
    conn: Connection, source: Source, window: Window, tokenizer: str, limit: int = 1000, *, after: str = ""
) -> list[PetitionText]:
    """Read texts whose words this tokenizer has not found, at most `limit`; none are left when the list is empty."""
    return read_unseen(conn, source, window, petition_words, {"tokenizer": tokenizer}, limit, after=after)


def upsert_words(conn: Connection, rows: Iterable[PetitionWords]) -> Counts:
    """Write words; those of an older text or tokenizer of the same petition are replaced."""
    return upsert(conn, petition_words, map(_make_row, rows), compare=("tokenizer", "content_hash", "words"))


def read_without_words(conn: Connection) -> dict[Source, int]:
    """Read how many published petitions have no words to be found by, where there are any: after an upgrade, say."""
    return {Source(source): n for source, n in conn.execute(_WITHOUT)}


def tell_without_words(source: Source, n: int) -> str:
    """That there are such petitions, and which command mends it."""
    return (
        f"{n} published petitions of {source} have no words to be found by yet: "
        f"`petitions tokenize --source {source}`, or the next run, finds them"
    )


def number_word(word: str) -> int:
    """The place of a word in a sparsevec, from 1; 49_words.sql does the same."""
    digest = hashlib.md5(word.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4]) % DIMENSIONS + 1


def _make_row(item: PetitionWords) -> dict[str, object]:
    kept = dict(heapq.nlargest(MOST_WORDS, item.weights.items(), key=lambda pair: (pair[1], pair[0])))
    by_number: dict[int, float] = {}
    for word, weight in kept.items():
        number = number_word(word)
        by_number[number] = max(weight, by_number.get(number, 0.0))
    numbers = sorted(by_number)
    weights = [by_number[number] for number in numbers]
    codes = sorted(number * LEVELS + int(by_number[number] / MOST_WEIGHT * LEVELS) for number in numbers)
    return {
        "petition_id": item.petition_id,
        "tokenizer": item.tokenizer,
        "words": sorted(kept),
        "weights": _send(numbers, weights),
        "levels": codes,
        "content_hash": item.content_hash,
    }


def _send(numbers: list[int], weights: list[float]) -> bytes:
    """A sparsevec as `sparsevec_send` writes it: dimensions, how many, zero, the places from 0, the numbers."""
    n = len(numbers)
    return struct.pack(f">iii{n}i{n}f", DIMENSIONS, n, 0, *(number - 1 for number in numbers), *weights)
