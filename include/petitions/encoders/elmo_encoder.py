"""Token lists in, one unit vector each out: a pre-trained ELMo, its layers mixed, its tokens averaged."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.batching import plan_batches
from petitions.encoders.characters import BOS, EOS, Token, count_bytes, to_character_ids, trim_padding
from petitions.encoders.device import pick_strategy
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import assign_weights, read_weights
from petitions.encoders.elmo_options import read_options
from petitions.encoders.names import OPTIONS_FILE, find_weights, name_elmo, require_finite
from petitions.encoders.pooling import mean_pool
from petitions.encoders.scalar_mix import ScalarMix
from petitions.encoders.windows import to_unit_length

LONGEST_WINDOW = 256  # tokens read at once, the two marks counted in
BATCH_TOKENS = 8192
SPELLED_ROWS = 256  # distinct tokens whose characters are read at once
SPELLED_WIDTHS = (16, 24, 32)  # characters, beside the full width

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class ElmoEncoder:
    """Holds the network and the strategy that it runs under; `load_elmo` makes one. Nothing is kept between calls."""

    def __init__(self, name: str, network: ElmoNetwork, mix: ScalarMix, strategy: tf.distribute.Strategy) -> None:
        self.name = name
        self.dimensions = network.options.dimensions
        self._network, self._mix, self._strategy = network, mix, strategy
        self._compiled_characters = self._compile(network.characters.call)
        self._compiled_pool = self._compile(self._pool)

    def embed(self, sentences: Sequence[Sequence[str]]) -> Floats:
        """Embed token lists as the mean of their tokens' mixed states, the marks of the sentence left out.

        A vector does not depend on its neighbours. A list with more tokens than a window holds is read in windows of
        even length, each between marks of its own, and the mean is over the tokens of all of them: nothing is cut off.

        Args:
            sentences: N lists of tokens, as the network was trained on. An empty list has its two marks alone, and
                their mean stands for it.

        Returns:
            float32 [N, D], each row of unit length, in the order of `sentences`.
        """
        index: dict[Token, int] = {BOS: 0, EOS: 1}
        windows: list[Ints] = []
        owners: list[int] = []
        for owner, sentence in enumerate(sentences):
            numbers = np.array([index.setdefault(token, len(index)) for token in sentence], np.int32)
            parts = np.array_split(numbers, max(1, -(-len(numbers) // (LONGEST_WINDOW - 2))))
            windows += [np.concatenate([[0], part, [1]], dtype=np.int32) for part in parts]
            owners += [owner] * len(parts)
        means = self._pool_windows(self._encode_tokens(list(index)), windows)  # [W, D]
        n_tokens = np.array([max(1, len(window) - 2) for window in windows], np.float32)[:, np.newaxis]  # [W, 1]
        sums = np.zeros((len(sentences), self.dimensions), np.float32)  # [N, D]
        np.add.at(sums, owners, means * n_tokens)  # the division by the number of tokens is in the unit length
        return to_unit_length(sums)

    def _encode_tokens(self, tokens: Sequence[Token]) -> Floats:
        """Vectors float32 [K, P] of distinct tokens, the short ones together: text repeats its tokens all the time."""
        options = self._network.options
        widest = max(width for width, _ in options.filters)
        spelled = to_character_ids(tokens, options.max_characters)  # [K, C]
        order = np.argsort([count_bytes(token) for token in tokens], kind="stable")
        vectors = np.empty((len(tokens), options.projection_dim), np.float32)  # [K, P]
        n_rows = SPELLED_ROWS * self._strategy.num_replicas_in_sync
        for start in range(0, len(order), n_rows):
            rows = order[start : start + n_rows]
            filled = np.resize(rows, n_rows)
            batch = trim_padding(spelled[filled], widest, SPELLED_WIDTHS)  # [n_rows, C']
            vectors[rows] = self._run(self._compiled_characters, batch)[: len(rows)]
        return vectors

    def _pool_windows(self, vectors: Floats, windows: Sequence[Ints]) -> Floats:
        """Mean states float32 [W, D] of windows of token numbers, in their order."""
        means = np.zeros((len(windows), self.dimensions), np.float32)  # [W, D]
        lengths = [len(window) for window in windows]
        for batch in plan_batches(lengths, LONGEST_WINDOW, BATCH_TOKENS, self._strategy.num_replicas_in_sync):
            tokens = np.zeros((batch.n_rows, batch.length, vectors.shape[1]), np.float32)  # [B, T, P]
            n_tokens = np.zeros(batch.n_rows, np.int32)  # [B], 0 for a row of filler
            for row, window in enumerate(windows[index] for index in batch.indices):
                tokens[row, : len(window)] = vectors[window]
                n_tokens[row] = len(window)
            pooled = self._run(self._compiled_pool, tokens, n_tokens)[: len(batch.indices)]
            require_finite(pooled, f"what {self.name} computes")
            means[batch.indices] = pooled
        return means

    def _pool(self, tokens: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        layers, _ = self._network(tokens, lengths)  # [B, L + 1, T, D]
        positions = tf.range(tokens.shape[1])[tf.newaxis]  # [1, T]
        length = lengths[:, tf.newaxis]  # [B, 1]
        is_text = (positions > 0) & (positions < length - 1)  # [B, T]
        is_mark = (length == 2) & (positions < 2)  # [B, T], the marks of a sentence without text
        return mean_pool(self._mix(layers), tf.cast(is_text | is_mark, tf.int32))  # [B, D]

    def _compile(self, function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        # A compiled function holds the variables of the replica that it was traced for, so it serves just one. A TPU
        # compiles whatever runs on it; several GPUs go without.
        if self._strategy.num_replicas_in_sync == 1:
            function = tf.function(function, jit_compile=True)
        return tf.function(lambda *inputs: self._strategy.run(function, args=inputs))

    def _run(self, function: Callable[..., tf.Tensor], *inputs: npt.NDArray[np.generic]) -> Floats:
        """Split the rows over the replicas, run them, and join the answers."""
        split = [np.split(array, self._strategy.num_replicas_in_sync) for array in inputs]
        outputs = function(*[self._distribute(parts) for parts in split])
        return self._strategy.gather(outputs, axis=0).numpy()

    def _distribute(self, parts: Sequence[npt.NDArray[np.generic]]) -> tf.Tensor:
        """One part a replica."""
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )


def load_elmo(model: str, accelerator: str = "auto") -> ElmoEncoder:
    """Load a model's folder: options.json beside model.safetensors (our format) or one *.hdf5 (bilm-tf).

    Args:
        model: the folder.
        accelerator: as `pick_strategy` takes it.

    Raises:
        WeightsError: a file or a weight is missing, or a weight is not of the shape that options.json tells.
        ConfigError: the accelerator is missing.
    """
    folder = Path(model)
    path = find_weights(folder)
    options = read_options(folder / OPTIONS_FILE)
    weights = read_weights(path)
    strategy = pick_strategy(accelerator)
    with strategy.scope():
        network, mix = ElmoNetwork(options), ScalarMix(options.n_layers + 1)
        assign_weights(network.weights_by_name(), weights)
        if not mix.weights_by_name().keys().isdisjoint(weights):  # a fine-tuned model brings its own mix
            assign_weights(mix.weights_by_name(), weights)
    return ElmoEncoder(name_elmo(model), network, mix, strategy)
