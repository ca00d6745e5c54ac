"""The ELMo of a training: vectors of tokens in, the loss of the next word in both directions out.

Letters of the shapes: B rows, T tokens, P projection, V words, L layers.
"""

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.dense import multiply
from petitions.encoders.elmo import ElmoNetwork, State
from petitions.encoders.elmo_options import ElmoOptions
from petitions.encoders.elmo_shapes import DIRECTIONS
from petitions.training.elmo_windows import BOS_WORD, EOS_WORD

TRIVIAL = (BOS_WORD, EOS_WORD)  # what a direction reads after the end of a sentence: always the begin of another
NEVER = -1e9  # a logit


class LanguageModel(keras.layers.Layer):
    """An ELMo and the softmax that it is trained with, which both directions share."""

    product_dtype = tf.float32  # see `set_product_dtype`; logits, softmax and loss are float32 always

    def __init__(self, options: ElmoOptions, counts: npt.NDArray[np.int64], *, n_sampled: int, dropout: float) -> None:
        """`counts` are of the V words in the training text."""
        super().__init__()
        n_words = len(counts)
        self.elmo = ElmoNetwork(options, dropout=dropout)
        self.options, self.n_words = options, n_words
        self.n_sampled = min(n_sampled, n_words - 1)
        self.kernel = self.add_weight(
            name="kernel", shape=(n_words, options.projection_dim), initializer="glorot_uniform"
        )
        # Begin with the frequencies: a sampled softmax is slow to find them, and meanwhile the rest drifts off (tried).
        frequencies = np.log((counts + 1.0) / (counts.sum() + n_words))  # [V]
        self.bias = self.add_weight(name="bias", shape=(n_words,), initializer=keras.initializers.Constant(frequencies))
        self.dropout = keras.layers.Dropout(dropout, seed=1)
        self.built = True

    def read(
        self, tokens: tf.Tensor, states: Sequence[State], *, training: bool
    ) -> tuple[list[tf.Tensor], list[State]]:
        """States that tell the next word, and where the LSTMs end.

        Args:
            tokens: float32 [2, B, T, P], each direction in the order in which it reads.
            states: where the LSTMs begin, forward layers first.
            training: drop out.

        Returns:
            A float32 [B * T, P] for each direction, and 2 L states.
        """
        mask = tf.fill(tokens.shape[1:3], True)  # [B, T]
        tops, ends = [], list[State]()
        for direction in range(len(DIRECTIONS)):
            begins = states[len(ends) : len(ends) + self.options.n_layers]
            layers, found = self.elmo.read_direction(
                direction, tokens[direction], mask, begins, unroll=True, training=training
            )
            tops.append(tf.reshape(self.dropout(layers[-1], training=training), [-1, self.options.projection_dim]))
            ends += found
        return tops, ends

    def sampled_loss(
        self, tops: Sequence[tf.Tensor], targets: tf.Tensor, words: tf.Tensor, n_tries: tf.Tensor
    ) -> tf.Tensor:
        """Mean cross-entropy of both directions over a sample of the words, a scalar.

        Args:
            tops: as `read` gives them.
            targets: int32 [2, B * T].
            words: int64 [S], see `sample_words`.
            n_tries: float32, a scalar.
        """
        losses = [self._sampled_losses(top, targets[direction], words, n_tries) for direction, top in enumerate(tops)]
        return tf.reduce_mean(tf.stack(losses))

    def _sampled_losses(self, top: tf.Tensor, targets: tf.Tensor, words: tf.Tensor, n_tries: tf.Tensor) -> tf.Tensor:
        """What `tf.nn.sampled_softmax_loss` gives, float32 [B * T], with its one large product in `product_dtype`."""
        kernel, bias = self.kernel.value, self.bias.value
        wanted = tf.cast(targets, tf.int64)  # [B * T]
        true = tf.reduce_sum(top * tf.gather(kernel, wanted), axis=-1) + tf.gather(bias, wanted)  # [B * T]
        true -= tf.math.log(self._expect(tf.cast(targets, tf.float32), n_tries))  # [B * T]
        others = multiply(top, tf.gather(kernel, words), self.product_dtype, transpose_b=True)  # [B * T, S]
        others += tf.gather(bias, words) - tf.math.log(self._expect(tf.cast(words, tf.float32), n_tries))  # [B * T, S]
        is_true = wanted[:, tf.newaxis] == words  # [B * T, S]; a true word is told from the others alone
        logits = tf.concat([true[:, tf.newaxis], tf.where(is_true, NEVER, others)], axis=-1)  # [B * T, 1 + S]
        return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.zeros_like(targets), logits)  # [B * T]

    def measure(self, tops: Sequence[tf.Tensor], targets: tf.Tensor) -> tf.Tensor:
        """Sums over a batch, float32 [2, 3]: a direction's loss in nats over all words, hits, and words counted."""
        rows = []
        for direction, top in enumerate(tops):
            words = targets[direction]  # [B * T]
            logits = tf.matmul(top, self.kernel, transpose_b=True) + self.bias  # [B * T, V]
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(words, logits)  # [B * T]
            counted = tf.cast(words != TRIVIAL[direction], tf.float32)  # [B * T]
            hits = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == words, tf.float32)  # [B * T]
            rows.append([tf.reduce_sum(loss * counted), tf.reduce_sum(hits * counted), tf.reduce_sum(counted)])
        return tf.convert_to_tensor(rows)

    def _expect(self, words: tf.Tensor, n_tries: tf.Tensor) -> tf.Tensor:
        """How often a word is expected among the distinct ones of so many draws."""
        chance = tf.math.log1p(1.0 / (words + 1.0)) / np.log(self.n_words + 1.0)
        return -tf.math.expm1(n_tries * tf.math.log1p(-chance))


def sample_words(random: np.random.Generator, n_sampled: int, n_words: int) -> tuple[npt.NDArray[np.int64], float]:
    """Draw distinct words log-uniformly, as they stand by falling frequency.

    TensorFlow's own sampler keeps its random state to itself, so that a training that was killed would go on otherwise.

    Returns:
        At most `n_sampled` words, int64, and how many draws it took.
    """
    drawn = np.exp(random.random(8 * n_sampled) * np.log(n_words + 1.0)).astype(np.int64) - 1
    drawn = np.minimum(drawn, n_words - 1)  # rounding
    _, firsts = np.unique(drawn, return_index=True)
    firsts = np.sort(firsts)[:n_sampled]
    n_tries = firsts[-1] + 1 if len(firsts) == n_sampled else len(drawn)
    return drawn[firsts], float(n_tries)
