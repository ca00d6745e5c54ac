"""Pairs of texts in, the probability that the second follows the first out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.records import PetitionText

N_SPECIAL = 3  # [CLS] first [SEP] second [SEP]


def score_petitions(bert: BertEncoder, texts: Sequence[PetitionText]) -> npt.NDArray[np.float32]:
    """Score whether what stands below the title of a petition follows it; see `score_next_sentence`."""
    return score_next_sentence(bert, [(text.title, text.below_title) for text in texts])


def score_next_sentence(bert: BertEncoder, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float32]:
    """Score pairs with the next-sentence head, as TFBertForNextSentencePrediction did (index 0 is "follows").

    Where a pair has more tokens than the network has positions, the second text keeps its beginning: the question is
    whether it goes on from the first. Only a first text of more than half the positions is cut too, and keeps its end.

    Args:
        bert: a BERT with a next-sentence head, of its own or with the weights of its vectors, which come first.
        pairs: N pairs; either text may be empty.

    Returns:
        float32 [N], probabilities.

    Raises:
        WeightsError: the checkpoint has no next-sentence head.
    """
    bert = bert.pair_reader
    room = bert.n_positions - N_SPECIAL
    firsts = bert.encode_pieces(first for first, _ in pairs)
    seconds = bert.encode_pieces(second for _, second in pairs)
    sequences = []
    for first, second in zip(firsts, seconds, strict=True):
        n_first = min(len(first), max(room // 2, room - len(second)))
        kept = first[len(first) - n_first :]
        sequences.append(bert.frame(kept, second[: room - n_first]))
    logits = bert.predict_next(sequences).astype(np.float64)  # [N, 2]
    follows = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))  # [N], the softmax over two
    return follows.astype(np.float32)
