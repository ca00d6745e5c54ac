"""A stacked head on disk: config.json and model.safetensors; no encoder's weights and no words.

config.json names each part, and of an encoder where it lies and which weights the head was fitted on: other weights
give other vectors, and the head would mean nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from petitions.encoders.labels import HEAD_ARCHITECTURE
from petitions.encoders.names import WEIGHTS_FILE, require_finite
from petitions.encoders.tokenizer_files import read_json
from petitions.errors import WeightsError
from petitions.settings import MODELS

KINDS = ("words", "signs", "bert", "elmo")
CUTS_MARKS = "petitions_cuts_marks"  # keys of config.json
PARTS = "petitions_parts"
MANY = 10_000  # numbers of a tensor that are written in float16

Tensors = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOrder:
    """A part of a head; of an encoder where its weights lie, and their name when the head was fitted."""

    kind: str
    model: str = ""
    name: str = ""
    n_characters: int = 0  # of the beginning that a network reads; 0: all


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFiles:
    """What a folder of a head holds; L labels."""

    labels: Sequence[str]  # [L]
    parts: Sequence[PartOrder]
    cuts_marks: bool
    tensors: Tensors  # "<kind>.<what>", and "bias" [L]


def call_model(model: str) -> str:
    """How a head calls weights, so that those that ship are found on another machine too; see `find_shipped`."""
    path = Path(model)
    if not path.is_dir():
        return model
    return path.name if path.resolve().parent == MODELS.resolve() else str(path.resolve())


def write_head(folder: Path, files: HeadFiles) -> None:
    """Write the files of a head into a folder."""
    config = {
        "architectures": [HEAD_ARCHITECTURE],
        "id2label": {str(number): label for number, label in enumerate(files.labels)},
        CUTS_MARKS: files.cuts_marks,
        PARTS: [{"kind": part.kind, **(_tell_model(part) if part.model else {})} for part in files.parts],
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    tensors = {
        name: np.ascontiguousarray(values, np.float16 if values.size > MANY else np.float32)
        for name, values in files.tensors.items()
    }
    (folder / WEIGHTS_FILE).write_bytes(save(tensors))


def read_head(folder: Path) -> HeadFiles:
    """Read them; `read_labels` has looked at the labels.

    Raises:
        WeightsError: a file is missing or damaged, or names a part that there is not.
    """
    config = read_json(folder / "config.json")
    parts = [_read_part(folder, one) for one in _as_list(config.get(PARTS))]
    if not parts:
        raise WeightsError(f"{folder / 'config.json'}: {PARTS} must name one part or more of {', '.join(KINDS)}")
    named = config["id2label"]
    tensors = _read_tensors(folder / WEIGHTS_FILE)
    return HeadFiles(
        labels=[named[str(number)] for number in range(len(named))],
        parts=parts,
        cuts_marks=bool(config.get(CUTS_MARKS)),
        tensors=tensors,
    )


def take(files: HeadFiles, folder: Path, name: str, shape: tuple[int | None, ...]) -> npt.NDArray[np.float32]:
    """A tensor of a head.

    Raises:
        WeightsError: it is missing, or of another shape; None is any length.
    """
    found = files.tensors.get(name)
    if found is None:
        raise WeightsError(f"{folder / WEIGHTS_FILE} lacks {name}")
    if len(found.shape) != len(shape) or any(
        want not in (None, has) for want, has in zip(shape, found.shape, strict=True)
    ):
        raise WeightsError(f"{folder / WEIGHTS_FILE}: {name} must be {list(shape)}, got {list(found.shape)}")
    return found


def _tell_model(part: PartOrder) -> dict[str, object]:
    return {"model": part.model, "name": part.name, "n_characters": part.n_characters}


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _read_part(folder: Path, value: object) -> PartOrder:
    kind = value.get("kind") if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping) or kind not in KINDS:
        raise WeightsError(f"{folder / 'config.json'}: a part must be one of {', '.join(KINDS)}, got {kind!r}")
    length = value.get("n_characters", 0)
    if not isinstance(length, int) or length < 0:
        raise WeightsError(f"{folder / 'config.json'}: n_characters must be a number of 0 or more, got {length!r}")
    model, name = str(value.get("model", "")), str(value.get("name", ""))
    return PartOrder(kind=str(kind), model=model, name=name, n_characters=length)


def _read_tensors(path: Path) -> Tensors:
    try:
        found = {name: values.astype(np.float32) for name, values in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error
    for name, values in found.items():
        require_finite(values, f"{path}: {name}")
    return found
