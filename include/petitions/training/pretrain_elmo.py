"""Pre-train an ELMo: token lists in, weights with a model card out (forward and backward language model).

First the character CNN is fitted to word2vec (see `elmo_warm_start.py`) and then left alone; over it both directions
share a softmax over the frequent tokens, as in bilm-tf. The text is one stream of sentences between their marks, cut
into windows; each window begins with zero states, so that nothing is learnt over more than `window` tokens. Letters of
the shapes: B windows, T tokens, P projection, V words.
"""

import logging
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.device import pick_strategy
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import write_checkpoint
from petitions.encoders.elmo_options import ElmoOptions
from petitions.errors import ConfigError
from petitions.training.elmo_warm_start import encode_tokens, fit_characters, learn_word_vectors
from petitions.training.elmo_windows import BOS_WORD, EOS_WORD, Batch, TokenStream, WindowSampler, read_stream

logger = logging.getLogger(__name__)

WARM_UP = 0.03  # share of the budget in which the learning rate climbs
N_HELD_OUT_WINDOWS = 1024
WORDS_FILE = "words.txt"

MODEL_CARD = """# A small Korean ELMo

Trained by `petitions pretrain elmo` as a forward and a backward language model over morphemes.

| | |
|---|---|
| network | character CNN, {n_layers} LSTMs a direction of {lstm_dim} cells, projection {projection_dim}; float16 |
| text | {n_training} tokens to train on, {n_held_out} held out (one sentence in 50), {n_distinct} distinct |
| characters | fitted for {minutes_of_warm_start:.0f} minutes to word2vec over the same text, then left alone |
| language model | {minutes:.0f} minutes, {n_steps} steps, {n_tokens} tokens in windows of {window}, seed {seed} |
| perplexity, held out | forward {perplexity_forward:.1f}, backward {perplexity_backward:.1f}, over {n_words} words |
| accuracy of the likeliest word, held out | forward {accuracy_forward:.3f}, backward {accuracy_backward:.3f} |

Files: options.json (keys of bilm-tf), model.safetensors (names of bilm-tf; `softmax/*` serves further training only),
words.txt (what the softmax tells, in its order; an unknown word counts as one).
"""


