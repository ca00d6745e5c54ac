"""A character CNN that begins with meaning: word2vec over the same text, and a CNN fitted to spell its vectors.

A language model over a few million tokens learns grammar first: a mean of its states told the themes of petitions no
better than chance, where the mean of word2vec vectors did nearly as well as TF-IDF. So the characters are fitted to
word2vec, and the LSTMs are trained over them. Frequent tokens keep their full length here, which the LSTMs need to tell
one particle from another; the pooling makes them light (see `encoders.sif`).
"""

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from gensim.models import Word2Vec

from petitions.encoders.characters import PADDING, trim_padding
from petitions.encoders.elmo import CharacterCnn
from petitions.encoders.elmo_options import ElmoOptions
from petitions.training.elmo_corpus import BEGIN, Ints
from petitions.training.elmo_windows import TokenStream
from petitions.training.stage_state import Progress, read_state, write_state

logger = logging.getLogger(__name__)

BATCH_SIZE = 512
WIDTHS = (16, 24, 32)  # characters of a batch, beside the full width
LEARNING_RATE = 2e-3
LOG_STEPS = 250
VECTORS_FILE = "words.npz"
STAGE = "characters"
N_WORKERS = 2  # of word2vec: with more than one the same seed gives other vectors, but they are learnt once

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


class _Sentences:
    """The sentences of a stream as gensim reads them: again and again, tokens as text."""

    def __init__(self, stream: TokenStream) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[list[str]]:
        for text in (self.stream.training, self.stream.only_words):
            for start, end in pairwise([*np.flatnonzero(text == BEGIN), len(text)]):
                yield list(map(str, text[start + 1 : end - 1].tolist()))


def learn_word_vectors(
    stream: TokenStream, dimensions: int, min_count: int, seed: int, epochs: int
) -> tuple[Numbers, Floats]:
    """Vectors of the tokens that are frequent enough, for a CNN to spell.

    Their mean is taken out, and their strong common directions are weakened (to the root of what they were): what
    tells tokens apart lies mostly in the many weak ones, and a fit by least squares looks at the strong ones first.

    Returns:
        The W tokens, int64 [W], and their vectors, float32 [W, D], of mean square 1 where tokens are drawn by the
        square root of their frequency.
    """
    vectors = Word2Vec(
        _Sentences(stream), vector_size=dimensions, window=6, min_count=min_count, sample=3e-5, negative=5, sg=1,
        epochs=epochs, workers=N_WORKERS, seed=seed,
    ).wv  # fmt: skip
    tokens = np.array([int(key) for key in vectors.index_to_key], np.int64)  # [W]
    return tokens, _whiten(vectors.vectors, np.sqrt(stream.counts[tokens]))


def _whiten(vectors: Floats, weights: npt.NDArray[np.float64]) -> Floats:
    """Centre vectors [W, D], and divide each principal direction by the root of its standard deviation."""
    centred = vectors - np.average(vectors, axis=0, weights=weights)  # [W, D]
    share = (weights / weights.sum())[:, np.newaxis]  # [W, 1]
    variances, directions = np.linalg.eigh(centred.T @ (share * centred))  # [D], [D, D]
    turned = centred @ (directions * np.maximum(variances, 1e-9) ** -0.25)  # [W, D]
    return np.asarray(turned / np.sqrt(np.sum(share * turned**2) / turned.shape[1]), np.float32)


def keep_word_vectors(
    work: Path, stream: TokenStream, dimensions: int, min_count: int, seed: int, epochs: int
) -> tuple[Numbers, Floats]:
    """The same, learnt once and then read from the work folder."""
    path = work / VECTORS_FILE
    if not path.is_file():
        begin = time.monotonic()
        tokens, vectors = learn_word_vectors(stream, dimensions, min_count, seed, epochs)
        logger.info("word2vec: %d tokens, %.0f s", len(tokens), time.monotonic() - begin)
        work.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez(file, tokens=tokens, vectors=vectors)
        os.replace(unfinished, path)
    with np.load(path) as arrays:
        return arrays["tokens"], arrays["vectors"]


