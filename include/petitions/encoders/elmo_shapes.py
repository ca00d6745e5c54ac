"""The names and shapes that the weights of an ELMo have in a bilm-tf file, whatever computes it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from petitions.encoders.characters import N_CHARACTERS
from petitions.encoders.elmo_options import ElmoOptions
from petitions.encoders.names import require_finite
from petitions.errors import WeightsError

DIRECTIONS = ("RNN_0", "RNN_1")  # forward, backward


def list_shapes(options: ElmoOptions) -> dict[str, tuple[int, ...]]:
    """The shape of every weight by its name."""
    width = sum(n for _, n in options.filters)  # F
    cells, rows = options.lstm_dim, options.projection_dim
    shapes: dict[str, tuple[int, ...]] = {"char_embed": (N_CHARACTERS - 1, options.character_dim)}
    for i, (size, n) in enumerate(options.filters):
        shapes |= {f"CNN/W_cnn_{i}": (1, size, options.character_dim, n), f"CNN/b_cnn_{i}": (n,)}
    for i in range(options.n_highway):
        for part in ("carry", "transform"):
            shapes |= {f"CNN_high_{i}/W_{part}": (width, width), f"CNN_high_{i}/b_{part}": (width,)}
    shapes |= {"CNN_proj/W_proj": (width, rows), "CNN_proj/b_proj": (rows,)}
    for direction in DIRECTIONS:
        for i in range(options.n_layers):
            prefix = f"{direction}/RNN/MultiRNNCell/Cell{i}/LSTMCell"
            shapes |= {f"{prefix}/W_0": (2 * rows, 4 * cells), f"{prefix}/B": (4 * cells,)}
            shapes |= {f"{prefix}/W_P_0": (cells, rows)}
    return shapes


def require_weights(options: ElmoOptions, weights: Mapping[str, npt.NDArray[np.float32]]) -> None:
    """Refuse weights that are not those of a network; names that it does not have are left aside.

    Raises:
        WeightsError: a weight is missing, of another shape than the network's, or holds NaN or infinity.
    """
    for name, expected in list_shapes(options).items():
        require_weight(name, expected, weights)


def require_weight(name: str, expected: tuple[int, ...], weights: Mapping[str, npt.NDArray[np.float32]]) -> None:
    """Refuse one weight; see `require_weights`."""
    if name not in weights:
        raise WeightsError(f"the weight {name} {list(expected)} is missing")
    if weights[name].shape != expected:
        raise WeightsError(f"the weight {name} must be {list(expected)}, got {list(weights[name].shape)}")
    require_finite(weights[name], f"the weight {name}")
