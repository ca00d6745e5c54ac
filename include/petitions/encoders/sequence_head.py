"""The head that says which label a text has: that of PyTorch's `BertForSequenceClassification`, and its names there."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from petitions.encoders.bert import INITIALIZER_STDDEV, BertSize
from petitions.encoders.dense import Dense


class SequenceHead(keras.layers.Layer):
    """Which of L labels a text has, from the state of its first token."""

    def __init__(self, size: BertSize, n_labels: int) -> None:
        super().__init__(name="sequence")
        start = keras.initializers.TruncatedNormal(stddev=INITIALIZER_STDDEV)
        self.pooler = Dense(size.hidden_size, kernel_initializer=start, name="pooler")
        self.classifier = Dense(n_labels, kernel_initializer=start, name="classifier")
        self(tf.zeros([1, 1, size.hidden_size]))  # the first call makes the variables

    def pool(self, hidden: tf.Tensor) -> tf.Tensor:
        """Map hidden states float32 [B, T, D] to what the labels are read from, float32 [B, D]."""
        return tf.tanh(self.pooler(hidden[:, 0]))

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        """Map hidden states float32 [B, T, D] to logits float32 [B, L]."""
        return self.classifier(self.pool(hidden))


def name_sequence_head(head: SequenceHead) -> Iterator[tuple[str, keras.Variable]]:
    """Pair the variables of the head with their PyTorch names."""
    yield "bert.pooler.dense.weight", head.pooler.kernel
    yield "bert.pooler.dense.bias", head.pooler.bias
    yield "classifier.weight", head.classifier.kernel
    yield "classifier.bias", head.classifier.bias
