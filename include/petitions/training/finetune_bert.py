"""A BERT fine-tuned on labelled petitions, or on their titles and bodies: examples in, a folder and its report out."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.classifier import TextClassifier, to_probabilities
from petitions.encoders.hub import load_tokenizer
from petitions.encoders.labels import MASKS, drop_signs
from petitions.encoders.model_files import ModelFiles, fetch_model
from petitions.encoders.names import name_encoder
from petitions.errors import ConfigError
from petitions.training.finetune_report import (
    REPORT_FILE,
    EmbeddingReport,
    LabelReport,
    Order,
    write_embedding_report,
    write_label_report,
)
from petitions.training.judge import Logits, Quality, Truth, count_confusion, find_calibration_error, judge
from petitions.training.label_trainer import (
    FinetuneSettings,
    LabelledTexts,
    MatchDrawer,
    calibrate,
    fit_head,
    train_further,
    train_labels,
)
from petitions.training.labelled import Example, Split, count_labels, find_labels
from petitions.training.rounds import keep_state
from petitions.training.start_folder import write_classifier, write_encoder, write_plain_start, write_start
from petitions.training.trained_network import TrainedClassifier, find_network, open_encoder
from petitions.training.whole_folder import write_folder
from petitions.training.word_baseline import Morphemes, WordBaseline


def finetune_labels(
    task: str, model: str, split: Split, output: Path, morphemes: Morphemes, settings: FinetuneSettings
) -> LabelReport:
    """Fine-tune a BERT to tell labels, and write its folder, whole or not at all.

    Args:
        task: "category", "moderation" or the name of a file of labels; for the report, and moderation reads no masks.
        model: a folder or hub name.
        split: labelled petitions, divided by time.
        output: the folder; one that this has written before is replaced.
        morphemes: what the words are that BERT is compared with.
        settings: the course.

    Raises:
        ConfigError: labels or `output` cannot be.
        WeightsError: as `load_bert` raises it.
    """
    began = time.monotonic()
    labels = find_labels(split)
    files, dropped = fetch_model(model), MASKS if task == "moderation" else ""
    parts = [_take(part, labels, dropped) for _, part in _name_parts(split)]
    if not (parts[1][1] >= 0).any():
        raise ConfigError(f"none of the {len(parts[1][1])} petitions to stop by has a label that was trained on")
    with write_folder(output, REPORT_FILE) as folder, _keep_state(output, task, files, split, settings) as state:
        trained = _train_classifier(files, parts, labels, dropped, settings, state)
        classifier = trained.classifier
        temperature = calibrate(classifier, trained.of_stop, parts[1][1])
        write_classifier(folder, classifier.bert, classifier.head, load_tokenizer(files.folder), labels, dropped)
        written = TextClassifier(ModelFiles(folder=folder), settings.accelerator)  # what is judged is what is stored
        qualities = _judge_labels(written, trained, temperature, parts, morphemes)
        report = LabelReport(
            order=_describe(task, files, split, settings, time.monotonic() - began),
            labels=labels,
            counts={name: count_labels(part) for name, part in _name_parts(split)},
            dropped=dropped,
            strength=trained.strength,
            temperature=temperature,
            curve=trained.curve,
            **qualities,
        )
        write_label_report(folder, report)
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A classifier as it was trained, before its temperature."""

    classifier: TrainedClassifier
    strength: float  # of the regression that its head began as
    of_stop: Logits
    of_head: Logits | None  # of the test month, by the head alone; None where nothing else was trained
    curve: list[dict[str, float]]


def _train_classifier(
    files: ModelFiles,
    parts: Sequence[LabelledTexts],
    labels: Sequence[str],
    dropped: str,
    settings: FinetuneSettings,
    state: Path,
) -> Trained:
    """Find the head, and train all weights from there."""
    train, stop, test = parts
    with tempfile.TemporaryDirectory() as name:
        start = Path(name)
        write_start(files.folder, start, labels, dropped)
        classifier = TrainedClassifier(start, settings.accelerator)
        frozen = TextClassifier(ModelFiles(folder=start), settings.accelerator)
        strength, of_stop = fit_head(classifier, frozen, train, stop)
        of_head, curve = None, list[dict[str, float]]()
        if settings.minutes:
            head = classifier.read_head()
            of_head = frozen.pool_texts(test[0]) @ head.classifier + head.classifier_bias
            curve = train_labels(classifier, train, stop, settings, state)
            of_stop = classifier.classify(stop[0])
    return Trained(classifier=classifier, strength=strength, of_stop=of_stop, of_head=of_head, curve=curve)


