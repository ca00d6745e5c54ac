"""The course of a fine-tuning: labelled petitions in, a network with the best head found out.

First a regression on what the frozen network makes of all windows, which takes a minute and is hard to beat on some
thousand petitions; its weights become those of the head. Then all weights are trained on from there, for the minutes
that are given. What is kept is what was best on the month to stop by.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from petitions.encoders.bert import Bert, MaskedLmHead, NextSentenceHead
from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.classifier import TextClassifier
from petitions.encoders.sequence_head import SequenceHead
from petitions.errors import ConfigError
from petitions.training.draws import SPAN_SHARE, SPAN_TOKENS, TITLE_TOKENS, WINDOW_TOKENS, Arrays, pad_rows
from petitions.training.judge import Logits, Truth, decide, find_refined_loss, fit_logistic, fit_temperature
from petitions.training.rounds import Rounds
from petitions.training.stage_trainer import StageTrainer
from petitions.training.student import Network
from petitions.training.trained_network import TrainedClassifier

STRENGTHS = (0.3, 1.0, 3.0, 10.0)
FIRST_WINDOW = 0.5  # of the windows that are drawn are the first of their petition: it has the title

Texts = Sequence[str]
LabelledTexts = tuple[Texts, Truth]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneSettings:
    """How a fine-tuning goes."""

    minutes: float = 10.0  # of training all weights; 0: the head alone
    batch_size: int = 16
    rate: float = 1e-4
    seed: int = 0
    accelerator: str = "auto"

    def __post_init__(self) -> None:
        if self.minutes < 0:
            raise ConfigError(f"minutes must be 0 or more, got {self.minutes}")


class LabelDrawer:
    """Draws windows of texts with their labels."""

    def __init__(self, encoder: BertEncoder, texts: Texts, truth: Truth, batch_size: int) -> None:
        self.pieces, self.truth, self.encoder = encoder.encode_pieces(texts), truth, encoder
        self.batch_size, self.n_targets = batch_size, 0
        self.draws: dict[str, Callable[[np.random.Generator], Arrays]] = {"label": self.draw_label}

    def draw_label(self, random: np.random.Generator) -> Arrays:
        """Ids and mask int32 [B, T] of windows, and their labels int32 [B]."""
        chosen = random.choice(len(self.pieces), self.batch_size)
        room = self.encoder.n_positions - 2
        rows = []
        for index in chosen:
            pieces = self.pieces[index]
            n_windows = max(1, -(-len(pieces) // room))
            number = 0 if random.random() < FIRST_WINDOW else int(random.integers(n_windows))
            rows.append(self.encoder.frame(pieces[number * room : (number + 1) * room]).token_ids)
        return *pad_rows(rows, self.encoder.tokenizer.pad_token_id), self.truth[chosen].astype(np.int32)


class MatchDrawer:
    """Draws titles, or parts of bodies, with windows of their bodies."""

    def __init__(self, encoder: BertEncoder, titles: Texts, bodies: Texts, batch_size: int) -> None:
        self.encoder, self.batch_size, self.n_targets = encoder, batch_size, 0
        self.titles, self.bodies = encoder.encode_pieces(titles), encoder.encode_pieces(bodies)
        self.draws: dict[str, Callable[[np.random.Generator], Arrays]] = {"match": self.draw_match}

    def draw_match(self, random: np.random.Generator) -> Arrays:
        """Ids and mask int32 [B, T] of the firsts, and of the windows."""
        firsts, seconds = [], []
        size = min(self.batch_size, len(self.titles))
        for index in random.choice(len(self.titles), size, replace=False):
            body = self.bodies[index]
            first, start = self.titles[index], int(random.integers(max(1, len(body) - SPAN_TOKENS)))
            if random.random() < SPAN_SHARE and len(body) > 2 * SPAN_TOKENS:
                first = body[start : start + SPAN_TOKENS]
            window = body[: WINDOW_TOKENS - 2] if random.random() < FIRST_WINDOW else body[start:][: WINDOW_TOKENS - 2]
            firsts.append(self.encoder.frame(first[: TITLE_TOKENS - 2]).token_ids)
            seconds.append(self.encoder.frame(window).token_ids)
        pad = self.encoder.tokenizer.pad_token_id
        return *pad_rows(firsts, pad), *pad_rows(seconds, pad)


def fit_head(
    classifier: TrainedClassifier, frozen: TextClassifier, train: LabelledTexts, stop: LabelledTexts
) -> tuple[float, Logits]:
    """Give the head the weights of the best regression on what is pooled below it.

    Args:
        classifier: whose head it is.
        frozen: the same weights, in the engine that is fastest.
        train: texts and labels.
        stop: those of the month to stop by.

    Returns:
        The strength of the regression, and its logits of the month to stop by.
    """
    pooled = [frozen.pool_texts(texts) for texts, _ in (train, stop)]  # [N, D]
    model, strength = fit_logistic((pooled[0], train[1]), (pooled[1], stop[1]), STRENGTHS)
    kernel, bias = model.coef_.T, model.intercept_  # [D, L], [L]
    if len(model.classes_) == 2:
        kernel, bias = np.concatenate([np.zeros_like(kernel), kernel], axis=1), np.array([0.0, bias[0]])
    classifier.head.classifier.kernel.assign(kernel.astype(np.float32))
    classifier.head.classifier.bias.assign(bias.astype(np.float32))
    return strength, decide(model, pooled[1])


def train_further(
    bert: Bert,
    sequence: SequenceHead | None,
    drawer: LabelDrawer | MatchDrawer,
    measure: Callable[[], float],
    settings: FinetuneSettings,
    state: Path,
) -> list[dict[str, float]]:
    """Train all weights for the minutes of the settings, and leave those of the round that `measure` found the best.

    Args:
        bert: the network.
        sequence: its head, where it has one.
        drawer: of one task.
        measure: what is to be low, on the month to stop by; asked before the first round, and after each.
        settings: the course.
        state: the folder of the training's state; from one that is there it goes on.

    Returns:
        As `Rounds.run`.
    """
    masked_lm, next_sentence = MaskedLmHead(bert.size), NextSentenceHead(bert.size)  # neither asked nor trained
    network = Network(bert=bert, masked_lm=masked_lm, next_sentence=next_sentence, sequence=sequence)
    trainer = StageTrainer(network, drawer, state, seed=settings.seed, accelerator=settings.accelerator)
    (task,) = drawer.draws
    n_texts = len(drawer.pieces if isinstance(drawer, LabelDrawer) else drawer.titles)
    round_steps = math.ceil(n_texts / settings.batch_size)
    rounds = Rounds(trainer, task, rate=settings.rate, round_steps=round_steps, seconds=60 * settings.minutes)
    return rounds.run(measure)


def train_labels(
    classifier: TrainedClassifier,
    train: LabelledTexts,
    stop: LabelledTexts,
    settings: FinetuneSettings,
    state: Path,
) -> list[dict[str, float]]:
    """Train a classifier further from its head; see `train_further`."""
    measure = lambda: find_refined_loss(classifier.classify(stop[0]), stop[1])  # noqa: E731
    cleaned = [classifier.labels.clean(text) for text in train[0]]
    drawer = LabelDrawer(classifier, cleaned, train[1], settings.batch_size)
    return train_further(classifier.bert, classifier.head, drawer, measure, settings, state)


def calibrate(classifier: TrainedClassifier, logits: Logits, truth: Truth) -> float:
    """Divide the head by the temperature that suits its logits of the month to stop by; gives the temperature."""
    temperature = fit_temperature(logits, truth)
    for variable in (classifier.head.classifier.kernel, classifier.head.classifier.bias):
        variable.assign(variable / temperature)
    return temperature
