"""What a training is at a step, on disk: weights, both moments of the optimizer and the curve so far, written at once.

A reader sees the old state or the new one; a run that is killed goes on from the last one.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.errors import ConfigError

STATE_FILE = "state.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a training is."""

    stage: str
    step: int  # of this stage, done
    n_updates: int  # of all stages, for Adam's bias correction
    n_tokens: int  # of all stages, padding left out
    seconds: float  # of all stages
    precision: str | None = None  # of products, where a training has a choice; an older ELMo's state says nothing
    curve: Sequence[dict[str, object]] = ()  # a row for every some steps: stage, step, mean loss of each task


def write_state(
    folder: Path, progress: Progress, weights: Sequence[keras.Variable], moments: Sequence[tf.Variable]
) -> None:
    """Write a state; one that is there is replaced at once."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, npt.NDArray[np.generic]] = {f"w{i}": variable.numpy() for i, variable in enumerate(weights)}
    arrays |= {f"m{i}": variable.numpy() for i, variable in enumerate(moments)}
    fields = {name: getattr(progress, name) for name in Progress.__dataclass_fields__}
    arrays["progress"] = np.array(json.dumps(fields | {"curve": list(progress.curve)}))
    unfinished = folder / (STATE_FILE + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes the names for options
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / STATE_FILE)


def read_state(folder: Path, weights: Sequence[keras.Variable], moments: Sequence[tf.Variable]) -> Progress | None:
    """Fill variables from a state; None where there is none.

    Raises:
        ConfigError: the state is damaged, or of a network of another shape.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        with np.load(path) as arrays:
            progress = Progress(**json.loads(str(arrays["progress"])))
            for letter, variables in (("w", weights), ("m", moments)):
                for index, variable in enumerate(variables):
                    variable.assign(arrays[f"{letter}{index}"])
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise ConfigError(f"{path} is damaged, or of another network: {error!r}") from error
    return progress
