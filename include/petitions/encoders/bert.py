"""BERT in Keras 3, small and exact: token ids in, hidden states and the logits of the two heads out.

The computation is that of Devlin et al. 2019 as PyTorch checkpoints have it: layer norm after each residual, the exact
(erf) GELU, learned positions from 0. Dropout is left out: inference has none, and pre-training on a small budget, where
no text is seen often, is better without it (Geiping and Goldstein 2023, "Cramming").

Shapes: B texts, T tokens, D hidden size, H heads, N = D / H, V vocabulary, P masked positions.
"""

import keras
import tensorflow as tf

from petitions.encoders.bert_size import BertSize as BertSize
from petitions.encoders.dense import Dense, multiply
from petitions.encoders.pooling import mean_pool

INITIALIZER_STDDEV = 0.02  # as in the paper's code
MASKED = -1e9  # added to a score, it makes exp() of it exactly 0 in float32, so padding changes nothing


class Bert(keras.Model):
    """The stack of layers under the heads."""

    def __init__(self, size: BertSize) -> None:
        super().__init__(name="bert")
        self.size = size
        self.word_embeddings = _embedding(size.vocab_size, size, "word_embeddings")
        self.position_embeddings = _embedding(size.max_position_embeddings, size, "position_embeddings")
        self.segment_embeddings = _embedding(size.type_vocab_size, size, "segment_embeddings")
        self.norm = _norm(size, "norm")
        self.blocks = [Block(size, name=f"block_{index}") for index in range(size.num_hidden_layers)]

    def call(self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Encode texts.

        Args:
            token_ids: int32 [B, T].
            segment_ids: int32 [B, T], 0 for the first text of a pair and 1 for the second.
            mask: int32 [B, T], 1 for a token and 0 for padding.

        Returns:
            float32 [B, T, D]; what stands at padding has no meaning.
        """
        positions = tf.range(tf.shape(token_ids)[1]) + self.size.position_offset  # [T]
        hidden = self.word_embeddings(token_ids) + self.segment_embeddings(segment_ids)  # [B, T, D]
        hidden = self.norm(hidden + self.position_embeddings(positions))  # [B, T, D]
        bias = (1.0 - tf.cast(mask[:, tf.newaxis, tf.newaxis, :], hidden.dtype)) * MASKED  # [B, 1, 1, T]
        for block in self.blocks:
            hidden = block(hidden, bias)  # [B, T, D]
        return hidden


class Block(keras.layers.Layer):
    """Self-attention, then two dense layers; each is added to its input and normalized."""

    def __init__(self, size: BertSize, name: str) -> None:
        super().__init__(name=name)
        self.n_heads = size.num_attention_heads
        self.head_size = size.hidden_size // size.num_attention_heads
        self.query = _dense(size.hidden_size, "query")
        self.key = _dense(size.hidden_size, "key")
        self.value = _dense(size.hidden_size, "value")
        self.attention_output = _dense(size.hidden_size, "attention_output")
        self.attention_norm = _norm(size, "attention_norm")
        self.intermediate = _dense(size.intermediate_size, "intermediate")
        self.output_dense = _dense(size.hidden_size, "output_dense")
        self.output_norm = _norm(size, "output_norm")

    def call(self, hidden: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """Map hidden states float32 [B, T, D] to the same shape; `bias` float32 [B, 1, 1, T] hides padding."""
        query = self._split_heads(self.query(hidden)) * self.head_size**-0.5  # [B, H, T, N]
        key = self._split_heads(self.key(hidden))  # [B, H, T, N]
        value = self._split_heads(self.value(hidden))  # [B, H, T, N]
        attention = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)  # [B, H, T, T]
        context = tf.transpose(tf.matmul(attention, value), [0, 2, 1, 3])  # [B, T, H, N]
        context = tf.reshape(context, tf.shape(hidden))  # [B, T, D]
        hidden = self.attention_norm(hidden + self.attention_output(context))  # [B, T, D]
        wide = keras.activations.gelu(self.intermediate(hidden), approximate=False)  # [B, T, 4D]
        return self.output_norm(hidden + self.output_dense(wide))

    def _split_heads(self, states: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(states)
        split = tf.reshape(states, [shape[0], shape[1], self.n_heads, self.head_size])  # [B, T, H, N]
        return tf.transpose(split, [0, 2, 1, 3])  # [B, H, T, N]


class MaskedLmHead(keras.layers.Layer):
    """Which piece stands at a position; the decoder's matrix is that of the word embeddings."""

    product_dtype = tf.float32

    def __init__(self, size: BertSize) -> None:
        super().__init__(name="masked_lm")
        self.transform = _dense(size.hidden_size, "transform")
        self.norm = _norm(size, "norm")
        self.bias = self.add_weight(shape=(size.vocab_size,), initializer="zeros", name="bias")

    def call(self, states: tf.Tensor, word_embeddings: tf.Tensor) -> tf.Tensor:
        """Map hidden states float32 [P, D], with the embeddings [V, D], to logits float32 [P, V]."""
        states = self.norm(keras.activations.gelu(self.transform(states), approximate=False))  # [P, D]
        return multiply(states, word_embeddings, self.product_dtype, transpose_b=True) + self.bias


class NextSentenceHead(keras.layers.Layer):
    """Whether the second text follows the first, from the state of the first token."""

    def __init__(self, size: BertSize) -> None:
        super().__init__(name="next_sentence")
        self.pooler = _dense(size.hidden_size, "pooler")
        self.classifier = _dense(2, "classifier")

    def call(self, hidden: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:  # noqa: ARG002
        """Map hidden states float32 [B, T, D] to logits float32 [B, 2]; index 0 is "follows"."""
        pooled = tf.tanh(self.pooler(hidden[:, 0]))  # [B, D]
        return self.classifier(pooled)


class SegmentMatchHead(keras.layers.Layer):
    """Whether the second text follows the first, from the means of both texts' states (Reimers and Gurevych 2019).

    The two texts have seen each other in the network. A sentence encoder that reads a pair so tells what follows from
    the first step of its training on, where the state of its first token tells nothing for thousands.
    """

    def __init__(self, size: BertSize) -> None:
        super().__init__(name="segment_match")
        shape = (2 * size.hidden_size,)
        self.kernel = self.add_weight(shape=shape, initializer="zeros", name="weight")
        # Of the cosine: a factor and what is added, which make even odds of a cosine of 0.3.
        self.scale = self.add_weight(shape=(2,), initializer=lambda *_, **__: tf.constant([12.0, -3.6]), name="scale")

    def call(self, hidden: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Map hidden states float32 [B, T, D], of segments and a mask int32 [B, T], to logits as above."""
        first = tf.math.l2_normalize(mean_pool(hidden, mask * (1 - segment_ids)), axis=1)  # [B, D]
        second = tf.math.l2_normalize(mean_pool(hidden, mask * segment_ids), axis=1)  # [B, D]
        products, distances = first * second, tf.abs(first - second)  # [B, D]
        weighed = tf.linalg.matvec(tf.concat([products, distances], axis=1), self.kernel)  # [B]
        follows = weighed + self.scale[0] * tf.reduce_sum(products, axis=1) + self.scale[1]  # [B]
        return tf.stack([follows, tf.zeros_like(follows)], axis=1)


PairHead = NextSentenceHead | SegmentMatchHead


def build_bert(size: BertSize, pair_head: type[PairHead] = NextSentenceHead) -> tuple[Bert, MaskedLmHead, PairHead]:
    """Make the network and its two heads with fresh weights."""
    bert, masked_lm, next_sentence = Bert(size), MaskedLmHead(size), pair_head(size)
    ids = tf.zeros([1, 2], tf.int32)  # [1, 2]
    hidden = bert(ids, ids, ids)  # [1, 2, D]; the first call makes the variables
    masked_lm(hidden[:, 0], tf.convert_to_tensor(bert.word_embeddings.embeddings))
    next_sentence(hidden, ids, ids)
    return bert, masked_lm, next_sentence


def _initializer() -> keras.Initializer:
    return keras.initializers.TruncatedNormal(stddev=INITIALIZER_STDDEV)


def _dense(units: int, name: str) -> Dense:
    return Dense(units, kernel_initializer=_initializer(), name=name)


def _embedding(rows: int, size: BertSize, name: str) -> keras.layers.Embedding:
    return keras.layers.Embedding(rows, size.hidden_size, embeddings_initializer=_initializer(), name=name)


def _norm(size: BertSize, name: str) -> keras.layers.LayerNormalization:
    return keras.layers.LayerNormalization(epsilon=size.layer_norm_eps, name=name)
