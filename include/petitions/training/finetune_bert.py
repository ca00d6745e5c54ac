"""A BERT fine-tuned on labelled petitions, or on their titles and bodies: examples in, a folder and its report out."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.classifier import TextClassifier, to_probabilities
from petitions.encoders.hub import ModelFiles, fetch_model, load_tokenizer
from petitions.encoders.labels import MASKS, drop_signs
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
from petitions.training.judge import Truth, count_confusion, find_calibration_error, judge
from petitions.training.label_trainer import (
    FinetuneSettings,
    MatchDrawer,
    calibrate,
    fit_head,
    train_further,
    train_labels,
)
from petitions.training.labelled import Example, Split, count_labels, find_labels
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
    train, stop, test = (_take(part, labels, dropped) for part in (split.train, split.stop, split.test))
    if not (stop[1] >= 0).any():
        raise ConfigError(f"none of the {len(stop[1])} petitions to stop by has a label that was trained on")
    with tempfile.TemporaryDirectory() as name, write_folder(output, REPORT_FILE) as folder:
        work = Path(name)
        words = WordBaseline(morphemes, train[0]).classify(train[1], stop, test[0])
        write_start(files.folder, work, labels, dropped)
        classifier = TrainedClassifier(work, settings.accelerator)
        frozen = TextClassifier(ModelFiles(folder=work), settings.accelerator)
        strength, of_stop = fit_head(classifier, frozen, train, stop)
        of_head, curve = None, list[dict[str, float]]()
        if settings.minutes:
            head = classifier.read_head()
            of_head = frozen.pool_texts(test[0]) @ head.classifier + head.classifier_bias
            curve = train_labels(classifier, train, stop, settings, work / "state")
            of_stop = classifier.classify(stop[0])
        temperature = calibrate(classifier, of_stop, stop[1])
        write_classifier(folder, classifier.bert, classifier.head, classifier.tokenizer, labels, dropped)
        written = TextClassifier(ModelFiles(folder=folder), settings.accelerator)  # what is judged is what is stored
        of_test = written.classify(test[0])
        uncalibrated = temperature * of_test
        report = LabelReport(
            order=_describe(task, files, split, settings, time.monotonic() - began),
            labels=labels,
            counts={name: count_labels(part) for name, part in _name_parts(split)},
            dropped=dropped,
            strength=strength,
            temperature=temperature,
            uncalibrated_error=find_calibration_error(to_probabilities(uncalibrated), test[1]),
            stop=judge(written.classify(stop[0]), stop[1]),
            test=judge(of_test, test[1]),
            head_alone=judge(uncalibrated if of_head is None else of_head, test[1]),
            words_stop=judge(words[0], stop[1]),
            words_test=judge(words[1], test[1]),
            curve=curve,
            confusion=count_confusion(of_test, test[1]).tolist(),
        )
        write_label_report(folder, report)
    return report


def finetune_embedding(
    model: str, split: Split, output: Path, morphemes: Morphemes, settings: FinetuneSettings
) -> EmbeddingReport:
    """Fine-tune a sentence encoder so that a title finds its own body; else as `finetune_labels`.

    Where no round of training was better on the month to stop by, what is written is the model as it was.
    """
    began = time.monotonic()
    files = fetch_model(model)
    whole = {name: [one for one in part if one.below_title] for name, part in _name_parts(split)}
    titles, bodies = (
        {name: [getattr(one, field) for one in part] for name, part in whole.items()}
        for field in ("title", "below_title")
    )
    before = BertEncoder(files, settings.accelerator)

    def rank(encoder: BertEncoder, part: str) -> dict[str, float]:
        return find_own(encoder.embed(titles[part]) @ encoder.embed(bodies[part]).T)

    with tempfile.TemporaryDirectory() as name, write_folder(output, REPORT_FILE) as folder:
        work = Path(name)
        words = WordBaseline(morphemes, [one.whole for one in whole["train"]])
        write_plain_start(files.folder, work)
        encoder = open_encoder(work, settings.accelerator)
        bert = find_network(encoder)
        drawer = MatchDrawer(encoder, titles["train"], bodies["train"], settings.batch_size)
        curve = train_further(bert, None, drawer, lambda: 1 - rank(encoder, "stop")["mrr"], settings, work / "state")
        write_encoder(folder, bert, load_tokenizer(files.folder))
        written = BertEncoder(ModelFiles(folder=folder), settings.accelerator)
        report = EmbeddingReport(
            order=_describe("embedding", files, split, settings, time.monotonic() - began),
            before=rank(before, "test"),
            after=rank(written, "test"),
            words=find_own(words.compare(titles["test"], bodies["test"])),
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
