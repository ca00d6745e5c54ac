"""The engine of ELMo on accelerators: TensorFlow, each shape compiled once."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.device import pick_strategy
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import assign_weights
from petitions.encoders.elmo_options import ElmoOptions

# Each shape is compiled once: four lengths of windows and three widths of tokens are seven programs.
BATCH_TOKENS = 4096
SPELLED_WIDTHS = (16, 24)  # characters, beside the full width

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class TensorFlowElmo:
    """Holds the network and the strategy that it runs under."""

    is_filled = True
    widths: tuple[int, ...] = SPELLED_WIDTHS
    told = "TensorFlow"

    def __init__(self, options: ElmoOptions, weights: Mapping[str, Floats], accelerator: str) -> None:
        """Make the network and give it its weights.

        Raises:
            WeightsError: a weight is missing, of another shape, or not finite.
            ConfigError: the accelerator is missing.
        """
        self.batch_tokens = BATCH_TOKENS
        self._strategy = pick_strategy(accelerator)
        self.n_replicas = int(self._strategy.num_replicas_in_sync)
        with self._strategy.scope():
            self._network = ElmoNetwork(options)
            assign_weights(self._network.weights_by_name(), weights)
        self._compiled_characters = self._compile(self._network.characters.call)
        self._compiled_sum = self._compile(self._sum_layers)
        self._compiled_pick = self._compile(self._pick)

    def encode_characters(self, ids: Ints) -> Floats:
        """Vectors [N, P] of tokens by their characters [N, C]."""
        return self._run(self._compiled_characters, ids)

    def sum_layers(self, tokens: Floats, weights: Floats, lengths: Ints) -> Floats:
        """Weighted sums [B, A, L + 1, D] of the states of tokens [B, T, P] by weights [B, T, A]."""
        return self._run(self._compiled_sum, tokens, weights, lengths)

    def pick(self, tokens: Floats, lengths: Ints, places: Ints) -> Floats:
        """States [B, D] of one token of each row in the first layer of LSTMs."""
        return self._run(self._compiled_pick, tokens, lengths, places)

    def _pick(self, tokens: tf.Tensor, lengths: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        layers, _ = self._network(tokens, lengths)  # [B, L + 1, T, D]
        return tf.gather(layers[:, 1], places, batch_dims=1)  # [B, D]

    def _sum_layers(self, tokens: tf.Tensor, weights: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        layers, _ = self._network(tokens, lengths)  # [B, L + 1, T, D]
        return tf.einsum("bta,bltd->bald", weights, layers)  # [B, A, L + 1, D]

    def _compile(self, function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        # A compiled function holds the variables of the replica that it was traced for, so it serves just one. A TPU
        # compiles whatever runs on it; several GPUs go without.
        if self.n_replicas == 1:
            function = tf.function(function, jit_compile=True)
        return tf.function(lambda *inputs: self._strategy.run(function, args=inputs))

    def _run(self, function: Callable[..., tf.Tensor], *inputs: npt.NDArray[np.generic]) -> Floats:
        """Split the rows over the replicas, run them, and join the answers."""
        split = [np.split(array, self.n_replicas) for array in inputs]
        outputs = function(*[self._distribute(parts) for parts in split])
        found: Floats = self._strategy.gather(outputs, axis=0).numpy()
        return found

    def _distribute(self, parts: list[npt.NDArray[np.generic]]) -> tf.Tensor:
        """One part a replica."""
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )
