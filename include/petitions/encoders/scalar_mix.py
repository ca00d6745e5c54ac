"""States of several layers in, one state a token out (Peters et al. 2018, equation 1)."""

import keras
import tensorflow as tf


class ScalarMix(keras.layers.Layer):
    """A weighted mean of the layers, the weights behind a softmax, times gamma; untrained it is the plain mean."""

    def __init__(self, n_layers: int) -> None:
        super().__init__()
        self.scores = self.add_weight(name="weights", shape=(n_layers,), initializer="zeros")
        self.gamma = self.add_weight(name="gamma", shape=(1,), initializer="ones")

    def call(self, layers: tf.Tensor) -> tf.Tensor:
        """Mix float32 [B, L, T, D] to float32 [B, T, D]."""
        shares = tf.nn.softmax(tf.convert_to_tensor(self.scores))  # [L]
        return self.gamma * tf.einsum("l,bltd->btd", shares, layers)

    def weights_by_name(self) -> dict[str, keras.Variable]:
        """The weights under the names that they have in our files."""
        return {"scalar_mix/weights": self.scores, "scalar_mix/gamma": self.gamma}