class Qualities(TypedDict):
    """The fields of a `LabelReport` that are measured at the end."""

    uncalibrated_error: float
    stop: Quality
    test: Quality
    head_alone: Quality
    words_stop: Quality
    words_test: Quality
    confusion: list[list[int]]


def _judge_labels(
    written: TextClassifier,
    trained: Trained,
    temperature: float,
    parts: Sequence[LabelledTexts],
    morphemes: Morphemes,
) -> Qualities:
    """Judge what was written beside its head alone and plain words."""
    train, stop, test = parts
    of_test = written.classify(test[0])
    uncalibrated = temperature * of_test
    words = WordBaseline(morphemes, train[0]).classify(train[1], stop, test[0])
    return Qualities(
        uncalibrated_error=find_calibration_error(to_probabilities(uncalibrated), test[1]),
        stop=judge(written.classify(stop[0]), stop[1]),
        test=judge(of_test, test[1]),
        head_alone=judge(uncalibrated if trained.of_head is None else trained.of_head, test[1]),
        words_stop=judge(words[0], stop[1]),
        words_test=judge(words[1], test[1]),
        confusion=count_confusion(of_test, test[1]).tolist(),
    )


def finetune_embedding(
    model: str, split: Split, output: Path, morphemes: Morphemes, settings: FinetuneSettings
) -> EmbeddingReport:
    """Fine-tune a sentence encoder so that a title finds its own body; else as `finetune_labels`.

    Where no round of training was better on the month to stop by, what is written is the model as it was.
    """
    began = time.monotonic()
    files = fetch_model(model)
    texts = {
        name: ([one.title for one in part if one.below_title], [one.below_title for one in part if one.below_title])
        for name, part in _name_parts(split)
    }

    def rank(encoder: BertEncoder, part: str) -> dict[str, float]:
        titles, bodies = texts[part]
        return find_own(encoder.embed(titles) @ encoder.embed(bodies).T)

    with (
        tempfile.TemporaryDirectory() as start,
        write_folder(output, REPORT_FILE) as folder,
        _keep_state(output, "embedding", files, split, settings) as state,
    ):
        before = rank(BertEncoder(files, settings.accelerator), "test")
        write_plain_start(files.folder, Path(start))
        encoder = open_encoder(Path(start), settings.accelerator)
        bert, drawer = find_network(encoder), MatchDrawer(encoder, *texts["train"], settings.batch_size)
        curve = train_further(bert, None, drawer, lambda: 1 - rank(encoder, "stop")["mrr"], settings, state)
        write_encoder(folder, bert, load_tokenizer(files.folder))
        words = WordBaseline(morphemes, [one.whole for one in split.train if one.below_title])
        report = EmbeddingReport(
            order=_describe("embedding", files, split, settings, time.monotonic() - began),
            before=before,
            after=rank(BertEncoder(ModelFiles(folder=folder), settings.accelerator), "test"),
            words=find_own(words.compare(*texts["test"])),
            curve=curve,
        )
        write_embedding_report(folder, report)
    return report


def find_own(similar: npt.NDArray[np.floating]) -> dict[str, float]:
    """How well titles find their own bodies among all: mean reciprocal rank, and share of first places.

    Args:
        similar: float [N, N], of titles with bodies.
    """
    places = (similar > np.diag(similar)[:, np.newaxis]).sum(axis=1) + 1  # [N]
    return {"mrr": float(np.mean(1 / places)), "first": float(np.mean(places == 1))}


def _take(examples: Sequence[Example], labels: Sequence[str], dropped: str) -> tuple[list[str], Truth]:
    """The texts of examples as they are read, and the numbers of their labels; -1 of one that is not trained on."""
    numbers = {label: number for number, label in enumerate(labels)}
    texts = [drop_signs(one.whole, dropped) for one in examples]
    return texts, np.array([numbers.get(one.label, -1) for one in examples], np.int64)


def _name_parts(split: Split) -> list[tuple[str, Sequence[Example]]]:
    return [("train", split.train), ("stop", split.stop), ("test", split.test)]


def _keep_state(
    output: Path, task: str, files: ModelFiles, split: Split, settings: FinetuneSettings
) -> AbstractContextManager[Path]:
    """The state of a training that is decided by these weights, texts, labels and settings."""
    return keep_state(output, task, name_encoder(files), split, settings)


def _describe(task: str, files: ModelFiles, split: Split, settings: FinetuneSettings, seconds: float) -> Order:
    return Order(
        task=task,
        model=name_encoder(files),
        days=split.days,
        n_petitions=[len(part) for _, part in _name_parts(split)],
        minutes=settings.minutes,
        seed=settings.seed,
        seconds=round(seconds, 1),
    )
