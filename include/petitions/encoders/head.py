"""A stacked head ready for use: texts in, the logits of its labels out.

Its parts are added up: words (hashed TF-IDF), signs (what can be counted), the vectors of a BERT, the
layers of an ELMo through their mix and a small network. Shapes: N texts, L labels, K layers, D dimensions, H hidden.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from petitions.encoders.head_files import HeadFiles, PartOrder, read_head, take
from petitions.encoders.labels import Labels, read_labels
from petitions.encoders.marks import cut_marks
from petitions.encoders.names import name_head
from petitions.encoders.scorers import find_shipped
from petitions.encoders.signs import SIGNS, count_signs
from petitions.encoders.word_weights import weigh_words
from petitions.errors import WeightsError

Floats = npt.NDArray[np.float32]
Morphemes = Callable[[str], list[str]]


class Part(Protocol):
    """What gives its share of the logits."""

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.floating]:
        """Logits float [N, L] of N texts."""


class HeadClassifier:
    """Holds labels and parts; `load_head` makes one."""

    def __init__(self, name: str, labels: Labels, parts: Sequence[Part], bias: Floats, cuts_marks: bool) -> None:
        self.name, self.labels, self.cuts_marks = name, labels, cuts_marks
        self._parts, self._bias = parts, bias

    def classify(self, texts: Sequence[str]) -> Floats:
        """Logits of L labels for N texts, float32 [N, L]; an empty text has what its parts say of nothing."""
        read = [cut_marks(text) for text in texts] if self.cuts_marks else list(texts)
        total = np.tile(self._bias.astype(np.float64), (len(read), 1))  # [N, L]
        for part in self._parts if read else ():
            total += part(read)
        return total.astype(np.float32)


def load_head(
    folder: Path, accelerator: str = "auto", cpu_engine: str = "onnxruntime", morphemes: Morphemes | None = None
) -> HeadClassifier:
    """Load a head, and the encoders that it rests on.

    Args:
        folder: as `petitions finetune` writes it.
        accelerator: of its encoders.
        cpu_engine: likewise; int8 is not used, since probabilities were calibrated by exact weights.
        morphemes: what takes a text apart, where words or an ELMo are among its parts.

    Raises:
        WeightsError: it is damaged, or the weights of its encoder are others than it was fitted on.
    """
    labels, files = read_labels(folder), read_head(folder)
    bias = take(files, folder, "bias", (len(labels.names),))
    open_part = {"words": _open_words, "signs": _open_signs, "bert": _open_bert, "elmo": _open_elmo}
    opening = _Opening(folder, files, accelerator, cpu_engine, morphemes)
    parts = [open_part[part.kind](opening, part) for part in files.parts]
    return HeadClassifier(name_head(folder), labels, parts, bias, files.cuts_marks)


class _Opening:
    """What each part is opened with."""

    def __init__(
        self, folder: Path, files: HeadFiles, accelerator: str, cpu_engine: str, morphemes: Morphemes | None
    ) -> None:
        self.folder, self.files, self.accelerator, self.cpu_engine = folder, files, accelerator, cpu_engine
        self._morphemes = morphemes

    def take(self, name: str, *shape: int | None) -> Floats:
        return take(self.files, self.folder, name, shape)

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        if self._morphemes is None:
            raise WeightsError(f"{self.folder} reads morphemes, and no tokenizer was given")
        return [self._morphemes(text) for text in texts]

    def require_name(self, part: PartOrder, found: str) -> None:
        if part.name != found:
            raise WeightsError(
                f"{self.folder} was fitted on {part.name}, and {part.model} is {found}: fit it again "
                f"(docs/finetuning.md), or name the older weights"
            )


def _open_words(opening: _Opening, part: PartOrder) -> Part:
    idf = opening.take("words.idf", None)
    kernel = opening.take("words.kernel", len(idf), None)
    return lambda texts: weigh_words(opening.split(texts), idf) @ kernel


def _open_signs(opening: _Opening, part: PartOrder) -> Part:
    kernel = opening.take("signs.kernel", len(SIGNS), None)
    return lambda texts: count_signs(texts) @ kernel


def _open_bert(opening: _Opening, part: PartOrder) -> Part:
    from petitions.encoders.bert_encoder import load_bert

    chosen = "tensorflow" if opening.cpu_engine == "tensorflow" else "onnxruntime"
    encoder = load_bert(find_shipped(part.model), opening.accelerator, cpu_engine=chosen)
    opening.require_name(part, encoder.name)
    kernel = opening.take("bert.kernel", encoder.dimensions, None)
    n_read = part.n_characters or None
    return lambda texts: encoder.embed([text[:n_read] for text in texts]) @ kernel


def _open_elmo(opening: _Opening, part: PartOrder) -> Part:
    from petitions.encoders.elmo_layers import load_layers, split_layers

    encoder = load_layers(find_shipped(part.model), opening.accelerator)
    opening.require_name(part, encoder.name)
    n_layers, width = encoder.n_layers, encoder.layer_width
    mean, scale = (opening.take(f"elmo.{name}", n_layers, width) for name in ("mean", "scale"))
    mix, hidden = opening.take("elmo.mix", n_layers), opening.take("elmo.hidden", width, None)
    hidden_bias = opening.take("elmo.hidden_bias", hidden.shape[1])
    kernel = opening.take("elmo.kernel", hidden.shape[1], None)

    def read(texts: Sequence[str]) -> npt.NDArray[np.floating]:
        layers = split_layers(encoder.embed(opening.split(texts)), n_layers)  # [N, K, D]
        return mix_layers((layers - mean) * scale, mix, hidden, hidden_bias) @ kernel  # [N, L]

    return read


def mix_layers(layers: Floats, mix: Floats, hidden: Floats, hidden_bias: Floats) -> npt.NDArray[np.floating]:
    """What the logits are read from, float [N, H]: layers [N, K, D] by the softmax of mix [K], through tanh."""
    mixed = np.einsum("k,nkd->nd", softmax(mix), layers)  # [N, D]
    return np.tanh(mixed @ hidden + hidden_bias)
