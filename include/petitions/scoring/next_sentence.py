"""Pairs of texts in, the probability that the second follows the first out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.pairs import compare_pieces, read_margins
from petitions.records import PetitionText

NAME = "next_sentence"  # as stored

Floats = npt.NDArray[np.float32]


def score_petitions(bert: BertEncoder, texts: Sequence[PetitionText]) -> Floats:
    """Score whether what stands below the title of a petition follows it; see `score_next_sentence`."""
    return score_next_sentence(bert, [(text.title, text.below_title) for text in texts])


def score_next_sentence(bert: BertEncoder, pairs: Sequence[tuple[str, str]]) -> Floats:
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
    return _tell(bert, read_margins(bert, pairs), pairs)


def read_petitions(bert: BertEncoder, texts: Sequence[PetitionText]) -> tuple[Floats, dict[str, Floats]]:
    """The vectors of N petitions, float32 [N, D], and by its name the score of `score_petitions`, float32 [N].

    Where the same weights give both, as those that ship do, each petition is split into pieces once.
    """
    if not (bert.pair_reader is bert.vector_reader and bert.vector_reader.joins_pieces):
        return bert.embed([text.whole for text in texts]), {NAME: score_petitions(bert, texts)}
    bert = bert.vector_reader
    titles = bert.encode_pieces(text.title for text in texts)
    below = bert.encode_pieces(text.below_title for text in texts)
    margins = compare_pieces(bert, titles, below)
    pairs = [(text.title, text.below_title) for text in texts]
    return bert.embed_joined(titles, below), {NAME: _tell(bert, margins, pairs)}


def _tell(bert: BertEncoder, margins: npt.NDArray[np.float64], pairs: Sequence[tuple[str, str]]) -> Floats:
    if bert.overlap is not None:
        margins = bert.overlap.weigh(margins, pairs)
    return (1 / (1 + np.exp(-margins))).astype(np.float32)
