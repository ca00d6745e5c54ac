"""Weights of an ELMo on disk: bilm-tf's hdf5, or ours, `model.safetensors` with the same names in float16."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from petitions.encoders.elmo_options import ElmoOptions, write_options
from petitions.encoders.elmo_shapes import require_weight
from petitions.encoders.names import OPTIONS_FILE, WEIGHTS_FILE
from petitions.errors import WeightsError

if TYPE_CHECKING:
    import keras

BILM_WEIGHTS_FILE = "weights.hdf5"

Weights = dict[str, npt.NDArray[np.float32]]


def read_weights(path: Path) -> Weights:
    """Read every weight of a file, by its name in bilm-tf, as float32.

    Raises:
        WeightsError: a file that is damaged or of another kind.
    """
    try:
        if path.suffix == ".safetensors":
            return {name: values.astype(np.float32) for name, values in load_file(path).items()}
        weights: Weights = {}
        with h5py.File(path) as file:
            file.visititems(lambda name, item: _collect(name, item, weights))
        return weights
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error


def assign_weights(variables: Mapping[str, "keras.Variable"], weights: Mapping[str, npt.NDArray[np.float32]]) -> None:
    """Put weights into a network; names that it does not have (the softmax of the training) are left aside.

    Raises:
        WeightsError: a weight is missing, of another shape than the network's, or holds NaN or infinity.
    """
    for name, variable in variables.items():
        require_weight(name, tuple(variable.shape), weights)
        variable.assign(weights[name])


def write_checkpoint(folder: Path, options: ElmoOptions, weights: Mapping[str, npt.NDArray[np.floating]]) -> None:
    """Write our own format; whoever reads meanwhile finds the old weights or the new ones, never half of them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_options(options, folder / OPTIONS_FILE)
    unfinished = folder / f"{WEIGHTS_FILE}.part"
    # Not save_file: that leaves a file which only its owner may read.
    unfinished.write_bytes(save({name: np.ascontiguousarray(v, dtype=np.float16) for name, v in weights.items()}))
    os.replace(unfinished, folder / WEIGHTS_FILE)


def write_bilm_tf(folder: Path, options: ElmoOptions, weights: Mapping[str, npt.NDArray[np.floating]]) -> None:
    """Write options.json and weights.hdf5 as bilm-tf, AllenNLP and simple_elmo read them: float32, no softmax."""
    folder.mkdir(parents=True, exist_ok=True)
    write_options(options, folder / OPTIONS_FILE)
    unfinished = folder / f"{BILM_WEIGHTS_FILE}.part"
    with h5py.File(unfinished, "w") as file:
        for name, values in weights.items():
            if not name.startswith("softmax/"):
                file[name] = values.astype(np.float32)
    os.replace(unfinished, folder / BILM_WEIGHTS_FILE)


def _collect(name: str, item: h5py.Group | h5py.Dataset, weights: Weights) -> None:
    if isinstance(item, h5py.Dataset):
        weights[name] = np.asarray(item[...], dtype=np.float32)
