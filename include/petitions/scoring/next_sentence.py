"""Pairs of texts in, the probability that the second follows the first out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.pairs import read_margins
from petitions.records import PetitionText


def score_petitions(bert: BertEncoder, texts: Sequence[PetitionText]) -> npt.NDArray[np.float32]:
    """Score whether what stands below the title of a petition follows it; see `score_next_sentence`."""
    return score_next_sentence(bert, [(text.title, text.below_title) for text in texts])


def score_next_sentence(bert: BertEncoder, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float32]:
    """Score pairs with the next-sentence head, as TFBertForNextSentencePrediction did (index 0 is "follows").

    Where a pair has more tokens than the network has positions, the second text keeps its beginning: the question is
    whether it goes on from the first. Only a first text of more than half the positions is cut too, and keeps its end.
    Where the checkpoint says what it weighs, the letters of the first text that the whole second has count too.

    Args:
        bert: a BERT with a next-sentence head, of its own or with the weights of its vectors, which come first.
        pairs: N pairs; either text may be empty.

    Returns:
        float32 [N], probabilities.

    Raises:
        WeightsError: the checkpoint has no next-sentence head.
    """
    bert = bert.pair_reader
    margins = read_margins(bert, pairs)
    if bert.overlap is not None:
        margins = bert.overlap.weigh(margins, pairs)
    return (1 / (1 + np.exp(-margins))).astype(np.float32)
