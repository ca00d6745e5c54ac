"""The course of the stages: batches of several tasks in, trained weights out; it goes on after a kill where it was.

Each step takes one task, by the shares of the stage and random numbers that the seed, the stage and the step give. So
a run that is killed and started again has the same batches, and the same curve, as one that was not.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from petitions.encoders.bert import Bert
from petitions.encoders.dense import set_product_dtype
from petitions.encoders.device import multiplies_bfloat16, pick_strategy
from petitions.encoders.pooling import mean_pool
from petitions.errors import ConfigError
from petitions.training.draws import Arrays
from petitions.training.held_encoder import hold_encoder
from petitions.training.objectives import contrast, distill, rank, weigh
from petitions.training.stage_state import Progress, read_state, write_state
from petitions.training.student import Network

logger = logging.getLogger(__name__)

Loss = Callable[..., tf.Tensor]

LOG_STEPS = 25
BETA_1, BETA_2, EPSILON = 0.9, 0.98, 1e-6
INT, FLOAT = tf.int32, tf.float32
TEXT = (tf.TensorSpec([None, None], INT),) * 2  # ids and mask
SIGNATURES = {
    "distill": (*TEXT, tf.TensorSpec([None, None], FLOAT)),
    "joint": (
        *(tf.TensorSpec([None, None], INT),) * 5,
        tf.TensorSpec([None, None], FLOAT),
        tf.TensorSpec([None], INT),
        tf.TensorSpec([None], FLOAT),
    ),
    "match": (*TEXT, *TEXT),
    "contrast": (*TEXT, *(tf.TensorSpec([None, None], INT),) * 4, tf.TensorSpec([None, None], FLOAT)),
    "next": (*(tf.TensorSpec([None, None], INT),) * 3, tf.TensorSpec([None], INT)),
    "rank": (*TEXT, *TEXT, tf.TensorSpec([None], FLOAT)),
    "alike": (*TEXT, *TEXT),
    "label": (*TEXT, tf.TensorSpec([None], INT)),
    "fill": (*(tf.TensorSpec([None, None], INT),) * 5, tf.TensorSpec([None, None], FLOAT)),
    "hold": TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One part of the training."""

    name: str
    n_steps: int
    shares: dict[str, float] = field(hash=False)  # of the steps, by task
    rate: float  # of learning, at its highest
    n_rise: int = 0  # steps at the begin over which the rate rises to it
    is_last: bool = False  # the rate falls to 0 over the stage
    head_factor: float = 1.0  # of the rate of the masked-word head, which may begin from nothing

    def __post_init__(self) -> None:
        unknown = set(self.shares) - set(SIGNATURES)
        if unknown or not self.shares:
            raise ConfigError(f"tasks must be among {', '.join(SIGNATURES)}, got {', '.join(self.shares) or 'none'}")
        if self.n_steps < 1:
            raise ConfigError(f"n_steps must be at least 1, got {self.n_steps}")

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        risen = min(1.0, (step + 1) / self.n_rise) if self.n_rise else 1.0
        return self.rate * risen * ((1 - step / self.n_steps) if self.is_last else 1.0)


class Draws(Protocol):
    """What gives the batches: of each task a function of a step's random numbers."""

    n_targets: int  # dimensions of a teacher's vectors
    draws: dict[str, Callable[[np.random.Generator], Arrays]]


