"""The engine of ELMo on CPUs: NumPy alone, which has nothing to import for seconds and nothing to compile.

A night brings a few dozen texts: TensorFlow's import and seven compiled programs cost more than reading them. The
equations are those of `elmo.py`, in its letters; the vectors are the same within 1e-5.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import threadpool_limits

from petitions.cpus import count_cpus
from petitions.encoders.elmo_options import ElmoOptions
from petitions.encoders.elmo_shapes import DIRECTIONS, require_weights

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class NumpyElmo:
    """Holds the weights, those of the gates turned so that one tanh serves all four of them."""

    is_filled = False  # nothing is compiled, so a batch has the rows that it has
    n_replicas = 1
    batch_tokens = 32_768  # a step of the loop is one product over all rows: few rows would be slow
    told = "NumPy"

    def __init__(self, options: ElmoOptions, weights: Mapping[str, Floats]) -> None:
        """Take the weights of a network.

        Raises:
            WeightsError: a weight is missing, of another shape, or not finite.
        """
        require_weights(options, weights)
        self.options = options
        self.widths = tuple(range(1, options.max_characters))  # of spellings: any is as good
        self._weights = weights
        self._table = np.pad(weights["char_embed"], [[1, 0], [0, 0]])  # [262, E]
        layers = range(options.n_layers)
        self._stacks = [[_Lstm(options, weights, f"{name}/{i}") for i in layers] for name in DIRECTIONS]

    def encode_characters(self, ids: Ints) -> Floats:
        """Vectors [N, P] of tokens by their characters [N, C]; see `CharacterCnn`.

        On one thread: for a few thousand tokens BLAS's other ones wait for work, at the processor's cost.
        """
        with threadpool_limits(1):
            return self._encode_characters(ids)

    def _encode_characters(self, ids: Ints) -> Floats:
        weights, options = self._weights, self.options
        characters = self._table[ids].reshape(len(ids), -1)  # [N, C * E]
        pooled = []
        for i, (width, n) in enumerate(options.filters):
            windows = sliding_window_view(characters, width * options.character_dim, axis=1)
            windows = np.ascontiguousarray(windows[:, :: options.character_dim])  # BLAS takes no rows that overlap
            seen = windows @ weights[f"CNN/W_cnn_{i}"].reshape(-1, n)  # [N, C - w + 1, n]
            best = seen.max(axis=1) + weights[f"CNN/b_cnn_{i}"]  # [N, n]
            pooled.append(np.tanh(best) if options.activation == "tanh" else np.maximum(best, 0))
        token = np.concatenate(pooled, axis=1)  # [N, F]
        for i in range(options.n_highway):
            name = f"CNN_high_{i}"
            carry = _sigmoid(token @ weights[f"{name}/W_carry"] + weights[f"{name}/b_carry"])  # [N, F]
            changed = np.maximum(token @ weights[f"{name}/W_transform"] + weights[f"{name}/b_transform"], 0)
            token = carry * changed + (1 - carry) * token  # [N, F]
        vectors: Floats = token @ weights["CNN_proj/W_proj"] + weights["CNN_proj/b_proj"]  # [N, P]
        return vectors

    def sum_layers(self, tokens: Floats, weights: Floats, lengths: Ints) -> Floats:
        """Weighted sums [B, A, L + 1, D] of the states of tokens [B, T, P] by weights [B, T, A]."""
        layers = self._read(tokens, lengths)
        turned = weights.transpose(0, 2, 1)  # [B, A, T]
        return np.stack([np.concatenate([turned @ half for half in pair], axis=-1) for pair in layers], axis=2)

    def pick(self, tokens: Floats, lengths: Ints, places: Ints) -> Floats:
        """States [B, D] of one token of each row in the first layer of LSTMs."""
        rows = np.arange(len(places))
        return np.concatenate([half[rows, places] for half in self._read(tokens, lengths)[1]], axis=-1)

    def _read(self, tokens: Floats, lengths: Ints) -> list[tuple[Floats, Floats]]:
        """The states of the layers, L + 1 of [B, T, P] forward and backward; zeros behind the end of a row."""
        steps = np.arange(tokens.shape[1])
        ends = lengths[:, None]  # [B, 1]
        backward = np.where(steps < ends, ends - 1 - steps, steps)[:, :, None]  # [B, T, 1]
        order = np.argsort(-lengths, kind="stable")  # longest first: the rows that a step reads are the first ones

        def run(direction: int) -> list[Floats]:
            read = np.take_along_axis(tokens, backward, axis=1) if direction else tokens
            layers = [read]
            for i, lstm in enumerate(self._stacks[direction]):
                output = lstm.run(layers[-1], lengths, order)  # [B, T, P]
                layers.append(output + layers[-1] if i and self.options.use_skip_connections else output)
            return [np.take_along_axis(layer, backward, axis=1) for layer in layers] if direction else layers

        with threadpool_limits(1), ThreadPoolExecutor(min(count_cpus(), len(DIRECTIONS))) as pool:
            forward, reverse = pool.map(run, range(len(DIRECTIONS)))  # a thread each: their products are small
        return list(zip(forward, reverse, strict=True))


class _Lstm:
    """One LSTM in one direction; see `ProjectedLstm`."""

    def __init__(self, options: ElmoOptions, weights: Mapping[str, Floats], place: str) -> None:
        direction, layer = place.split("/")
        prefix = f"{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
        cells, rows = options.lstm_dim, options.projection_dim
        kernel, bias = weights[f"{prefix}/W_0"].copy(), weights[f"{prefix}/B"].copy()
        bias[2 * cells : 3 * cells] += 1.0  # of the forget gate
        # sigmoid(x) is (1 + tanh(x / 2)) / 2: halved, the gates need the tanh that the candidate needs.
        gates = np.r_[:cells, 2 * cells : 4 * cells]
        kernel[:, gates] *= 0.5
        bias[gates] *= 0.5
        self._input, self._kernel, self._bias = kernel[:rows].copy(), kernel[rows:].copy(), bias
        self._projection = weights[f"{prefix}/W_P_0"]
        self._cells, self._clips = cells, (options.cell_clip, options.proj_clip)

    def run(self, inputs: Floats, lengths: Ints, order: npt.NDArray[np.int64]) -> Floats:
        """Run over time, [B, T, P] to [B, T, P]; `order` has the longest rows first."""
        n_rows, n_steps, width = inputs.shape
        by_step = np.ascontiguousarray(inputs[order].transpose(1, 0, 2))  # [T, B, P]
        n_active = np.searchsorted(-lengths[order], -np.arange(n_steps), side="left")  # [T], rows longer than t
        outputs = np.zeros((n_steps, n_rows, width), np.float32)  # [T, B, P]
        cell, output = np.zeros((n_rows, self._cells), np.float32), np.zeros((n_rows, width), np.float32)
        for t, n in enumerate(n_active.tolist()):
            if n == 0:
                break
            gates = by_step[t, :n] @ self._input  # [n, 4H]
            gates += output[:n] @ self._kernel
            gates += self._bias
            np.tanh(gates, out=gates)
            candidate = gates[:, self._cells : 2 * self._cells]
            opened: Floats = 0.5 * gates + np.float32(0.5)  # the column of the candidate is not read
            kept: Floats = opened[:, 2 * self._cells : 3 * self._cells] * cell[:n]
            kept += opened[:, : self._cells] * candidate
            cell = _clip(kept, self._clips[0])  # [n, H]
            hidden = opened[:, 3 * self._cells :] * np.tanh(cell)
            output = _clip(hidden @ self._projection, self._clips[1])  # [n, P]
            outputs[t, :n] = output
        unsorted = np.empty((n_rows, n_steps, width), np.float32)
        unsorted[order] = outputs.transpose(1, 0, 2)
        return unsorted


def _sigmoid(values: Floats) -> Floats:
    found: Floats = 0.5 * np.tanh(0.5 * values) + np.float32(0.5)
    return found


def _clip(values: Floats, limit: float | None) -> Floats:
    return values if limit is None else np.clip(values, -limit, limit)
