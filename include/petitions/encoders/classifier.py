"""A fine-tuned BERT ready for use: texts in, the probability of each label out."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from petitions.encoders.bert import Bert
from petitions.encoders.bert_checkpoint import read_checkpoint
from petitions.encoders.bert_encoder import BATCH_TOKENS, BertEncoder, Floats, TokenSequence
from petitions.encoders.hub import ModelFiles, fetch_model
from petitions.encoders.labels import read_labels
from petitions.encoders.sequence_head import SequenceHead, name_sequence_head


class TextClassifier(BertEncoder):
    """Holds network, head and tokenizer; `load_classifier` makes one.

    A text that fills more than one window is read in windows, and what is pooled of them counts by their tokens: the
    logits of a text are the mean of those that transformers gives for its windows.
    """

    def __init__(self, files: ModelFiles, accelerator: str) -> None:
        super().__init__(files, accelerator)
        self.labels = read_labels(files.folder)
        checkpoint = read_checkpoint(files.folder)
        with self._strategy.scope():
            self.head = SequenceHead(checkpoint.size, len(self.labels.names))
        checkpoint.fill(name_sequence_head(self.head))
        self._compiled_head = self._compile(self._pool_head)

    @property
    def bert(self) -> Bert:
        """The network below the head."""
        return self._bert

    def pool_texts(self, texts: Sequence[str], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """What the labels of N texts are read from: float32 [N, D], the mean of their windows by tokens."""
        windows: list[TokenSequence] = []
        owners: list[int] = []
        cleaned = [self.labels.clean(text) for text in texts]
        for owner, parts in enumerate(self._split(cleaned, is_question=False)):
            windows += [self.frame(part) for part in parts]
            owners += [owner] * len(parts)
        pooled = self._compute(self._compiled_head, windows, self.dimensions, batch_tokens)  # [W, D]
        n_tokens = np.array([len(window.token_ids) for window in windows], np.float32)  # [W]
        joined = np.zeros((len(texts), self.dimensions), np.float32)  # [N, D]
        np.add.at(joined, owners, pooled * n_tokens[:, np.newaxis])
        total = np.bincount(owners, n_tokens, len(texts)).astype(np.float32)  # [N]
        return joined / total[:, np.newaxis]

    def classify(self, texts: Sequence[str], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Logits of L labels for N texts, float32 [N, L]."""
        pooled = self.pool_texts(texts, batch_tokens=batch_tokens)  # [N, D]
        return pooled @ self.head.classifier.kernel.numpy() + self.head.classifier.bias.numpy()

    # Takes the inputs of the other computations of the encoder, so that one loop serves them all.
    def _pool_head(
        self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        return self.head.pool(self._bert(token_ids, segment_ids, mask))  # [B, D]


def to_probabilities(logits: Floats) -> Floats:
    """The probability of each label: logits [N, L] to float32 [N, L], rows of sum 1."""
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def load_classifier(model: str, accelerator: str = "auto") -> TextClassifier:
    """Load a `BertForSequenceClassification` from a folder or the model hub.

    Raises:
        WeightsError: it is missing, incomplete, damaged, or no such model.
        FetchError: the hub cannot be reached.
        ConfigError: the accelerator is missing.
    """
    return TextClassifier(fetch_model(model), accelerator)
