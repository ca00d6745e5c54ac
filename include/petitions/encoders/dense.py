"""A dense layer whose matrix product can be computed in bfloat16, with float32 weights, inputs and outputs.

Processors with AVX512-BF16 or AMX, and accelerators, multiply bfloat16 at twice the speed of float32 and more. Sums
are still taken in float32; layer norm, softmax and residuals stay what they were. The default is float32.
"""

from collections.abc import Iterable

import keras
import tensorflow as tf


class Dense(keras.layers.Dense):
    """`keras.layers.Dense` with one more choice: the type that its product is computed in."""

    product_dtype = tf.float32

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Map float32 [..., D] to float32 [..., units]."""
        if self.product_dtype == tf.float32:
            return super().call(inputs)
        shape = tf.concat([tf.shape(inputs)[:-1], [self.units]], 0)
        rows = tf.reshape(inputs, [-1, self.kernel.shape[0]])  # [R, D]
        return tf.reshape(multiply(rows, self.kernel, self.product_dtype), shape) + self.bias


def multiply(left: tf.Tensor, right: tf.Tensor, dtype: tf.DType, *, transpose_b: bool = False) -> tf.Tensor:
    """The product of two float32 matrices, computed in `dtype`, as float32."""
    product = tf.matmul(tf.cast(left, dtype), tf.cast(right, dtype), transpose_b=transpose_b)
    return tf.cast(product, tf.float32)


def set_product_dtype(layers: Iterable[keras.layers.Layer], dtype: tf.DType) -> None:
    """Choose the type of the large products of all of `layers`; functions compiled before keep their own."""
    for layer in layers:
        for part in layer._flatten_layers():
            if hasattr(part, "product_dtype"):
                part.product_dtype = dtype