def warm_start(minutes: float) -> float:
    """The minutes in which an ELMo's characters are fitted, before so many minutes of training: eight, or less."""
    return min(8.0, 0.3 * minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElmoTrainingSettings:
    """Hyperparameters of one pre-training."""

    options: ElmoOptions = field(default_factory=ElmoOptions)
    minutes_of_warm_start: float = 8.0  # wall time of fitting the characters; word2vec comes before it
    minutes: float = 30.0  # wall time of the language model; the learning rate falls to zero over it
    minutes_between_checkpoints: float = 5.0
    vocabulary: int = 10_000  # words that are predicted, three marks counted in
    min_count: int = 3  # a rarer token is read by its characters, but predicted as the unknown word
    batch_size: int = 64
    window: int = 32
    n_sampled: int = 1024  # words that each true one is told from in training
    learning_rate: float = 3e-3
    clip_norm: float = 1.0
    dropout: float = 0.1
    seed: int = 0
    accelerator: str = "auto"

    def __post_init__(self) -> None:
        for name in ("minutes", "minutes_of_warm_start", "batch_size", "window", "n_sampled", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be over 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a pre-training has come, measured on held-out sentences with the full softmax."""

    minutes: float
    n_steps: int
    n_tokens: int  # tokens seen, repeats counted
    perplexity_forward: float
    perplexity_backward: float
    accuracy_forward: float  # share of next words that are the likeliest one
    accuracy_backward: float


class LanguageModel(keras.layers.Layer):
    """An ELMo and the softmax that it is trained with."""

    def __init__(self, settings: ElmoTrainingSettings, counts: npt.NDArray[np.int64]) -> None:
        super().__init__()
        n_words = len(counts)
        self.elmo = ElmoNetwork(settings.options, dropout=settings.dropout)
        self.width = settings.options.projection_dim
        self.n_sampled = min(settings.n_sampled, n_words - 1)
        self.n_words = n_words
        self.kernel = self.add_weight(name="kernel", shape=(n_words, self.width), initializer="glorot_uniform")
        # Begin with the frequencies: a sampled softmax is slow to find them, and meanwhile the rest drifts off (tried).
        frequencies = np.log((counts + 1.0) / (counts.sum() + n_words))  # [V]
        self.bias = self.add_weight(name="bias", shape=(n_words,), initializer=keras.initializers.Constant(frequencies))
        self.dropout = keras.layers.Dropout(settings.dropout, seed=1)
        self.built = True

    def predict_states(self, tokens: tf.Tensor, training: bool) -> tuple[tf.Tensor, ...]:
        """States that tell the next and the previous word, two of float32 [B * T, P], from vectors [B, T, P]."""
        n_rows, steps, _ = tokens.shape
        layers, _ = self.elmo(tokens, tf.fill([n_rows], steps), unroll=True, training=training)  # [B, L + 1, T, 2P]
        top = self.dropout(layers[:, -1], training=training)  # [B, T, 2P]
        return tuple(tf.reshape(half, [-1, self.width]) for half in tf.split(top, 2, axis=-1))

    def sampled_loss(self, tokens: tf.Tensor, targets: Sequence[tf.Tensor]) -> tf.Tensor:
        """Mean cross-entropy of both directions over a sample of the words, a scalar."""
        losses = [
            tf.nn.sampled_softmax_loss(
                self.kernel.value,
                self.bias.value,
                tf.cast(words[:, tf.newaxis], tf.int64),  # [B * T, 1]
                state,
                self.n_sampled,
                self.n_words,
            )
            for state, words in zip(self.predict_states(tokens, True), targets, strict=True)
        ]
        return tf.reduce_mean(tf.stack(losses))

    def measure(self, tokens: tf.Tensor, targets: Sequence[tf.Tensor]) -> tf.Tensor:
        """Sums over a batch, float32 [2, 3]: a direction's loss in nats over all words, hits, and words counted.

        What follows the end of a sentence is no prediction: it is always the beginning of another.
        """
        rows = []
        states = self.predict_states(tokens, False)
        for state, words, trivial in zip(states, targets, (BOS_WORD, EOS_WORD), strict=True):
            logits = tf.matmul(state, self.kernel, transpose_b=True) + self.bias  # [B * T, V]
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(words, logits)  # [B * T]
            counted = tf.cast(words != trivial, tf.float32)  # [B * T]
            hits = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == words, tf.float32)  # [B * T]
            rows.append([tf.reduce_sum(loss * counted), tf.reduce_sum(hits * counted), tf.reduce_sum(counted)])
        return tf.convert_to_tensor(rows)


class Trainer:
    """Holds the model, the optimizer and the compiled steps of one pre-training."""

    def __init__(self, settings: ElmoTrainingSettings, stream: TokenStream) -> None:
        keras.utils.set_random_seed(settings.seed)
        self.settings, self.stream = settings, stream
        self.windows = WindowSampler(stream, batch_size=settings.batch_size, window=settings.window)
        strategy = pick_strategy(settings.accelerator)
        if strategy.num_replicas_in_sync > 1:  # TensorFlow samples words on a CPU or a GPU only, and one does
            raise ConfigError(f"an ELMo is trained on one device, got {strategy.num_replicas_in_sync}")
        counts = np.bincount(stream.word_of_token[stream.training], minlength=len(stream.words))
        with strategy.scope():
            self.model = LanguageModel(settings, counts)
            frozen = {id(variable) for variable in self.model.elmo.characters.trainable_variables}
            self.learned = [variable for variable in self.model.trainable_variables if id(variable) not in frozen]
            self.optimizer = keras.optimizers.Adam(settings.learning_rate, global_clipnorm=settings.clip_norm)
            self.optimizer.build(self.learned)
        self.vectors = tf.constant(self._warm_start())  # [all distinct tokens, P]
        shape = (settings.batch_size, settings.window)
        words = tf.TensorSpec((math.prod(shape),), tf.int32)
        signature = [(tf.TensorSpec(shape, tf.int32), words, words)]
        self._learn = tf.function(self._learn_batch, input_signature=signature)
        self._measure = tf.function(self._measure_batch, input_signature=signature)

    def learn(self, batch: Batch, progress: float) -> float:
        """Take one step at the learning rate of this share of the budget; the loss before it."""
        rate = min(progress / WARM_UP, (1.0 - progress) / (1.0 - WARM_UP), 1.0)
        self.optimizer.learning_rate.assign(self.settings.learning_rate * max(rate, 0.01))
        return float(self._learn(batch))

    def evaluate(self, minutes: float, n_steps: int) -> Progress:
        """Perplexity and accuracy on the held-out sentences."""
        sums = np.sum([self._measure(batch) for batch in self.windows.held_out(N_HELD_OUT_WINDOWS)], axis=0)  # [2, 3]
        (loss_forward, hits_forward, n_forward), (loss_backward, hits_backward, n_backward) = sums.tolist()
        return Progress(
            minutes=minutes,
            n_steps=n_steps,
            n_tokens=n_steps * self.settings.batch_size * self.settings.window,
            perplexity_forward=math.exp(loss_forward / n_forward),
            perplexity_backward=math.exp(loss_backward / n_backward),
            accuracy_forward=hits_forward / n_forward,
            accuracy_backward=hits_backward / n_backward,
        )

    def save(self, folder: Path, progress: Progress) -> None:
        """Write options, weights (the softmax among them, so that training can go on), words and model card."""
        weights = {name: variable.numpy() for name, variable in self.model.elmo.weights_by_name().items()}
        weights |= {"softmax/W": self.model.kernel.numpy(), "softmax/b": self.model.bias.numpy()}
        write_checkpoint(folder, self.settings.options, weights)
        (folder / WORDS_FILE).write_text("\n".join(self.stream.words) + "\n", "utf-8")
        sizes = {
            "n_training": len(self.stream.training),
            "n_held_out": len(self.stream.held_out),
            "n_distinct": len(self.stream.spelled),
            "n_words": len(self.stream.words),
        }
        card = MODEL_CARD.format(**asdict(self.settings.options) | asdict(self.settings) | asdict(progress) | sizes)
        (folder / "README.md").write_text(card, "utf-8")

    def _warm_start(self) -> npt.NDArray[np.float32]:
        characters, settings = self.model.elmo.characters, self.settings
        tokens, vectors = learn_word_vectors(
            self.stream, settings.options.projection_dim, settings.min_count, settings.seed
        )
        fit_characters(characters, self.stream, tokens, vectors, settings.minutes_of_warm_start)
        return encode_tokens(characters, self.stream)

    def _learn_batch(self, batch: Sequence[tf.Tensor]) -> tf.Tensor:
        tokens, *targets = batch
        with tf.GradientTape() as tape:
            loss = self.model.sampled_loss(tf.gather(self.vectors, tokens), targets)
        gradients = tape.gradient(loss, [variable.value for variable in self.learned])
        self.optimizer.apply(gradients, self.learned)
        return loss

    def _measure_batch(self, batch: Sequence[tf.Tensor]) -> tf.Tensor:
        tokens, *targets = batch
        return self.model.measure(tf.gather(self.vectors, tokens), targets)


def pretrain_elmo(sentences: Iterable[Sequence[str]], output: Path, settings: ElmoTrainingSettings) -> list[Progress]:
    """Train until the time is up; a checkpoint is written every few minutes, so that it may be stopped at any moment.

    Args:
        sentences: lists of tokens, read once; one in fifty is held out. The same text and seed give the same
            batches, but how many of them fit the time hangs on the machine.
        output: the folder for options.json, model.safetensors (float16), words.txt and the model card README.md.
        settings: sizes and budget.

    Returns:
        The progress at the start and at each checkpoint.

    Raises:
        ConfigError: too little text.
    """
    stream = read_stream(
        sentences,
        vocabulary=settings.vocabulary,
        min_count=settings.min_count,
        max_characters=settings.options.max_characters,
    )
    logger.info(
        "ELMo: %d tokens to train on, %d held out, %d distinct, %d words",
        len(stream.training), len(stream.held_out), len(stream.spelled), len(stream.words),
    )  # fmt: skip
    trainer = Trainer(settings, stream)
    history = [trainer.evaluate(0.0, 0)]
    batches = trainer.windows.sample_training(np.random.default_rng(settings.seed))
    losses = [trainer.learn(next(batches), 0.0)]  # compiles, so that the budget is for training alone
    begin = time.monotonic()
    saved = 0.0
    for n_steps, batch in enumerate(batches, start=2):
        minutes = (time.monotonic() - begin) / 60
        losses.append(trainer.learn(batch, minutes / settings.minutes))
        is_over = minutes >= settings.minutes
        if is_over or minutes - saved >= settings.minutes_between_checkpoints:
            saved = minutes
            history.append(trainer.evaluate(minutes, n_steps))
            trainer.save(output, history[-1])
            logger.info("ELMo: loss %.3f, %s", np.mean(losses), history[-1])
            losses.clear()
        if is_over:
            break
    return history