class _Drawer:
    """Draws tokens by the square root of their frequency, those of about one length together, which costs a third."""

    def __init__(self, stream: TokenStream, tokens: Numbers, options: ElmoOptions) -> None:
        widest = max(width for width, _ in options.filters)
        used = (stream.spelled[tokens] != PADDING).sum(axis=1) + widest  # [W]
        width_of = np.searchsorted(WIDTHS, used)  # [W]
        chances = np.sqrt(stream.counts[tokens])  # [W]
        self.groups = [np.flatnonzero(width_of == width) for width in np.unique(width_of)]
        self.limits = [np.cumsum(chances[group] / chances[group].sum()) for group in self.groups]
        shares = np.array([chances[group].sum() for group in self.groups])
        self.shares = shares / shares.sum()

    def __call__(self, random: np.random.Generator) -> Numbers:
        """Rows of the tokens."""
        chosen = random.choice(len(self.groups), p=self.shares)
        group, limits = self.groups[chosen], self.limits[chosen]
        drawn = np.searchsorted(limits, random.random(min(BATCH_SIZE, len(group))))
        return np.asarray(group[np.minimum(drawn, len(group) - 1)], np.int64)


def fit_characters(
    characters: CharacterCnn, stream: TokenStream, tokens: Numbers, targets: Floats, n_steps: int, folder: Path
) -> Progress:
    """Fit the CNN to spell vectors, by least squares; the learning rate falls to zero over the steps.

    Args:
        characters: the CNN, trained in place.
        stream: where the tokens are spelled and counted.
        tokens: int64 [W]; one is drawn by the square root of its frequency.
        targets: float32 [W, D], of mean square 1.
        n_steps: of BATCH_SIZE tokens.
        folder: keeps the state; a fit that was stopped goes on from there.

    Returns:
        The progress, whose curve tells the mean square that is left; 1 would be nothing learnt.
    """
    variables = characters.trainable_variables
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(variables)
    progress = read_state(folder, variables, optimizer.variables) or Progress(
        stage=STAGE, step=0, n_updates=0, n_tokens=0, seconds=0.0
    )

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.float32)])
    def learn(spelled: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(characters(spelled) - expected))
        optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return loss

    draw = _Drawer(stream, tokens, characters.options)
    losses: list[float] = []
    begin = time.monotonic() - progress.seconds
    for step in range(progress.step, n_steps):
        optimizer.learning_rate.assign(LEARNING_RATE * (1 - step / n_steps))
        rows = draw(np.random.default_rng([step]))
        losses.append(float(learn(spell(stream, tokens[rows], characters.options), targets[rows])))
        if (step + 1) % LOG_STEPS == 0 or step + 1 == n_steps:
            row = {"stage": STAGE, "step": step + 1, "left": round(float(np.mean(losses)), 4)}
            losses.clear()
            progress = replace(
                progress,
                step=step + 1,
                n_updates=step + 1,
                seconds=time.monotonic() - begin,
                curve=(*progress.curve, row),
            )
            logger.info("%s, %.0f s", row, progress.seconds)
            write_state(folder, progress, variables, optimizer.variables)
    return progress


def encode_tokens(characters: CharacterCnn, stream: TokenStream) -> Floats:
    """Vectors float32 [all distinct tokens, P] of a stream."""
    compute = tf.function(characters.call, input_signature=[tf.TensorSpec((None, None), tf.int32)])
    order = np.argsort((stream.spelled != PADDING).sum(axis=1), kind="stable")  # short tokens together
    vectors = np.empty((len(order), characters.options.projection_dim), np.float32)
    for start in range(0, len(order), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        vectors[rows] = compute(spell(stream, rows, characters.options))
    return vectors


def spell(stream: TokenStream, tokens: Numbers, options: ElmoOptions) -> Ints:
    """Character ids int32 [b, C] of tokens, without the padding that changes nothing."""
    widest = max(width for width, _ in options.filters)
    return trim_padding(stream.spelled[tokens].astype(np.int32), widest, WIDTHS)
