"""Token lists in, one unit vector each out: a pre-trained ELMo, its tokens weighed and its layers mixed (`sif.py`)."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from petitions.encoders.accelerator import runs_on_cpu
from petitions.encoders.batching import plan_batches
from petitions.encoders.characters import BOS, EOS, Token, count_bytes, to_character_ids, trim_padding
from petitions.encoders.elmo_checkpoint import Weights, read_weights
from petitions.encoders.elmo_options import ElmoOptions, read_options
from petitions.encoders.names import OPTIONS_FILE, find_weights, name_elmo, require_finite
from petitions.encoders.quiet_start import quiet_start
from petitions.encoders.sif import SifPooling, plain_pooling, read_pooling

LONGEST_WINDOW = 256  # tokens read at once, the two marks counted in
N_MARKS = 2  # the first tokens of an index are the marks of a sentence
BESIDE_WORD = 14  # tokens read on each side of one that is asked for: with it and the marks a batch of 32
MANY_TOKENS = 100_000  # of one call: from here on TensorFlow's import and programs, 7 CPU s, are made up for
SPELLED_ROWS = 256  # distinct tokens whose characters are read at once

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class ElmoEngine(Protocol):
    """A network ready to compute; its batches have a number of rows that its replicas share evenly."""

    told: str  # its name in plain words, for `petitions doctor`
    is_filled: bool  # whether each batch has all the rows of its length, so that there is one shape a length
    widths: tuple[int, ...]  # of spellings, beside the full one
    batch_tokens: int  # of a batch, about
    n_replicas: int

    def encode_characters(self, ids: Ints) -> Floats:
        """Vectors float32 [N, P] of tokens by their characters, int32 [N, C]."""

    def sum_layers(self, tokens: Floats, weights: Floats, lengths: Ints) -> Floats:
        """Sums float32 [B, A, L + 1, D] over tokens, float32 [B, T, P] of which int32 [B] count, each weighed A ways.

        Args:
            tokens: vectors of tokens, padded right.
            weights: float32 [B, T, A], 0 for padding.
            lengths: of the rows, 0 for filler.
        """

    def pick(self, tokens: Floats, lengths: Ints, places: Ints) -> Floats:
        """States float32 [B, D] in the first layer of LSTMs of one token of each row."""


class ElmoEncoder:
    """Holds the engine that computes the network; `load_elmo` makes one. Nothing is kept between calls."""

    def __init__(
        self,
        name: str,
        options: ElmoOptions,
        pooling: SifPooling,
        engine: ElmoEngine,
        load_for_many: Callable[[], ElmoEngine] | None = None,
    ) -> None:
        """Take what `load_elmo` has read; `load_for_many` makes the engine that takes over from MANY_TOKENS on."""
        self.name = name
        self.dimensions = pooling.projection.shape[1]
        self._options, self._pooling, self._engine = options, pooling, engine
        self._load_for_many = load_for_many

    @property
    def options(self) -> ElmoOptions:
        """The sizes of the network."""
        return self._options

    @property
    def engine(self) -> str:
        """What computes it, in plain words."""
        return self._engine.told

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
        self._choose_engine(windows)
        weights = weigh(list(index))  # [K, A]
        weights[:N_MARKS] = 0.0
        options = self._options
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
        self._choose_engine(windows)
        vectors = self._encode_tokens(list(index))
        states = np.zeros((len(windows), self._options.dimensions), np.float32)  # [N, D]
        lengths = [len(window) for window in windows]
        for batch in plan_batches(lengths, LONGEST_WINDOW, self._engine.batch_tokens, self._engine.n_replicas):
            tokens = np.zeros((batch.n_rows, batch.length, vectors.shape[1]), np.float32)  # [B, T, P]
            n_tokens, at = np.zeros((2, batch.n_rows), np.int32)  # [B] each, 0 for a row of filler
            for row, number in enumerate(batch.indices):
                tokens[row, : lengths[number]] = vectors[windows[number]]
                n_tokens[row], at[row] = lengths[number], chosen[number]
            picked = self._engine.pick(tokens, n_tokens, at)[: len(batch.indices)]
            require_finite(picked, f"what {self.name} computes")
            states[batch.indices] = picked
        return states

    def _choose_engine(self, windows: Sequence[Sequence[int] | Ints]) -> None:
        if self._load_for_many and sum(map(len, windows)) > MANY_TOKENS:
            self._engine, self._load_for_many = self._load_for_many(), None

    def _encode_tokens(self, tokens: Sequence[Token]) -> Floats:
        """Vectors float32 [K, P] of distinct tokens, the short ones together: text repeats its tokens all the time."""
        options = self._options
        widest = max(width for width, _ in options.filters)
        spelled = to_character_ids(tokens, options.max_characters)  # [K, C]
        order = np.argsort([count_bytes(token) for token in tokens], kind="stable")
        vectors = np.empty((len(tokens), options.projection_dim), np.float32)  # [K, P]
        n_rows = SPELLED_ROWS * self._engine.n_replicas
        for start in range(0, len(order), n_rows):
            rows = order[start : start + n_rows]
            filled = np.resize(rows, n_rows) if self._engine.is_filled else rows
            batch = trim_padding(spelled[filled], widest, self._engine.widths)  # [n_rows, C']
            vectors[rows] = self._engine.encode_characters(batch)[: len(rows)]
        return vectors

    def _sum_windows(
        self, vectors: Floats, weights: Floats, windows: Sequence[Ints]
    ) -> Iterator[tuple[Sequence[int], Floats]]:
        """Weighted sums float32 [b, A, L + 1, D] of batches of windows of token numbers, with the numbers of these."""
        lengths = [len(window) for window in windows]
        engine = self._engine
        for batch in plan_batches(
            lengths, LONGEST_WINDOW, engine.batch_tokens, engine.n_replicas, is_filled=engine.is_filled
        ):
            n_rows = batch.n_rows if engine.is_filled else len(batch.indices)
            tokens = np.zeros((n_rows, batch.length, vectors.shape[1]), np.float32)  # [B, T, P]
            weight = np.zeros((n_rows, batch.length, weights.shape[1]), np.float32)  # [B, T, A], 0 for padding
            n_tokens = np.zeros(n_rows, np.int32)  # [B], 0 for a row of filler
            for row, window in enumerate(windows[index] for index in batch.indices):
                tokens[row, : len(window)] = vectors[window]
                weight[row, : len(window)] = weights[window]
                n_tokens[row] = len(window)
            summed = engine.sum_layers(tokens, weight, n_tokens)[: len(batch.indices)]
            require_finite(summed, f"what {self.name} computes")
            yield batch.indices, summed


def load_elmo(model: str, accelerator: str = "auto", *, cpu_engine: str = "auto") -> ElmoEncoder:
    """Load a model's folder: options.json beside model.safetensors (our format) or one *.hdf5 (bilm-tf).

    Args:
        model: the folder.
        accelerator: as `pick_strategy` takes it.
        cpu_engine: "tensorflow"; all else is NumPy where the accelerator means the CPU, and TensorFlow once there is
            much to do.

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
    load = partial(_load_tensorflow, options, weights, accelerator)
    if cpu_engine == "tensorflow" or not runs_on_cpu(accelerator):
        return ElmoEncoder(name_elmo(model), options, pooling, load())
    return ElmoEncoder(name_elmo(model), options, pooling, _load_numpy(options, weights), load)


# Each engine is imported where it is made: the other one's import is not paid for.
def _load_numpy(options: ElmoOptions, weights: Weights) -> ElmoEngine:
    from petitions.encoders.elmo_numpy import NumpyElmo

    return NumpyElmo(options, weights)


def _load_tensorflow(options: ElmoOptions, weights: Weights, accelerator: str) -> ElmoEngine:
    with quiet_start():
        from petitions.encoders.elmo_tensorflow import TensorFlowElmo

    return TensorFlowElmo(options, weights, accelerator)