class StageTrainer:
    """Holds a network and the moments of Adam; `folder` keeps its state."""

    def __init__(self, network: Network, drawer: Draws, folder: Path, *, seed: int, accelerator: str) -> None:
        """Go on from the state in `folder`, where there is one; in bfloat16 where the device has its products."""
        self.network, self.drawer, self.folder, self.seed = network, drawer, folder, seed
        self.strategy = pick_strategy(accelerator)
        if self.strategy.num_replicas_in_sync > 1:
            raise ConfigError(f"training runs on 1 replica, {accelerator} has several")
        self.dtype = tf.bfloat16 if multiplies_bfloat16(self.strategy) else tf.float32
        set_product_dtype(network.layers, self.dtype)
        self.held: Bert | None = None  # in a stage that holds vectors to what they were
        self.variables = network.variables
        with self.strategy.scope():
            self.moments = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in (*self.variables, *self.variables)]
        fresh = Progress(stage="", step=0, n_updates=0, n_tokens=0, seconds=0.0)
        self.progress = read_state(folder, self.variables, self.moments) or fresh
        losses = {
            "distill": self._distill,
            "joint": self._joint,
            "contrast": self._contrast,
            "next": self._next,
            "rank": self._rank,
            "match": self._match,
            "alike": self._match,
            "label": self._label,
            "fill": self._masked,
            "hold": self._hold,
        }
        self.updates = {name: self._compile(loss, SIGNATURES[name]) for name, loss in losses.items()}

    def run(self, stage: Stage, checkpoint_s: float = 150.0) -> Progress:
        """Train a stage to its end; nothing is done where that is reached already."""
        first = self.progress.step if self.progress.stage == stage.name else 0
        if "hold" in stage.shares:
            with self.strategy.scope():
                self.held = hold_encoder(self.network.bert, self.folder, is_begin=not first, dtype=self.dtype)
        curve, losses = list(self.progress.curve), list[tuple[str, float]]()
        n_tokens, saved = self.progress.n_tokens, time.monotonic()
        began = saved - self.progress.seconds
        n_before = self.progress.n_updates - first
        for step in range(first, stage.n_steps):
            task, arrays = self.draw(stage, step)
            losses.append(
                (task, self.update(task, arrays, stage.rate_at(step), n_before + step + 1, stage.head_factor))
            )
            n_tokens += count_tokens(task, arrays)
            n_done = step + 1
            is_end = n_done == stage.n_steps
            if n_done % LOG_STEPS and not is_end:
                continue
            curve.append({"stage": stage.name, "step": n_done, "tokens": n_tokens, **mean_by_task(losses)})
            losses.clear()
            logger.info("%s", curve[-1])
            # Only with a row of the curve, so that a resumed curve has the same rows.
            if is_end or time.monotonic() - saved > checkpoint_s:
                saved = time.monotonic()
                self.progress = Progress(
                    stage=stage.name,
                    step=n_done,
                    n_updates=n_before + n_done,
                    n_tokens=n_tokens,
                    seconds=saved - began,
                    curve=tuple(curve),
                )
                write_state(self.folder, self.progress, self.variables, self.moments)
        return self.progress

    def draw(self, stage: Stage, step: int) -> tuple[str, Arrays]:
        """The task of a step and its batch, which the seed, the stage and the step decide."""
        random = np.random.default_rng([self.seed, *stage.name.encode(), step])
        names, shares = list(stage.shares), np.array(list(stage.shares.values()))
        task = names[random.choice(len(names), p=shares / shares.sum())]
        return task, self.drawer.draws[task](random)

    def update(self, task: str, arrays: Arrays, rate: float, n_updates: int, head_factor: float = 1.0) -> float:
        """Take one step on a batch; the loss before it, a NaN of which ends the training.

        Raises:
            ConfigError: the loss is no number: the rate is too high, or the weights are broken.
        """
        bias = tf.constant([rate, rate * head_factor, BETA_1**n_updates, BETA_2**n_updates], FLOAT)
        inputs = tuple(tf.constant(array) for array in arrays)
        loss = float(self.strategy.run(self.updates[task], args=(bias, *inputs)).numpy())
        if not np.isfinite(loss):
            raise ConfigError(f"the loss of {task} is {loss}: lower the learning rate, or look at the weights")
        return loss

    def _compile(self, loss_of: Loss, signature: Sequence[tf.TensorSpec]) -> Loss:
        of_head = {id(variable) for variable in self.network.masked_lm.trainable_variables}

        def update(bias: tf.Tensor, *inputs: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = loss_of(*inputs)
            values = [variable.value for variable in self.variables]
            found = tape.gradient(loss, values)
            pairs = [(index, tf.convert_to_tensor(g)) for index, g in enumerate(found) if g is not None]
            # Brought to one length, no task speaks louder than another: Adam scales by what it has seen of all.
            length = tf.linalg.global_norm([gradient for _, gradient in pairs])
            gradients = [gradient / tf.maximum(length, EPSILON) for _, gradient in pairs]
            n = len(self.variables)
            for (index, _), gradient in zip(pairs, gradients, strict=True):
                tf.raw_ops.ResourceApplyAdam(
                    var=values[index].handle,
                    m=self.moments[index].handle,
                    v=self.moments[n + index].handle,
                    beta1_power=bias[2],
                    beta2_power=bias[3],
                    lr=bias[int(id(self.variables[index]) in of_head)],
                    beta1=BETA_1,
                    beta2=BETA_2,
                    epsilon=EPSILON,
                    grad=gradient,
                )
            return loss

        return tf.function(update, input_signature=(tf.TensorSpec([4], FLOAT), *signature))

    def _embed(self, token_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return embed(self.network.bert, token_ids, mask)  # [B, D]

    def _distill(self, token_ids: tf.Tensor, mask: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        targets.set_shape([None, self.drawer.n_targets])
        return distill(self._embed(token_ids, mask), targets)

    def _contrast(self, ids_1: tf.Tensor, mask_1: tf.Tensor, *windows: tf.Tensor) -> tf.Tensor:
        ids_2, mask_2, positions, labels, weights = windows
        hidden = self.network.bert(ids_2, tf.zeros_like(ids_2), mask_2)  # [B, T, D]
        seconds = tf.math.l2_normalize(mean_pool(hidden, mask_2), axis=1)  # [B, D]
        return contrast(self._embed(ids_1, mask_1), seconds) + self._fill(hidden, positions, labels, weights)

    def _match(self, ids_1: tf.Tensor, mask_1: tf.Tensor, ids_2: tf.Tensor, mask_2: tf.Tensor) -> tf.Tensor:
        return contrast(self._embed(ids_1, mask_1), self._embed(ids_2, mask_2))

    def _rank(
        self, ids_1: tf.Tensor, mask_1: tf.Tensor, ids_2: tf.Tensor, mask_2: tf.Tensor, scores: tf.Tensor
    ) -> tf.Tensor:
        return rank(self._embed(ids_1, mask_1), self._embed(ids_2, mask_2), scores)

    def _joint(self, *batch: tf.Tensor) -> tf.Tensor:
        token_ids, segment_ids, mask, positions, labels, weights, not_next, pair_weights = batch
        hidden = self.network.bert(token_ids, segment_ids, mask)  # [B, T, D]
        follows = weigh(self.network.next_sentence(hidden, segment_ids, mask), not_next, pair_weights)
        return follows + self._fill(hidden, positions, labels, weights)

    def _hold(self, token_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        if self.held is None:
            raise ConfigError("no encoder was kept that vectors could be held to")
        return distill(self._embed(token_ids, mask), tf.stop_gradient(embed(self.held, token_ids, mask)))

    def _masked(self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, *masked: tf.Tensor) -> tf.Tensor:
        return self._fill(self.network.bert(token_ids, segment_ids, mask), *masked)

    def _label(self, token_ids: tf.Tensor, mask: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        hidden = self.network.bert(token_ids, tf.zeros_like(token_ids), mask)  # [B, T, D]
        if self.network.sequence is None:
            raise ConfigError("the network has no head of labels")
        return weigh(self.network.sequence(hidden), labels, tf.ones_like(labels, FLOAT))

    def _next(self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        hidden = self.network.bert(token_ids, segment_ids, mask)  # [B, T, D]
        return weigh(self.network.next_sentence(hidden, segment_ids, mask), labels, tf.ones_like(labels, FLOAT))

    def _fill(self, hidden: tf.Tensor, positions: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """The loss of the masked words; what is no masked position is left out before the large product."""
        network, is_masked = self.network, weights > 0
        states = tf.boolean_mask(tf.gather(hidden, positions, batch_dims=1), is_masked)  # [P, D]
        states.set_shape([None, network.bert.size.hidden_size])
        embeddings = tf.convert_to_tensor(network.bert.word_embeddings.embeddings)  # [V, D]
        chosen = tf.boolean_mask(labels, is_masked)  # [P]
        return weigh(network.masked_lm(states, embeddings), chosen, tf.ones_like(chosen, FLOAT))


def embed(bert: Bert, token_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Unit vectors float32 [B, D] of texts, ids and mask int32 [B, T]."""
    hidden = bert(token_ids, tf.zeros_like(token_ids), mask)  # [B, T, D]
    return tf.math.l2_normalize(mean_pool(hidden, mask), axis=1)  # [B, D]


def count_tokens(task: str, arrays: Arrays) -> int:
    """Tokens of a batch, padding left out."""
    masks = {"joint": (2,), "next": (2,), "distill": (1,), "label": (1,), "fill": (2,), "hold": (1,)}.get(task, (1, 3))
    return int(sum(arrays[index].sum() for index in masks))


def mean_by_task(losses: list[tuple[str, float]]) -> dict[str, float]:
    """The mean loss of each task."""
    tasks = sorted({task for task, _ in losses})
    return {task: round(float(np.mean([loss for name, loss in losses if name == task])), 4) for task in tasks}
