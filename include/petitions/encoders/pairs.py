"""Pairs of texts in, what the next-sentence head says of them out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder

N_SPECIAL = 3  # [CLS] first [SEP] second [SEP]


def read_margins(bert: BertEncoder, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float64]:
    """The log odds of "follows" by the head alone, float64 [N]."""
    firsts = bert.encode_pieces(first for first, _ in pairs)
    return compare_pieces(bert, firsts, bert.encode_pieces(second for _, second in pairs))


def compare_pieces(
    bert: BertEncoder, firsts: Sequence[Sequence[int]], seconds: Sequence[Sequence[int]]
) -> npt.NDArray[np.float64]:
    """The same of pairs that are split already."""
    room = bert.n_positions - N_SPECIAL
    sequences = []
    for first, second in zip(firsts, seconds, strict=True):
        n_first = min(len(first), max(room // 2, room - len(second)))
        kept = first[len(first) - n_first :]
        sequences.append(bert.frame(kept, second[: room - n_first]))
    logits = bert.predict_next(sequences).astype(np.float64)  # [N, 2]
    return np.subtract(logits[:, 0], logits[:, 1])
