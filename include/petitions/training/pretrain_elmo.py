"""Pre-train an ELMo: a numbered corpus in, weights with a model card out (forward and backward language model).

First the character CNN is fitted to word2vec (see `elmo_warm_start.py`) and then left alone; over it both directions
share a sampled softmax over the frequent tokens, and carry their states from window to window, as in bilm-tf. All lies
in a work folder, and a run that was killed goes on from there with the same batches.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.dense import set_product_dtype
from petitions.encoders.device import multiplies_bfloat16, pick_strategy
from petitions.encoders.elmo_checkpoint import write_checkpoint
from petitions.errors import ConfigError
from petitions.training.elmo_corpus import Corpus
from petitions.training.elmo_language_model import LanguageModel, sample_words
from petitions.training.elmo_settings import MODEL_CARD, ElmoTrainingSettings
from petitions.training.elmo_warm_start import encode_tokens, fit_characters, keep_word_vectors
from petitions.training.elmo_windows import Batch, TokenStream, WindowSampler, read_stream
from petitions.training.stage_state import Progress, read_state, write_state

logger = logging.getLogger(__name__)

N_HELD_OUT_WINDOWS = 16  # of each row
WORDS_FILE = "words.txt"
STAGE = "language model"
EVALUATED_ROWS = 10  # every tenth row of the curve tells the held-out perplexity
SPEED_STEPS = 10  # that tell how many fit the time
N_RISE = 200  # steps in which the learning rate climbs


class Trainer:
    """Holds the model, the optimizer, the carried states and the compiled steps of one pre-training."""

    def __init__(self, settings: ElmoTrainingSettings, stream: TokenStream, work: Path) -> None:
        keras.utils.set_random_seed(settings.seed)
        self.settings, self.stream, self.work = settings, stream, work
        self.windows = WindowSampler(
            stream, batch_size=settings.batch_size, window=settings.window, reset_share=settings.reset_share
        )
        strategy = pick_strategy(settings.accelerator)
        if strategy.num_replicas_in_sync > 1:
            raise ConfigError(f"an ELMo is trained on one device, got {strategy.num_replicas_in_sync}")
        counts = np.bincount(stream.word_of_token[stream.training], minlength=len(stream.words))
        with strategy.scope():
            self.model = LanguageModel(settings.options, counts, n_sampled=settings.n_sampled, dropout=settings.dropout)
            frozen = {id(variable) for variable in self.model.elmo.characters.trainable_variables}
            self.learned = [variable for variable in self.model.trainable_variables if id(variable) not in frozen]
            self.optimizer = keras.optimizers.Adam(settings.learning_rate, global_clipnorm=settings.clip_norm)
            self.optimizer.build(self.learned)
            zeros = self.model.elmo.zero_states(settings.batch_size)
            self.states = [tf.Variable(part, trainable=False) for state in zeros for part in state]  # cell, output, …
            zeros = self.model.elmo.zero_states(self.windows.n_held_out_rows)
            self.held_out_states = [tf.Variable(part, trainable=False) for state in zeros for part in state]
        self.characters = self._warm_start()
        self.vectors = tf.constant(encode_tokens(self.model.elmo.characters, stream))  # [all distinct tokens, P]
        self.progress = self._begin(strategy)
        sample = (tf.TensorSpec((None,), tf.int64), tf.TensorSpec((), tf.float32))
        learned, held_out = (self._signature(n_rows) for n_rows in (settings.batch_size, self.windows.n_held_out_rows))
        self._learn = self._compile(self._learn_batch, (*learned, *sample), str(self.progress.precision))
        self._measure = self._compile(self._measure_batch, held_out, "float32")  # as an encoder reads
        self.n_steps = self._plan()

    def run(self) -> Progress:
        """Train to the end, with a row of the curve every some steps; nothing is done where it is reached already."""
        settings, losses = self.settings, list[float]()
        saved = time.monotonic()
        began = saved - self.progress.seconds
        for step in range(self.progress.step, self.n_steps):
            losses.append(self.learn(step, self.rate_at(step)))
            n_done = step + 1
            is_end = n_done == self.n_steps
            if n_done % settings.log_steps and not is_end:
                continue
            row: dict[str, object] = {"step": n_done, "loss": round(float(np.mean(losses)), 4)}
            losses.clear()
            if is_end or n_done % (EVALUATED_ROWS * settings.log_steps) == 0:
                row |= self.evaluate()
            self.progress = replace(
                self.progress,
                step=n_done,
                n_updates=n_done,
                n_tokens=n_done * settings.batch_size * settings.window,
                seconds=time.monotonic() - began,
                curve=(*self.progress.curve, row),
            )
            logger.info("ELMo: %s, %.0f s", row, self.progress.seconds)
            # Only with a row of the curve, so that a resumed curve has the same rows.
            if is_end or time.monotonic() - saved > settings.checkpoint_s:
                saved = time.monotonic()
                write_state(self.work, self.progress, *self._kept())
        return self.progress

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        return self.settings.learning_rate * min((step + 1) / N_RISE, 1.0 - step / self.n_steps)

    def learn(self, step: int, rate: float) -> float:
        """Take one step; the loss before it.

        Raises:
            ConfigError: the loss is no number.
        """
        settings = self.settings
        self.optimizer.learning_rate.assign(rate)
        random = np.random.default_rng([settings.seed, step])
        words, n_tries = sample_words(random, self.model.n_sampled, self.model.n_words)
        loss = float(self._learn(*_tensors(self.windows.sample_training(settings.seed, step)), words, n_tries))
        if not math.isfinite(loss):
            raise ConfigError(f"the loss is {loss} at step {step}: lower the learning rate")
        return loss

    def evaluate(self) -> dict[str, float]:
        """Perplexity and accuracy on the held-out documents, with the full softmax and states carried."""
        batches = self.windows.held_out(N_HELD_OUT_WINDOWS)
        sums = np.sum([self._measure(*_tensors(batch)) for batch in batches], axis=0)  # [2, 3]
        found = {}
        for name, (loss, hits, n_words) in zip(("forward", "backward"), sums.tolist(), strict=True):
            found[f"perplexity_{name}"] = round(math.exp(loss / n_words), 2)
            found[f"accuracy_{name}"] = round(hits / n_words, 4)
        return found

    def save(self, folder: Path) -> None:
        """Write options, weights (the softmax among them, so that training can go on), words and model card."""
        weights = {name: variable.numpy() for name, variable in self.model.elmo.weights_by_name().items()}
        weights |= {"softmax/W": self.model.kernel.numpy(), "softmax/b": self.model.bias.numpy()}
        write_checkpoint(folder, self.settings.options, weights)
        (folder / WORDS_FILE).write_text("\n".join(self.stream.words) + "\n", "utf-8")
        told = {
            "n_training": len(self.stream.training),
            "n_held_out": len(self.stream.held_out),
            "n_only_words": len(self.stream.only_words),
            "n_words": len(self.stream.words),
            "left": self.characters.curve[-1]["left"],
            "step": self.progress.step,
            "n_tokens": self.progress.n_tokens,
            "hours": self.progress.seconds / 3600,
        }
        card = MODEL_CARD.format(**asdict(self.settings.options) | asdict(self.settings) | told | self.evaluate())
        (folder / "README.md").write_text(card, "utf-8")

    def _plan(self) -> int:
        """How many steps there are; those of a time are told by the first ones, which change no weight."""
        settings = self.settings
        if settings.minutes is None:
            return settings.n_steps
        if not self.progress.curve:
            self.learn(0, 0.0)  # compiles
            begin = time.monotonic()
            for step in range(SPEED_STEPS):
                self.learn(step, 0.0)
            n_steps = max(SPEED_STEPS, int(SPEED_STEPS * 60 * settings.minutes / (time.monotonic() - begin)))
            self.progress = replace(self.progress, curve=({"step": 0, "n_steps": n_steps, **self.evaluate()},))
        return int(str(self.progress.curve[0]["n_steps"]))

    def _warm_start(self) -> Progress:
        settings = self.settings
        tokens, vectors = keep_word_vectors(
            self.work,
            self.stream,
            settings.options.projection_dim,
            settings.min_count_of_vectors,
            settings.seed,
            settings.n_word_epochs,
        )
        characters = self.model.elmo.characters
        folder = self.work / "characters"
        return fit_characters(characters, self.stream, tokens, vectors, settings.n_character_steps, folder)

    def _begin(self, strategy: tf.distribute.Strategy) -> Progress:
        """Go on from the state, where there is one, in the precision that it has; weights and moments are float32."""
        wanted, can_bfloat16 = self.settings.precision, multiplies_bfloat16(strategy)
        progress = read_state(self.work, *self._kept())
        if progress is None:
            fitting = "bfloat16" if can_bfloat16 else "float32"
            precision = fitting if wanted == "auto" else wanted
            logger.info("ELMo: products in %s", precision)
            return Progress(stage=STAGE, step=0, n_updates=0, n_tokens=0, seconds=0.0, precision=precision)
        precision = progress.precision or "float32"
        if wanted not in ("auto", precision):
            raise ConfigError(f"the training in {self.work} began in {precision}, it cannot go on in {wanted}")
        if precision == "bfloat16" and not can_bfloat16:
            logger.warning("ELMo: it goes on in bfloat16, as it began; this device has no such products, and is slow")
        return replace(progress, precision=precision)

    def _compile(
        self, function: Callable[..., tf.Tensor], signature: tuple[tf.TensorSpec, ...], precision: str
    ) -> Callable[..., tf.Tensor]:
        set_product_dtype([self.model], tf.as_dtype(precision))
        return tf.function(function, input_signature=signature).get_concrete_function()  # traced here, so of this type

    def _kept(self) -> tuple[list[keras.Variable], list[tf.Variable]]:
        """All that a step changes: weights, then moments and carried states."""
        return list(self.model.variables), [*self.optimizer.variables, *self.states]

    def _signature(self, n_rows: int) -> tuple[tf.TensorSpec, ...]:
        shape = (2, n_rows, self.settings.window)
        return tf.TensorSpec(shape, tf.int32), tf.TensorSpec(shape, tf.int32), tf.TensorSpec(shape[:2], tf.bool)

    def _read(
        self, tokens: tf.Tensor, is_kept: tf.Tensor, kept: list[tf.Variable], *, training: bool
    ) -> list[tf.Tensor]:
        """Read a window from the states that the last one left, and leave its own."""
        n_layers = self.settings.options.n_layers
        begins = []
        for i in range(0, len(kept), 2):
            mask = tf.cast(is_kept[i // 2 // n_layers][:, tf.newaxis], tf.float32)  # [B, 1]
            begins.append((kept[i] * mask, kept[i + 1] * mask))
        tops, ends = self.model.read(tf.gather(self.vectors, tokens), begins, training=training)
        for variable, value in zip(kept, [part for state in ends for part in state], strict=True):
            variable.assign(tf.stop_gradient(value))
        return tops

    def _learn_batch(
        self, tokens: tf.Tensor, targets: tf.Tensor, is_kept: tf.Tensor, words: tf.Tensor, n_tries: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tops = self._read(tokens, is_kept, self.states, training=True)
            loss = self.model.sampled_loss(tops, tf.reshape(targets, [2, -1]), words, n_tries)
        gradients = tape.gradient(loss, [variable.value for variable in self.learned])
        self.optimizer.apply(gradients, self.learned)
        return loss

    def _measure_batch(self, tokens: tf.Tensor, targets: tf.Tensor, is_kept: tf.Tensor) -> tf.Tensor:
        tops = self._read(tokens, is_kept, self.held_out_states, training=False)
        return self.model.measure(tops, tf.reshape(targets, [2, -1]))


def pretrain_elmo(corpus: Corpus, work: Path, output: Path, settings: ElmoTrainingSettings) -> Progress:
    """Train to the end; what was stopped goes on from its last checkpoint, with the same curve.

    Args:
        corpus: see `number_corpus`.
        work: keeps word vectors and states; of one corpus and one set of sizes.
        output: the folder for options.json, model.safetensors (float16), words.txt and the model card README.md.
        settings: sizes and budget.

    Returns:
        The progress, with the curve.

    Raises:
        ConfigError: too little text, or the work folder holds another network's state.
    """
    options = settings.options
    stream = read_stream(
        corpus, vocabulary=settings.vocabulary, min_count=settings.min_count, max_characters=options.max_characters
    )
    logger.info(
        "ELMo: %d tokens to train on, %d held out, %d for the word vectors alone, %d distinct, %d words",
        len(stream.training),
        len(stream.held_out),
        len(stream.only_words),
        len(stream.spelled),
        len(stream.words),
    )
    trainer = Trainer(settings, stream, work)
    progress = trainer.run()
    trainer.save(output)
    return progress


def _tensors(batch: Batch) -> tuple[npt.NDArray[np.generic], ...]:
    return batch.tokens, batch.targets, batch.is_kept
