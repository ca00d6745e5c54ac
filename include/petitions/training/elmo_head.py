"""The head over an ELMo: pooled layers in, their mix and a small network out, stopped by a later month.

Shapes: N texts, K layers, D dimensions, H hidden, L labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.head import mix_layers
from petitions.training.judge import Logits, Truth, find_refined_loss

N_HIDDEN = 32
N_ROUNDS, PATIENCE = 200, 20
BATCH, RATE, DECAY, DROPOUT = 64, 2e-3, 1e-2, 0.3

Floats = npt.NDArray[np.float32]


@dataclass(slots=True, kw_only=True)
class FittedElmo:
    """What was fitted: tensors by the names that `encoders.head` reads, and the rounds that it took."""

    tensors: dict[str, Floats]
    bias: Floats  # [L]
    n_rounds: int
    curve: list[Mapping[str, float]] = field(default_factory=list)

    def classify(self, layers: Floats) -> Logits:
        """Logits float [N, L] of layers [N, K, D]."""
        take = {name.removeprefix("elmo."): values for name, values in self.tensors.items()}
        scaled = (layers - take["mean"]) * take["scale"]
        return mix_layers(scaled, take["mix"], take["hidden"], take["hidden_bias"]) @ take["kernel"] + self.bias


def fit_elmo_head(
    train: tuple[Floats, Truth], stop: tuple[Floats, Truth] | None, n_labels: int, seed: int, n_rounds: int = N_ROUNDS
) -> FittedElmo:
    """Fit mix and network on layers float32 [N, K, D] and labels [N].

    Args:
        train: to train on.
        stop: the round that is best on these is kept, and `PATIENCE` rounds without a better one end it; None: all
            `n_rounds` are gone through and the last is kept.
        n_labels: L.
        seed: of the first weights, the batches and what is dropped out.
        n_rounds: at most.
    """
    layers, truth = train
    mean, scale = layers.mean(axis=0), 1 / (layers.std(axis=0) + 1e-6)  # [K, D]
    scaled = ((layers - mean) * scale).astype(np.float32)
    network = _Network(layers.shape[1], layers.shape[2], n_labels, seed)

    def read(n_rounds: int) -> FittedElmo:
        tensors = {"elmo.mean": mean, "elmo.scale": scale, **network.read()}
        return FittedElmo(tensors=tensors, bias=network.bias.numpy(), n_rounds=n_rounds)

    best, kept, curve = np.inf, None, list[Mapping[str, float]]()
    chance = np.random.default_rng(seed)
    for number in range(1, n_rounds + 1):
        loss = network.train_round(scaled, truth, chance.permutation(len(scaled)))
        if stop is None:
            continue
        found = find_refined_loss(read(number).classify(stop[0]), stop[1])
        curve.append({"steps": float(number), "loss": loss, "measured": found})
        if found < best:
            best, kept = found, read(number)
        if kept is not None and number - kept.n_rounds >= PATIENCE:
            break
    result = kept or read(n_rounds)
    result.curve = curve
    return result


class _Network:
    """The weights while they are trained."""

    def __init__(self, n_layers: int, width: int, n_labels: int, seed: int) -> None:
        random = tf.random.Generator.from_seed(seed)
        self._random = random
        self.mix = tf.Variable(tf.zeros([n_layers]))
        self.hidden = tf.Variable(random.normal([width, N_HIDDEN], stddev=width**-0.5))
        self.hidden_bias = tf.Variable(tf.zeros([N_HIDDEN]))
        self.kernel = tf.Variable(random.normal([N_HIDDEN, n_labels], stddev=N_HIDDEN**-0.5))
        self.bias = tf.Variable(tf.zeros([n_labels]))
        self._all = [self.mix, self.hidden, self.hidden_bias, self.kernel, self.bias]
        self._optimizer = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
        self._step = tf.function(self._update, reduce_retracing=True)

    def read(self) -> dict[str, Floats]:
        named = {"mix": self.mix, "hidden": self.hidden, "hidden_bias": self.hidden_bias, "kernel": self.kernel}
        return {f"elmo.{name}": variable.numpy() for name, variable in named.items()}

    def train_round(self, layers: Floats, truth: Truth, order: npt.NDArray[np.int64]) -> float:
        losses = []
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            losses.append(float(self._step(tf.constant(layers[rows]), tf.constant(truth[rows]))))
        return float(np.mean(losses))

    def _update(self, layers: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            mixed = tf.einsum("k,nkd->nd", tf.nn.softmax(self.mix), self._drop(layers))  # [N, D]
            hidden = self._drop(tf.tanh(mixed @ self.hidden + self.hidden_bias))  # [N, H]
            logits = hidden @ self.kernel + self.bias  # [N, L]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(truth, logits))
        self._optimizer.apply_gradients(zip(tape.gradient(loss, self._all), self._all, strict=True))
        return loss

    def _drop(self, values: tf.Tensor) -> tf.Tensor:
        kept = self._random.uniform(tf.shape(values)) >= DROPOUT
        return tf.where(kept, values / (1 - DROPOUT), 0.0)
