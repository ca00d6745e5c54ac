"""Hidden states of tokens in, one vector a text out."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def mean_pool(hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Average the hidden states of the tokens that are not padding.

    Args:
        hidden: float32 [B, T, D], batch by tokens by dimensions.
        mask: int32 [B, T], 1 for a token and 0 for padding.

    Returns:
        float32 [B, D]; a row of padding alone is all zeros.
    """
    weight = tf.cast(mask, hidden.dtype)[:, :, tf.newaxis]  # [B, T, 1]
    total = tf.reduce_sum(hidden * weight, axis=1)  # [B, D]
    count = tf.reduce_sum(weight, axis=1)  # [B, 1]
    return total / tf.maximum(count, 1.0)


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
