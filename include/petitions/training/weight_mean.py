"""The mean of the weights of one network before and after it learnt something more.

A network that goes on learning from where another stands keeps, at the mean of both, most of what each can do (Wortsman
and others 2022, https://arxiv.org/abs/2109.01903): what the first was good at suffers less than in the second.
"""

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from petitions.encoders.names import WEIGHTS_FILE
from petitions.errors import WeightsError
from petitions.training.whole_folder import write_folder

Tensors = dict[str, np.ndarray]
TOKENIZER_FILE = "tokenizer.json"


def write_mean(first: Path, second: Path, share: float, output: Path) -> None:
    """Write the mean of two folders of the same shapes, with the heads of `second` and all other files of it.

    Args:
        first: a folder of a BERT; heads that it lacks are taken as they are.
        second: one that went on from it.
        share: of the second, 0 to 1.
        output: the folder, written whole or not at all. `calibrate` it anew: what next sentence weighs is a mean too.

    Raises:
        WeightsError: their tokenizers differ, or a tensor of the first is not in the second, or has another shape.
        ConfigError: `output` is there, and holds no weights.
    """
    old, new = (_read(folder) for folder in (first, second))
    if (first / TOKENIZER_FILE).read_bytes() != (second / TOKENIZER_FILE).read_bytes():
        raise WeightsError(f"{first} and {second} have different {TOKENIZER_FILE}: their pieces do not match")
    for name, tensor in old.items():
        found = new[name].shape if name in new else "nothing"
        if found != tensor.shape:
            raise WeightsError(f"{second}: {name}: expected {tensor.shape} as in {first}, found {found}")
    mean = {name: _mix(old[name], tensor, share) if name in old else tensor for name, tensor in new.items()}
    with write_folder(output, WEIGHTS_FILE) as folder:
        for path in second.iterdir():
            if path.is_file() and path.name != WEIGHTS_FILE and not path.name.startswith("."):
                shutil.copyfile(path, folder / path.name)
        save_file(mean, folder / WEIGHTS_FILE, metadata={"format": "pt"})


def _read(folder: Path) -> Tensors:
    try:
        return load_file(folder / WEIGHTS_FILE)
    except OSError as error:
        raise WeightsError(f"{folder} has no {WEIGHTS_FILE}") from error


def _mix(old: np.ndarray, new: np.ndarray, share: float) -> np.ndarray:
    """The mean in float32, in the type of the second."""
    mixed = (1 - share) * old.astype(np.float32) + share * new.astype(np.float32)
    return np.asarray(mixed, new.dtype)
