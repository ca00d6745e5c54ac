"""BERT weights in PyTorch's layout: a folder or a hub name in, tensors by name or filled Keras layers out, and back.

TensorFlow is imported by who gives its layers: reading a checkpoint needs none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from petitions.encoders.bert_config import read_size
from petitions.encoders.bert_size import BertSize
from petitions.encoders.names import require_finite, weight_files
from petitions.encoders.tensor_names import SEGMENT_MATCH, rename_tensor
from petitions.errors import WeightsError

if TYPE_CHECKING:
    import keras

    from petitions.encoders.bert import Bert, MaskedLmHead, PairHead

Tensors = dict[str, npt.NDArray[np.floating]]
NamedVariables = Iterable[tuple[str, "keras.Variable"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a checkpoint folder holds; the names of `tensors` are those of a PyTorch `BertForPreTraining`."""

    folder: Path
    size: BertSize
    tensors: Tensors

    @property
    def has_segment_match(self) -> bool:
        """Whether the checkpoint has our own next-sentence head."""
        return f"{SEGMENT_MATCH}.weight" in self.tensors

    @property
    def pair_head(self) -> "type[PairHead]":
        """The kind of next-sentence head that the checkpoint has; BERT's own where it has none."""
        from petitions.encoders.bert import NextSentenceHead, SegmentMatchHead

        return SegmentMatchHead if self.has_segment_match else NextSentenceHead

    def fill(self, variables: NamedVariables) -> None:
        """Set each variable to the tensor of its name.

        Raises:
            WeightsError: a tensor is missing, of another shape, or holds NaN or infinity.
        """
        for name, variable in variables:
            is_kernel = variable.name == "kernel"  # PyTorch keeps [out, in]
            shape = tuple(variable.shape)
            array = self.take(name, shape[::-1] if is_kernel else shape)
            variable.assign(array.T if is_kernel else array)

    def take(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """The tensor of a name, in PyTorch's layout.

        Raises:
            WeightsError: it is missing, of another shape or type, or holds NaN or infinity.
        """
        if name not in self.tensors:
            raise WeightsError(f"{self.folder} has no weight {name}")
        array = self.tensors[name]
        if array.shape != shape:
            raise WeightsError(f"weight {name} of {self.folder} is {array.shape}, config.json wants {shape}")
        if array.dtype.kind in "iub":
            raise WeightsError(f"weight {name} of {self.folder} is {array.dtype}, not float16, bfloat16 or float32")
        require_finite(array, f"weight {name} of {self.folder}")
        return array.astype(np.float32)

    def fill_if_complete(self, variables: NamedVariables) -> list[str]:
        """Set the variables of a head if all its tensors are there; returns the names of those that are not."""
        variables = list(variables)
        missing = [name for name, _ in variables if name not in self.tensors]
        if not missing:
            self.fill(variables)
        return missing


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read config.json and the weights, float16 or float32, in one file or sharded.

    Raises:
        WeightsError: a file is missing or damaged, or the model is no BERT as this package computes it.
    """
    size = read_size(folder)
    tensors: Tensors = {}
    for path in weight_files(folder):
        try:
            tensors |= load_file(path)
        except SafetensorError as error:
            raise WeightsError(f"{path} is damaged: {error}") from error
        except (TypeError, AttributeError) as error:  # a type of numbers that numpy has no name for
            raise WeightsError(f"{path} must be in float16, bfloat16 or float32: {error}") from error
    return Checkpoint(folder=folder, size=size, tensors=_rename(tensors))


def name_backbone(bert: "Bert") -> Iterator[tuple[str, "keras.Variable"]]:
    """Pair the variables of the backbone with their names in a PyTorch `BertForPreTraining`."""
    yield "bert.embeddings.word_embeddings.weight", bert.word_embeddings.embeddings
    yield "bert.embeddings.position_embeddings.weight", bert.position_embeddings.embeddings
    yield "bert.embeddings.token_type_embeddings.weight", bert.segment_embeddings.embeddings
    yield from _name_norm("bert.embeddings.LayerNorm", bert.norm)
    for index, block in enumerate(bert.blocks):
        prefix = f"bert.encoder.layer.{index}"
        yield from _name_dense(f"{prefix}.attention.self.query", block.query)
        yield from _name_dense(f"{prefix}.attention.self.key", block.key)
        yield from _name_dense(f"{prefix}.attention.self.value", block.value)
        yield from _name_dense(f"{prefix}.attention.output.dense", block.attention_output)
        yield from _name_norm(f"{prefix}.attention.output.LayerNorm", block.attention_norm)
        yield from _name_dense(f"{prefix}.intermediate.dense", block.intermediate)
        yield from _name_dense(f"{prefix}.output.dense", block.output_dense)
        yield from _name_norm(f"{prefix}.output.LayerNorm", block.output_norm)


def name_masked_lm(head: "MaskedLmHead") -> Iterator[tuple[str, "keras.Variable"]]:
    """Pair the variables of the masked-word head with their PyTorch names."""
    yield from _name_dense("cls.predictions.transform.dense", head.transform)
    yield from _name_norm("cls.predictions.transform.LayerNorm", head.norm)
    yield "cls.predictions.bias", head.bias


def name_next_sentence(head: "PairHead") -> Iterator[tuple[str, "keras.Variable"]]:
    """Pair the variables of the next-sentence head, pooler included, with their PyTorch names, or ours."""
    from petitions.encoders.bert import SegmentMatchHead

    if isinstance(head, SegmentMatchHead):
        yield f"{SEGMENT_MATCH}.weight", head.kernel
        yield f"{SEGMENT_MATCH}.scale", head.scale
        return
    yield from _name_dense("bert.pooler.dense", head.pooler)
    yield from _name_dense("cls.seq_relationship", head.classifier)


def write_tensors(path: Path, variables: NamedVariables) -> None:
    """Write variables as float16 in PyTorch's layout, by `write_arrays`."""
    tensors = {}
    for name, variable in variables:
        array = variable.numpy()
        tensors[name] = np.ascontiguousarray(array.T if variable.name == "kernel" else array, dtype=np.float16)
    write_arrays(path, tensors)


def write_arrays(path: Path, tensors: Mapping[str, npt.NDArray[np.floating]]) -> None:
    """Write tensors as they are; a reader sees the old file or the new one."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(save(dict(tensors), metadata={"format": "pt"}))
    unfinished.replace(path)


def _name_dense(name: str, layer: "keras.layers.Dense") -> Iterator[tuple[str, "keras.Variable"]]:
    yield f"{name}.weight", layer.kernel
    yield f"{name}.bias", layer.bias


def _name_norm(name: str, layer: "keras.layers.LayerNormalization") -> Iterator[tuple[str, "keras.Variable"]]:
    yield f"{name}.weight", layer.gamma
    yield f"{name}.bias", layer.beta


def _rename(tensors: Tensors) -> Tensors:
    """Bring the names of every kind of checkpoint to one form."""
    named = [(rename_tensor(name), array) for name, array in tensors.items()]
    return {name: array for name, array in named if name}
