"""Sequences of many lengths in, batches of few fixed shapes out: a compiler needs one program a shape."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LENGTHS = (32, 64, 128, 256, 512, 1024, 2048, 4096)  # tokens; cut off at what the model can take


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """Which sequences go together, in how many rows (those past the last sequence are filler) of which length."""

    indices: Sequence[int]
    n_rows: int
    length: int


def plan_batches(
    lengths: Sequence[int], longest: int, batch_tokens: int, multiple: int = 1, *, is_filled: bool = False
) -> Iterator[PlannedBatch]:
    """Group sequences by length, shortest first, so that little padding is computed.

    What does not fill a batch of its length moves up to the next one; so only the very last batch can be partly
    empty, and its number of rows is the next power of two.

    Args:
        lengths: tokens of each sequence, at most `longest`.
        longest: tokens that the model can take.
        batch_tokens: rows times length of a full batch, about.
        multiple: rows are a multiple of it, for as many replicas.
        is_filled: every batch has all the rows of its length, so that there is one shape a length.
    """
    waiting: list[int] = []
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    buckets = sorted({min(length, longest) for length in LENGTHS} | {longest})
    start = 0
    for bucket in buckets:
        end = start
        while end < len(order) and lengths[order[end]] <= bucket:
            end += 1
        waiting += order[start:end]
        start = end
        n_rows = max(1, batch_tokens // bucket // multiple) * multiple
        is_last = end == len(order)
        while len(waiting) >= n_rows or (is_last and waiting):
            rows = n_rows if is_filled else min(n_rows, multiple * _next_power_of_two(-(-len(waiting) // multiple)))
            yield PlannedBatch(indices=waiting[:n_rows], n_rows=rows, length=bucket)
            waiting = waiting[n_rows:]


def _next_power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()
