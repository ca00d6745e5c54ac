"""A head on stored petitions and their labels: an ELMo's, or plain words, signs and vectors stacked; a folder out.

The folder holds the head alone, some 100 kB, and names the encoders that it rests on: with other weights of these it is
fitted again, by the same command.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from petitions.encoders.head_files import KINDS, HeadFiles, PartOrder, call_model, write_head
from petitions.encoders.marks import cut_marks
from petitions.encoders.scorers import find_shipped
from petitions.errors import ConfigError
from petitions.training.finetune_report import REPORT_FILE, Order
from petitions.training.head_parts import (
    FittedPart,
    Labelled,
    fit_baseline,
    fit_elmo,
    fit_signs,
    fit_vectors,
    fit_words,
    sum_tensors,
    weigh_parts,
)
from petitions.training.head_report import HeadReport, PartReport, write_head_report
from petitions.training.judge import Logits, Quality, Truth, count_confusion, fit_temperature, judge
from petitions.training.labelled import Example, Split, count_labels, find_labels
from petitions.training.vector_cache import cache_vectors
from petitions.training.whole_folder import write_folder
from petitions.training.word_baseline import Morphemes

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSettings:
    """What a head is made of."""

    kinds: Sequence[str]  # of KINDS
    models: dict[str, str]  # of "bert" and "elmo": a folder or a hub name
    seed: int = 0
    accelerator: str = "auto"
    cpu_engine: str = "onnxruntime"
    n_characters: int = 480  # of the beginning that a BERT reads, one window of it; 0: all
    cache: Path | None = None  # where vectors are kept; None: for this run alone

    def __post_init__(self) -> None:
        if not self.kinds or len(set(self.kinds)) < len(self.kinds) or not set(self.kinds) <= set(KINDS):
            raise ConfigError(f"parts must be some of {', '.join(KINDS)}, each once, got {','.join(self.kinds)!r}")


def finetune_head(task: str, split: Split, output: Path, morphemes: Morphemes, settings: HeadSettings) -> HeadReport:
    """Fit a head, and write its folder, whole or not at all.

    Args:
        task: "category", "moderation" or the name of a file of labels; of moderation all marks are cut out.
        split: labelled petitions, divided by time.
        output: the folder; one that this has written before is replaced.
        morphemes: what takes a text apart.
        settings: the parts.

    Raises:
        ConfigError: labels, parts or `output` cannot be.
        WeightsError: those of an encoder are missing or damaged.
    """
    began, cuts_marks, split = time.monotonic(), task == "moderation", _sort(split)
    labels = find_labels(split)
    texts = _read(split, labels, cuts_marks)
    if not (texts.stop_truth >= 0).any():
        raise ConfigError(f"none of the {len(texts.stop)} petitions to stop by has a label that was trained on")
    test_truth = _number(split.test, labels)
    with write_folder(output, REPORT_FILE) as folder:
        words = _replace(texts, [[morphemes(text) for text in part] for part in (texts.train, texts.stop, texts.test)])
        parts = [_fit(kind, texts, words, len(labels), settings) for kind in settings.kinds]
        weights = weigh_parts([part.held_out for part in parts], texts.truth)
        kept = [(part, weight) for part, weight in zip(parts, weights, strict=True) if weight > 0]
        if not kept:
            raise ConfigError(f"no part of {', '.join(settings.kinds)} tells the labels")
        _write(folder, labels, kept, cuts_marks)
        of_test = _add(kept, "of_test")
        report = HeadReport(
            order=Order(
                task=task,
                model=", ".join(part.order.name or part.order.kind for part, _ in kept),
                days=split.days,
                n_petitions=[len(split.train), len(split.stop), len(split.test)],
                minutes=0,
                seed=settings.seed,
                seconds=round(time.monotonic() - began, 1),
            ),
            labels=labels,
            counts={
                name: count_labels(part)
                for name, part in (("train", split.train), ("stop", split.stop), ("test", split.test))
            },
            cuts_marks=cuts_marks,
            parts=[
                PartReport(
                    kind=part.order.kind,
                    model=part.order.name,
                    chosen=part.chosen,
                    weight=weight,
                    test=judge(part.of_test / fit_temperature(part.held_out, texts.truth), test_truth),
                    curve=part.curve,
                )
                for part, weight in zip(parts, weights, strict=True)
            ],
            held_out=judge(_add(kept, "held_out"), texts.truth),
            test=judge(of_test, test_truth),
            words_test=_judge_baseline(words, test_truth),
            confusion=count_confusion(of_test, test_truth).tolist(),
        )
        write_head_report(folder, report, of_test, test_truth)
    return report


def _fit(
    kind: str, texts: Labelled[list[str]], words: Labelled[list[list[str]]], n_labels: int, settings: HeadSettings
) -> FittedPart:
    if kind == "words":
        return fit_words(words)
    if kind == "signs":
        return fit_signs(texts)
    if kind == "bert":
        return _fit_bert(texts, settings)
    return _fit_elmo(texts, words, n_labels, settings)


def _fit_bert(texts: Labelled[list[str]], settings: HeadSettings) -> FittedPart:
    from petitions.encoders.bert_encoder import load_bert

    model = find_shipped(settings.models["bert"])
    encoder = load_bert(model, settings.accelerator, cpu_engine=settings.cpu_engine)
    n_read = settings.n_characters or None
    vectors = [
        cache_vectors(encoder.embed, [text[:n_read] for text in part], settings.cache, encoder.name)
        for part in (texts.train, texts.stop, texts.test)
    ]
    order = PartOrder(kind="bert", model=call_model(model), name=encoder.name, n_characters=settings.n_characters)
    return fit_vectors(order, _replace(texts, vectors))


def _fit_elmo(
    texts: Labelled[list[str]], words: Labelled[list[list[str]]], n_labels: int, settings: HeadSettings
) -> FittedPart:
    from petitions.encoders.elmo_layers import load_layers, split_layers

    model = find_shipped(settings.models["elmo"])
    encoder = load_layers(model, settings.accelerator)
    morphemes = {
        text: found
        for part, split in ((texts.train, words.train), (texts.stop, words.stop), (texts.test, words.test))
        for text, found in zip(part, split, strict=True)
    }
    layers = [
        split_layers(
            cache_vectors(
                lambda some: encoder.embed([morphemes[text] for text in some]),
                part,
                settings.cache,
                f"layers of {encoder.name}",
            ),
            encoder.n_layers,
        )
        for part in (texts.train, texts.stop, texts.test)
    ]
    order = PartOrder(kind="elmo", model=call_model(model), name=encoder.name)
    return fit_elmo(order, _replace(texts, layers), n_labels, settings.seed)


def _sort(split: Split) -> Split:
    """The same in the order of days, by which petitions are held out block by block."""
    train, stop, test = (
        sorted(part, key=lambda one: (one.begins_on, one.petition_id)) for part in (split.train, split.stop, split.test)
    )
    return replace(split, train=train, stop=stop, test=test)


def _read(split: Split, labels: Sequence[str], cuts_marks: bool) -> Labelled[list[str]]:
    clean = cut_marks if cuts_marks else str
    train, stop, test = ([clean(one.whole) for one in part] for part in (split.train, split.stop, split.test))
    truth = _number(split.train, labels)
    return Labelled(train=train, stop=stop, test=test, train_truth=truth, stop_truth=_number(split.stop, labels))


def _replace(texts: Labelled[list[str]], read: Sequence[T]) -> Labelled[T]:
    train, stop, test = read
    return Labelled(train=train, stop=stop, test=test, train_truth=texts.train_truth, stop_truth=texts.stop_truth)


def _number(examples: Sequence[Example], labels: Sequence[str]) -> Truth:
    numbers = {label: number for number, label in enumerate(labels)}
    return np.array([numbers.get(one.label, -1) for one in examples], np.int64)


def _add(kept: Sequence[tuple[FittedPart, float]], name: str) -> Logits:
    return np.sum([weight * getattr(part, name) for part, weight in kept], axis=0)


def _judge_baseline(words: Labelled[list[list[str]]], test_truth: Truth) -> Quality:
    held_out, of_test = fit_baseline(words)
    return judge(of_test / fit_temperature(held_out, words.truth), test_truth)


def _write(folder: Path, labels: Sequence[str], kept: Sequence[tuple[FittedPart, float]], cuts_marks: bool) -> None:
    parts, weights = [part for part, _ in kept], [weight for _, weight in kept]
    files = HeadFiles(
        labels=labels,
        parts=[part.order for part in parts],
        cuts_marks=cuts_marks,
        tensors=sum_tensors(parts, weights),
    )
    write_head(folder, files)
