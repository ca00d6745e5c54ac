"""Hidden states of tokens in, one vector a text out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.reading import Pooling


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


def pool(hidden: tf.Tensor, mask: tf.Tensor, pooling: Pooling) -> tf.Tensor:
    """Make one vector of the hidden states of a row: their mean, their maximum, or the state of the first token.

    Args:
        hidden: float32 [B, T, D].
        mask: int32 [B, T], 1 for a token and 0 for padding.
        pooling: which of them.

    Returns:
        float32 [B, D].
    """
    if pooling == "cls":
        return hidden[:, 0]  # [B, D]
    if pooling == "max":
        is_token = tf.cast(mask, tf.bool)[:, :, tf.newaxis]  # [B, T, 1]
        return tf.reduce_max(tf.where(is_token, hidden, hidden.dtype.min), axis=1)  # [B, D]
    return mean_pool(hidden, mask)


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
