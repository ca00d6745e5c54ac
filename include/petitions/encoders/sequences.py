"""Token sequences, and the arrays that an engine computes a batch of them from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSequence:
    """What the network reads at once, special tokens included."""

    token_ids: Sequence[int]
    n_first: int  # tokens of the first text; those after them belong to the second
    position: int = 0  # the token that the masked-word head looks at


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B sequences as arrays, those shorter than T filled up."""

    token_ids: Ids  # [B, T]
    segment_ids: Ids  # [B, T], 0 for the first text of a pair and 1 for the second
    mask: Ids  # [B, T], 1 for a token and 0 for padding
    positions: Ids  # [B]


def fill_batch(sequences: Sequence[TokenSequence], n_rows: int, length: int, *, pad_id: int, n_segments: int) -> Batch:
    """Put sequences of at most `length` tokens into `n_rows` rows; those past the last sequence are padding alone."""
    token_ids = np.full((n_rows, length), pad_id, np.int32)  # [B, T]
    segment_ids, mask = np.zeros_like(token_ids), np.zeros_like(token_ids)  # [B, T]
    positions = np.zeros(n_rows, np.int32)  # [B]
    for row, sequence in enumerate(sequences):
        n_tokens = len(sequence.token_ids)
        token_ids[row, :n_tokens] = sequence.token_ids
        if n_segments > 1:  # RoBERTa has but one
            segment_ids[row, sequence.n_first : n_tokens] = 1
        mask[row, :n_tokens] = 1
        positions[row] = sequence.position
    return Batch(token_ids=token_ids, segment_ids=segment_ids, mask=mask, positions=positions)
