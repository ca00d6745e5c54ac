"""The encoder as it was when a stage began: what the vectors of that stage are held to, kept beside its state."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from petitions.encoders.bert import Bert, build_bert
from petitions.encoders.dense import set_product_dtype
from petitions.errors import ConfigError

HELD_FILE = "held.npz"


def hold_encoder(bert: Bert, folder: Path, *, is_begin: bool, dtype: tf.DType) -> Bert:
    """Make a copy of an encoder that is not trained.

    Args:
        bert: with the weights of now.
        folder: of the state of the training.
        is_begin: of the stage: the copy is of now, and kept; otherwise it is the one that was kept.
        dtype: of the large products; another one than the encoder's would be a difference to learn.

    Raises:
        ConfigError: no copy was kept, or it is damaged or of another network.
    """
    copy, _, _ = build_bert(bert.size)
    set_product_dtype([copy], dtype)
    path = folder / HELD_FILE
    if is_begin:
        _write(path, bert)
    try:
        with np.load(path) as arrays:
            for index, variable in enumerate(copy.trainable_variables):
                variable.assign(arrays[f"w{index}"])
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise ConfigError(f"{path} is missing, damaged, or of another network: {error!r}") from error
    return copy


def _write(path: Path, bert: Bert) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **{f"w{index}": variable.numpy() for index, variable in enumerate(bert.trainable_variables)})
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
