"""A character CNN that begins with meaning: word2vec over the same text, and a CNN fitted to spell its vectors.

A language model over a few million tokens learns grammar first: a mean of its states told the themes of petitions no
better than chance, where the mean of word2vec vectors did nearly as well as TF-IDF. So the characters are fitted to
word2vec, and the LSTMs are trained over them.
"""

import logging
import time
from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from gensim.models import Word2Vec

from petitions.encoders.characters import PADDING, trim_padding
from petitions.encoders.elmo import CharacterCnn
from petitions.encoders.elmo_options import ElmoOptions
from petitions.training.elmo_windows import Ints, TokenStream

logger = logging.getLogger(__name__)

N_MARKS = 2  # the first tokens of a stream are the marks of a sentence
SMOOTHING = 3e-3  # relative frequency at which a token's vector is halved (Arora et al. 2017, "SIF")
BATCH_SIZE = 512
WIDTHS = (16, 24, 32)  # characters of a batch, beside the full width
LEARNING_RATE = 2e-3

Floats = npt.NDArray[np.float32]


class _Sentences:
    """The sentences of a stream as gensim reads them: again and again, tokens as text."""

    def __init__(self, stream: TokenStream) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[list[str]]:
        for sentence in np.split(self.stream.training, np.flatnonzero(self.stream.training == 0)):
            yield [str(token) for token in sentence if token >= N_MARKS]


def learn_word_vectors(
    stream: TokenStream, dimensions: int, min_count: int, seed: int
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Vectors of the tokens that are frequent enough, weighted and centred.

    A frequent token gets a short vector, and the mean over the text is zero, so that a plain mean over the tokens of
    a petition is the "smooth inverse frequency" embedding of it.

    Returns:
        The W tokens, int64 [W], and their vectors, float32 [W, D], of mean square 1.
    """
    vectors = Word2Vec(
        _Sentences(stream), vector_size=dimensions, window=8, min_count=min_count, sample=1e-4, negative=8, sg=1,
        epochs=4, workers=1, seed=seed,
    ).wv  # fmt: skip
    tokens = np.array([int(key) for key in vectors.index_to_key], np.int64)  # [W]
    counts = np.bincount(stream.training, minlength=len(stream.spelled))[tokens]  # [W]
    share = counts / len(stream.training)  # [W]
    weighted = vectors.vectors * (SMOOTHING / (SMOOTHING + share))[:, np.newaxis]  # [W, D]
    centred = weighted - np.average(weighted, axis=0, weights=share)  # [W, D]
    return tokens, (centred / np.sqrt(np.mean(centred**2))).astype(np.float32)


def fit_characters(
    characters: CharacterCnn, stream: TokenStream, tokens: npt.NDArray[np.int64], targets: Floats, minutes: float
) -> float:
    """Fit the CNN to spell vectors, by least squares; the learning rate falls to zero over the time.

    Args:
        characters: the CNN, trained in place.
        stream: where the tokens are spelled and counted.
        tokens: int64 [W]; one is drawn by the square root of its frequency.
        targets: float32 [W, D], of mean square 1.
        minutes: wall time.

    Returns:
        The mean square that is left at the end; 1 would be nothing learnt.
    """
    variables = characters.trainable_variables
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(variables)

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.float32)])
    def learn(spelled: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(characters(spelled) - expected))
        optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return loss

    rng = np.random.default_rng(0)
    chance = np.sqrt(np.bincount(stream.training, minlength=len(stream.spelled))[tokens])  # [W]
    chance /= chance.sum()
    losses: list[float] = []
    begin, progress = 0.0, 0.0
    while progress < 1:
        optimizer.learning_rate.assign(LEARNING_RATE * (1 - progress))
        rows = rng.choice(len(tokens), min(BATCH_SIZE, len(tokens)), p=chance)
        losses.append(float(learn(spell(stream, tokens[rows], characters.options), targets[rows])))
        begin = begin or time.monotonic()  # the first step compiles, and the time is for the fit alone
        progress = (time.monotonic() - begin) / 60 / minutes
    logger.info("characters: %d steps, mean square %.3f, then %.3f", len(losses), losses[0], np.mean(losses[-20:]))
    return float(np.mean(losses[-20:]))


def encode_tokens(characters: CharacterCnn, stream: TokenStream) -> Floats:
    """Vectors float32 [all distinct tokens, P] of a stream."""
    compute = tf.function(characters.call, input_signature=[tf.TensorSpec((None, None), tf.int32)])
    order = np.argsort((stream.spelled != PADDING).sum(axis=1), kind="stable")  # short tokens together
    vectors = np.empty((len(order), characters.options.projection_dim), np.float32)
    for start in range(0, len(order), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        vectors[rows] = compute(spell(stream, rows, characters.options))
    return vectors


def spell(stream: TokenStream, tokens: npt.NDArray[np.int64], options: ElmoOptions) -> Ints:
    """Character ids int32 [b, C] of tokens, without the padding that changes nothing."""
    widest = max(width for width, _ in options.filters)
    return trim_padding(stream.spelled[tokens].astype(np.int32), widest, WIDTHS)
