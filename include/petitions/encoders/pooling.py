"""Hidden states of tokens in, one vector a text out."""

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
