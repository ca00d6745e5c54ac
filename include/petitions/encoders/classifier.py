"""A fine-tuned BERT ready for use: texts in, the logits of its labels out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petitions.encoders.bert_checkpoint import read_checkpoint
from petitions.encoders.bert_encoder import BATCH_TOKENS, BertEncoder
from petitions.encoders.engine import Floats
from petitions.encoders.labels import read_labels
from petitions.encoders.model_files import ModelFiles, fetch_model
from petitions.encoders.probabilities import to_probabilities as to_probabilities
from petitions.encoders.sequences import TokenSequence


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadWeights:
    """The head of a `BertForSequenceClassification` of L labels; it is small, and computed here."""

    pooler: Floats  # [D, D]
    pooler_bias: Floats  # [D]
    classifier: Floats  # [D, L]
    classifier_bias: Floats  # [L]


class TextClassifier(BertEncoder):
    """Holds tokenizer, engine and head; `load_classifier` makes one.

    A text that fills more than one window is read in windows, and what is pooled of them counts by their tokens: the
    logits of a text are the mean of those that transformers gives for its windows.
    """

    def __init__(self, files: ModelFiles, accelerator: str, cpu_engine: str = "onnxruntime") -> None:
        super().__init__(files, accelerator, cpu_engine=cpu_engine, pooling="cls")
        self.labels = read_labels(files.folder)
        checkpoint, width, n_labels = read_checkpoint(files.folder), self.dimensions, len(self.labels.names)
        self._head = HeadWeights(
            pooler=checkpoint.take("bert.pooler.dense.weight", (width, width)).T,
            pooler_bias=checkpoint.take("bert.pooler.dense.bias", (width,)),
            classifier=checkpoint.take("classifier.weight", (n_labels, width)).T,
            classifier_bias=checkpoint.take("classifier.bias", (n_labels,)),
        )

    def read_head(self) -> HeadWeights:
        """The weights of the head."""
        return self._head

    def pool_texts(self, texts: Sequence[str], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """What the labels of N texts are read from: float32 [N, D], the mean of their windows by tokens."""
        windows: list[TokenSequence] = []
        owners: list[int] = []
        cleaned = [self.labels.clean(text) for text in texts]
        for owner, parts in enumerate(self._split(cleaned, is_question=False)):
            windows += [self.frame(part) for part in parts]
            owners += [owner] * len(parts)
        head = self.read_head()
        states = self._compute("vectors", windows, batch_tokens)  # [W, D], of their first tokens
        pooled = np.tanh(states @ head.pooler + head.pooler_bias)  # [W, D]
        n_tokens = np.array([len(window.token_ids) for window in windows], np.float32)  # [W]
        joined = np.zeros((len(texts), self.dimensions), np.float32)  # [N, D]
        np.add.at(joined, owners, pooled * n_tokens[:, np.newaxis])
        total = np.bincount(owners, n_tokens, len(texts)).astype(np.float32)  # [N]
        return joined / total[:, np.newaxis]

    def classify(self, texts: Sequence[str], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Logits of L labels for N texts, float32 [N, L]."""
        pooled, head = self.pool_texts(texts, batch_tokens=batch_tokens), self.read_head()  # [N, D]
        return (pooled @ head.classifier + head.classifier_bias).astype(np.float32)


def load_classifier(model: str, accelerator: str = "auto", cpu_engine: str = "onnxruntime") -> TextClassifier:
    """Load a `BertForSequenceClassification` from a folder or the model hub.

    Args:
        model: a folder, or a hub name as `load_bert` takes it.
        accelerator: as `pick_strategy` takes it.
        cpu_engine: "tensorflow"; all else is exact ONNX Runtime, since probabilities were calibrated by exact weights.

    Raises:
        WeightsError: it is missing, incomplete, damaged, or no such model.
        FetchError: the hub cannot be reached.
        ConfigError: the accelerator, or the package of the engine, is missing.
    """
    chosen = "tensorflow" if cpu_engine == "tensorflow" else "onnxruntime"
    return TextClassifier(fetch_model(model), accelerator, chosen)
