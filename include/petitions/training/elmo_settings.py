"""The sizes and the course of a training of an ELMo, and the card that tells them."""

from dataclasses import dataclass, field

from petitions.encoders.elmo_options import ElmoOptions
from petitions.errors import ConfigError

PRECISIONS = ("auto", "float32", "bfloat16")
CHARACTER_STEPS_A_MINUTE = 400  # of one core

MODEL_CARD = """# A small Korean ELMo

Trained by `petitions pretrain elmo` as a forward and a backward language model over morphemes.

| | |
|---|---|
| network | character CNN, {n_layers} LSTMs a direction of {lstm_dim} cells, projection {projection_dim}; float16 |
| text | {n_training} tokens to train on, {n_held_out} held out (a document in 50), {n_only_words} for word2vec alone |
| characters | {n_character_steps} steps to word2vec over the same text, then left alone; mean square left {left:.3f} |
| language model | {step} steps, {n_tokens} tokens in {hours:.2f} hours, windows of {window}, seed {seed} |
| perplexity, held out | forward {perplexity_forward:.1f}, backward {perplexity_backward:.1f}, over {n_words} words |
| accuracy of the likeliest word, held out | forward {accuracy_forward:.3f}, backward {accuracy_backward:.3f} |

Files: options.json (keys of bilm-tf), model.safetensors (names of bilm-tf; `softmax/*` serves further training only),
words.txt (what the softmax tells, in its order; an unknown word counts as one).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElmoTrainingSettings:
    """Hyperparameters of one pre-training."""

    options: ElmoOptions = field(default_factory=ElmoOptions)
    n_steps: int = 3000  # of the language model; the learning rate falls to zero over them
    minutes: float | None = None  # wall time in place of n_steps: as many steps as it will take
    n_character_steps: int = 6000
    n_word_epochs: int = 1
    vocabulary: int = 10_000  # words that are predicted, three marks counted in
    min_count: int = 3  # a rarer token is read by its characters, but predicted as the unknown word
    min_count_of_vectors: int = 5  # below it a token has no word vector to be spelled
    batch_size: int = 64
    window: int = 32
    reset_share: float = 0.1  # of windows that begin with zero states, as a text does to the encoder
    n_sampled: int = 1024  # words that each true one is told from in training
    learning_rate: float = 3e-3
    clip_norm: float = 1.0
    dropout: float = 0.0  # less than an epoch is read, so that nothing is learnt by heart
    checkpoint_s: float = 150.0
    log_steps: int = 100
    seed: int = 0
    accelerator: str = "auto"
    precision: str = "auto"  # of products: bfloat16 where the device has it, or what a run began with; or one by name

    def __post_init__(self) -> None:
        for name in ("n_steps", "n_character_steps", "batch_size", "window", "n_sampled", "learning_rate", "log_steps"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be over 0, got {getattr(self, name)}")
        if self.minutes is not None and self.minutes <= 0:
            raise ConfigError(f"minutes must be over 0, got {self.minutes}")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")


def settings_of_minutes(minutes: float, *, seed: int = 0, accelerator: str = "auto") -> ElmoTrainingSettings:
    """Settings of so many minutes for the language model, and up to eight before it for the characters."""
    n_character_steps = max(50, int(min(8.0, 0.3 * minutes) * CHARACTER_STEPS_A_MINUTE))
    return ElmoTrainingSettings(
        minutes=minutes, n_character_steps=n_character_steps, seed=seed, accelerator=accelerator
    )
