"""Vectors of windows in, one of unit length a text out: without TensorFlow, which not every engine needs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petitions.encoders.reading import Pooling


def join_windows(
    vectors: npt.NDArray[np.float32], n_tokens: Sequence[int], owners: Sequence[int], n_texts: int, pooling: Pooling
) -> npt.NDArray[np.float32]:
    """Make one vector a text of those of its windows: their maximum, else their mean weighted by their tokens.

    Args:
        vectors: float32 [W, D], of windows.
        n_tokens: W numbers, of the tokens of each window.
        owners: W numbers, the text that each window is of; every text has one.
        n_texts: N.
        pooling: how each window was pooled.

    Returns:
        float32 [N, D], each row of unit length.
    """
    if pooling == "max":
        joined = np.full((n_texts, vectors.shape[1]), -np.inf, np.float32)  # [N, D]
        np.maximum.at(joined, owners, vectors)
    else:
        joined = np.zeros((n_texts, vectors.shape[1]), np.float32)  # [N, D]
        np.add.at(joined, owners, vectors * np.array(n_tokens, np.float32)[:, np.newaxis])
    return to_unit_length(joined)  # the division by the number of tokens is in the unit length


def to_unit_length(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Scale each row to Euclidean length 1.

    Args:
        rows: float [N, D].

    Returns:
        float32 [N, D]; a row of zeros has no direction and stays zero.
    """
    wide = np.asarray(rows, dtype=np.float64)  # [N, D]
    length = np.linalg.norm(wide, axis=1, keepdims=True)  # [N, 1]
    return np.divide(wide, length, out=np.zeros_like(wide), where=length > 0).astype(np.float32)
