"""The course of a BERT training: batches in, trained layers and held-out numbers out."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.bert import BertSize, build_bert
from petitions.encoders.device import pick_strategy
from petitions.errors import ConfigError
from petitions.training.bert_examples import Batch, ExampleSampler

logger = logging.getLogger(__name__)

WARM_UP = 0.05  # of the budget; then the rate falls linearly to 0
LONG_PHASE = 0.15  # of the budget, the last part, at full length: it trains the later positions
CHECKPOINT_S = 240.0
LOG_STEPS = 200
HEAD_SIZE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BertTrainingSettings:
    """Size of the model and course of the training."""

    minutes: float = 45.0
    vocab_size: int = 8000
    hidden_size: int = 256
    n_layers: int = 4
    n_positions: int = 256
    length: int = 64  # tokens a sequence, before the long phase
    batch_size: int = 32
    learning_rate: float = 1e-3
    titled_share: float = 0.85  # of the sequences, where there are single lines too
    held_out_share: float = 0.04
    random_seed: int = 0
    accelerator: str = "auto"

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise ConfigError(f"minutes must be over 0, got {self.minutes}")
        if self.hidden_size % HEAD_SIZE:
            raise ConfigError(f"hidden_size must be a multiple of {HEAD_SIZE}, got {self.hidden_size}")
        if not 32 <= self.length <= self.n_positions:
            raise ConfigError(f"length must be 32 to n_positions ({self.n_positions}), got {self.length}")

    @property
    def size(self) -> BertSize:
        """The shape of the network."""
        return BertSize(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden_size,
            num_hidden_layers=self.n_layers,
            num_attention_heads=self.hidden_size // HEAD_SIZE,
            intermediate_size=4 * self.hidden_size,
            max_position_embeddings=self.n_positions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BertQuality:
    """How good a model is on batches that it was not trained on."""

    masked_lm_loss: float  # nats a masked piece
    masked_lm_accuracy: float
    next_sentence_accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a training went."""

    n_steps: int
    n_tokens: int  # padding left out
    minutes: float


class BertTrainer:
    """Holds the layers and the optimizer; one replica, since the small model needs no more."""

    def __init__(self, settings: BertTrainingSettings, word_vectors: npt.NDArray[np.float32]) -> None:
        keras.utils.set_random_seed(settings.random_seed)
        self.settings = settings
        self.strategy = pick_strategy(settings.accelerator)
        if self.strategy.num_replicas_in_sync > 1:
            raise ConfigError(f"pre-training runs on 1 replica, {settings.accelerator} has several")
        with self.strategy.scope():
            self.bert, self.masked_lm, self.next_sentence = build_bert(settings.size)
            self.bert.word_embeddings.embeddings.assign(word_vectors)
            layers = (self.bert, self.masked_lm, self.next_sentence)
            self.variables = [variable for layer in layers for variable in layer.trainable_variables]
            self.optimizer = keras.optimizers.AdamW(
                settings.learning_rate, weight_decay=0.01, beta_2=0.98, epsilon=1e-6, global_clipnorm=1.0
            )
            self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
            self.optimizer.build(self.variables)

    def train(self, sampler: ExampleSampler, at_checkpoint: Callable[[], object]) -> Course:
        """Train until the budget of minutes is spent; `at_checkpoint` is called every few minutes."""
        settings = self.settings
        start = checkpoint = time.monotonic()
        n_steps = n_tokens = 0
        while (progress := (time.monotonic() - start) / (60 * settings.minutes)) < 1:
            self.optimizer.learning_rate.assign(settings.learning_rate * rate_at(progress))
            is_long = progress > 1 - LONG_PHASE
            length = settings.n_positions if is_long else settings.length
            batch = sampler.draw_batch(settings.batch_size * settings.length // length, length)
            losses = self.strategy.run(self._step, args=as_tensors(batch))
            n_steps += 1
            n_tokens += int(batch.mask.sum())
            if n_steps % LOG_STEPS == 0:
                word_loss, pair_loss = losses.numpy().tolist()
                logger.info(
                    "step %d, %.0f %% of the time, %d tokens: loss %.2f of masked words, %.3f of pairs",
                    *(n_steps, 100 * progress, n_tokens, word_loss, pair_loss),
                )
            if time.monotonic() - checkpoint > CHECKPOINT_S:
                checkpoint = time.monotonic()
                at_checkpoint()
        return Course(n_steps=n_steps, n_tokens=n_tokens, minutes=(time.monotonic() - start) / 60)

    def measure(self, batches: Sequence[Batch]) -> BertQuality:
        """Measure losses and accuracies over batches of the same shape."""
        sums = np.sum([self.strategy.run(self._count, args=as_tensors(batch)) for batch in batches], axis=0)  # [5]
        loss, n_right, n_masked, n_pairs_right, n_pairs = sums.tolist()
        return BertQuality(
            masked_lm_loss=loss / n_masked,
            masked_lm_accuracy=n_right / n_masked,
            next_sentence_accuracy=n_pairs_right / n_pairs,
        )

    @tf.function(jit_compile=True)
    def _step(self, *batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            word_logits, pair_logits = self._predict(*batch[:4])
            word_loss = _weigh(word_logits, batch[4], batch[5])
            pair_loss = _weigh(pair_logits, batch[6], batch[7])
            loss = word_loss + pair_loss
        values = [variable.value for variable in self.variables]
        self.optimizer.apply(tape.gradient(loss, values), self.variables)
        return tf.stack([word_loss, pair_loss])  # [2]

    @tf.function(jit_compile=True)
    def _count(self, *batch: tf.Tensor) -> tf.Tensor:
        word_logits, pair_logits = self._predict(*batch[:4])
        labels, weights, not_next, pair_weights = batch[4:]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, word_logits)  # [B, P]
        is_right = tf.cast(tf.argmax(word_logits, -1, tf.int32) == labels, tf.float32)  # [B, P]
        is_pair_right = tf.cast(tf.argmax(pair_logits, -1, tf.int32) == not_next, tf.float32)  # [B]
        totals = (losses * weights, is_right * weights, weights, is_pair_right * pair_weights, pair_weights)
        return tf.stack([tf.reduce_sum(total) for total in totals])  # [5]

    def _predict(
        self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits of the masked positions, float32 [B, P, V], and of the pairs, float32 [B, 2]."""
        hidden = self.bert(token_ids, segment_ids, mask)  # [B, T, D]
        states = tf.gather(hidden, positions, batch_dims=1)  # [B, P, D]
        flat = tf.reshape(states, [-1, self.settings.hidden_size])  # [B * P, D]
        word_logits = self.masked_lm(flat, tf.convert_to_tensor(self.bert.word_embeddings.embeddings))  # [B * P, V]
        word_logits = tf.reshape(word_logits, [*positions.shape, self.settings.vocab_size])  # [B, P, V]
        return word_logits, self.next_sentence(hidden, segment_ids, mask)


def rate_at(progress: float) -> float:
    """The share of the full learning rate at a share of the training: a short rise, then a straight fall to 0."""
    return min(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))


def as_tensors(batch: Batch) -> tuple[tf.Tensor, ...]:
    """The arrays of a batch in the order of its fields."""
    return tuple(tf.constant(getattr(batch, item.name)) for item in fields(batch))


def _weigh(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy over what has a weight; 0 where nothing has."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits) * weights
    return tf.reduce_sum(losses) / tf.maximum(tf.reduce_sum(weights), 1.0)
