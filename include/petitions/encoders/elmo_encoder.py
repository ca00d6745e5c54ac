"""Token lists in, one unit vector each out: a pre-trained ELMo, its tokens weighed and its layers mixed (`sif.py`)."""

from collections.abc import Callable, Iterator, Sequence
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
from petitions.encoders.sif import SifPooling, plain_pooling, read_pooling

LONGEST_WINDOW = 256  # tokens read at once, the two marks counted in
N_MARKS = 2  # the first tokens of an index are the marks of a sentence
# Each shape is compiled once: four lengths of windows and three widths of tokens are seven programs.
BATCH_TOKENS = 4096
BESIDE_WORD = 14  # tokens read on each side of one that is asked for: with it and the marks a batch of 32
SPELLED_ROWS = 256  # distinct tokens whose characters are read at once
SPELLED_WIDTHS = (16, 24)  # characters, beside the full width

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class ElmoEncoder:
    """Holds the network and the strategy that it runs under; `load_elmo` makes one. Nothing is kept between calls."""

    def __init__(self, name: str, network: ElmoNetwork, pooling: SifPooling, strategy: tf.distribute.Strategy) -> None:
        self.name = name
        self.dimensions = pooling.projection.shape[1]
        self._network, self._pooling, self._strategy = network, pooling, strategy
        self._compiled_characters = self._compile(network.characters.call)
        self._compiled_sum = self._compile(self._sum_layers)
        self._compiled_pick = self._compile(self._pick)

    def embed(self, sentences: Sequence[Sequence[str]]) -> Floats:
        """Embed token lists by the weighted sum of their tokens' states, the marks of the sentence left out.

        A vector does not depend on its neighbours. A list with more tokens than a window holds is read in windows of
        even length, each between marks of its own, and the sum is over the tokens of all of them: nothing is cut off.

        Args:
            sentences: N lists of tokens, as the network was trained on.

        Returns:
            float32 [N, D], each row of unit length, in the order of `sentences`; an empty list gives a row of zeros,
            which is near nothing.
        """
        return self._pooling.project(self.sum_layers(sentences, lambda tokens: self._pooling.weigh(tokens)[:, None])[0])

    def sum_layers(self, sentences: Sequence[Sequence[str]], weigh: Callable[[Sequence[Token]], Floats]) -> Floats:
        """Sum the states of each layer over the tokens of each list.

        Args:
            sentences: N lists of tokens.
            weigh: gives A weights, float32 [K, A], to each of K distinct tokens.

        Returns:
            float32 [A, N, L + 1, D].
        """
        index: dict[Token, int] = {BOS: 0, EOS: 1}
        windows: list[Ints] = []
        owners: list[int] = []
        for owner, sentence in enumerate(sentences):
            numbers = np.array([index.setdefault(token, len(index)) for token in sentence], np.int32)
            parts = np.array_split(numbers, -(-len(numbers) // (LONGEST_WINDOW - 2))) if len(numbers) else []
            windows += [np.concatenate([[0], part, [1]], dtype=np.int32) for part in parts]
            owners += [owner] * len(parts)
        weights = weigh(list(index))  # [K, A]
        weights[:N_MARKS] = 0.0
        options = self._network.options
        sums = np.zeros((len(sentences), weights.shape[1], options.n_layers + 1, options.dimensions), np.float32)
        for batch, summed in self._sum_windows(self._encode_tokens(list(index)), weights, windows):
            np.add.at(sums, [owners[window] for window in batch], summed)
        return sums.swapaxes(0, 1)

    def embed_words(self, sentences: Sequence[Sequence[str]], places: Sequence[int]) -> Floats:
        """The states of one token of each list in the first layer of LSTMs, where its use in the sentence shows most.

        Args:
            sentences: N lists of tokens; of a long one what stands nearest to the token is read.
            places: N numbers, which token of each.

        Returns:
            float32 [N, D], of no certain length.
        """
        index: dict[Token, int] = {BOS: 0, EOS: 1}
        windows: list[list[int]] = []
        chosen: list[int] = []
        for sentence, place in zip(sentences, places, strict=True):
            first = max(0, place - BESIDE_WORD)
            near = sentence[first : place + BESIDE_WORD + 1]
            windows.append([0, *(index.setdefault(token, len(index)) for token in near), 1])
            chosen.append(place - first + 1)
        vectors = self._encode_tokens(list(index))
        states = np.zeros((len(windows), self._network.options.dimensions), np.float32)  # [N, D]
        lengths = [len(window) for window in windows]
        for batch in plan_batches(lengths, LONGEST_WINDOW, BATCH_TOKENS, self._strategy.num_replicas_in_sync):
            tokens = np.zeros((batch.n_rows, batch.length, vectors.shape[1]), np.float32)  # [B, T, P]
            n_tokens, at = np.zeros((2, batch.n_rows), np.int32)  # [B] each, 0 for a row of filler
            for row, number in enumerate(batch.indices):
                tokens[row, : lengths[number]] = vectors[windows[number]]
                n_tokens[row], at[row] = lengths[number], chosen[number]
            picked = self._run(self._compiled_pick, tokens, n_tokens, at)[: len(batch.indices)]
            require_finite(picked, f"what {self.name} computes")
            states[batch.indices] = picked
        return states

    def _pick(self, tokens: tf.Tensor, lengths: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        layers, _ = self._network(tokens, lengths)  # [B, L + 1, T, D]
        return tf.gather(layers[:, 1], places, batch_dims=1)  # [B, D]

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

    def _sum_windows(
        self, vectors: Floats, weights: Floats, windows: Sequence[Ints]
    ) -> Iterator[tuple[Sequence[int], Floats]]:
        """Weighted sums float32 [b, A, L + 1, D] of batches of windows of token numbers, with the numbers of these."""
        lengths = [len(window) for window in windows]
        replicas = self._strategy.num_replicas_in_sync
        for batch in plan_batches(lengths, LONGEST_WINDOW, BATCH_TOKENS, replicas, is_filled=True):
            tokens = np.zeros((batch.n_rows, batch.length, vectors.shape[1]), np.float32)  # [B, T, P]
            weight = np.zeros((batch.n_rows, batch.length, weights.shape[1]), np.float32)  # [B, T, A], 0 for padding
            n_tokens = np.zeros(batch.n_rows, np.int32)  # [B], 0 for a row of filler
            for row, window in enumerate(windows[index] for index in batch.indices):
                tokens[row, : len(window)] = vectors[window]
                weight[row, : len(window)] = weights[window]
                n_tokens[row] = len(window)
            summed = self._run(self._compiled_sum, tokens, weight, n_tokens)[: len(batch.indices)]
            require_finite(summed, f"what {self.name} computes")
            yield batch.indices, summed

    def _sum_layers(self, tokens: tf.Tensor, weights: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        layers, _ = self._network(tokens, lengths)  # [B, L + 1, T, D]
        return tf.einsum("bta,bltd->bald", weights, layers)  # [B, A, L + 1, D]

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
    sizes = options.n_layers + 1, options.dimensions
    weights = read_weights(path)
    pooling = read_pooling(folder, *sizes) or plain_pooling(*sizes, weights.get("scalar_mix/weights"))
    strategy = pick_strategy(accelerator)
    with strategy.scope():
        network = ElmoNetwork(options)
        assign_weights(network.weights_by_name(), weights)
    return ElmoEncoder(name_elmo(model), network, pooling, strategy)
