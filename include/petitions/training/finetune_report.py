"""The report of a fine-tuning beside its weights: report.json, README.md and, of labels, confusion.svg."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from petitions.training.judge import Quality
from petitions.training.labelled import SplitDays

MOST_INCHES = 40.0
REPORT_FILE, CARD_FILE, PICTURE_FILE = "report.json", "README.md", "confusion.svg"
# The first is matplotlib's own, the others are the browser's.
FONTS = ["DejaVu Sans", "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", "sans-serif"]

Curve = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was trained on what."""

    task: str
    model: str  # name of the weights that it began with
    days: SplitDays
    n_petitions: Sequence[int]  # to train on, to stop by, to test on
    minutes: float
    seed: int
    seconds: float  # of all of it, measuring included


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReport:
    """How a classifier went."""

    order: Order
    labels: Sequence[str]
    counts: Mapping[str, Mapping[str, int]]  # petitions of each label, in each part
    dropped: str
    strength: float  # of the regression that the head began as
    temperature: float
    uncalibrated_error: float  # of calibration on the test month, without the temperature
    stop: Quality
    test: Quality
    head_alone: Quality  # on the test month, before all weights were trained
    words_stop: Quality
    words_test: Quality
    curve: Curve
    confusion: Sequence[Sequence[int]]  # [L, L] of the test month: rows are true labels, columns given ones


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingReport:
    """How a sentence encoder went: mean reciprocal rank and first places on the test month."""

    order: Order
    before: Mapping[str, float]
    after: Mapping[str, float]
    words: Mapping[str, float]
    curve: Curve


def quality_rows(rows: Mapping[str, Quality]) -> list[dict[str, object]]:
    """Figures in rows, each by its name."""
    return [
        {
            "by": name,
            "accuracy": round(one.accuracy, 3),
            "macro F1": round(one.macro_f1, 3),
            "AUROC": None if one.auroc is None else round(one.auroc, 3),
            "log loss": round(one.log_loss, 3),
            "ECE": round(one.calibration_error, 3),
        }
        for name, one in rows.items()
    ]


def label_rows(report: LabelReport) -> list[dict[str, object]]:
    """The figures of the test month, a row for each model."""
    rows = {
        "BERT": report.test,
        "BERT, head alone (uncalibrated)": report.head_alone,
        "TF-IDF, logistic regression": report.words_test,
    }
    return quality_rows(rows)


def embedding_rows(report: EmbeddingReport) -> list[dict[str, object]]:
    """The figures of the test month, a row for each model."""
    named = {"after": report.after, "before": report.before, "plain words": report.words}
    return [
        {"by": name, "MRR": round(one["mrr"], 3), "first places": round(one["first"], 3)} for name, one in named.items()
    ]


def write_label_report(folder: Path, report: LabelReport) -> None:
    """Write figures, card and picture into a folder."""
    _write_json(folder, report)
    draw_confusion(folder / PICTURE_FILE, report.labels, report.confusion)
    read = f", without notice, words with {report.dropped}, brackets and quotation marks" if report.dropped else ""
    text = f"""{_head(report.order, f"tells {len(report.labels)} labels of a petition")}
{write_table(label_rows(report))}

AUROC is the mean of the labels, each against all others (of two labels that of the second). The head was divided by the
temperature {report.temperature:.3f}, fitted on the month to stop by; without it the calibration error (ECE) of the test
month is {report.uncalibrated_error:.3f}. ![confusion]({PICTURE_FILE})

## How it reads

A `BertForSequenceClassification`: the state of the first token through pooler (dense, tanh) and classifier, in windows
of as many tokens as it has positions, [CLS] and [SEP] around each. The logits of a longer text are the mean of those of
its windows, weighted by their tokens. The last layer was added, and began as the mean of all tokens. The text is title,
purpose and body, a line each{read}.

## Labels

{write_table(count_rows(report))}

## Training

The head began as a logistic regression (C {report.strength:g}) on what the frozen network makes of all windows.
{_tell_curve(report.curve, "log loss of the month to stop by, at its best temperature")}
"""
    (folder / CARD_FILE).write_text(text, encoding="utf-8")


def count_rows(report: LabelReport) -> list[dict[str, object]]:
    """A row for each label: how many petitions of each part have it, and how many of the test month were found."""
    return [
        {
            "label": label,
            **{name: report.counts[name].get(label, 0) for name in ("train", "stop", "test")},
            "found in test": report.confusion[number][number],
        }
        for number, label in enumerate(report.labels)
    ]


def write_embedding_report(folder: Path, report: EmbeddingReport) -> None:
    """Write figures and card into a folder."""
    _write_json(folder, report)
    text = f"""{_head(report.order, "embeds petitions: a title finds its own body")}
{write_table(embedding_rows(report))}

A `BertModel`; a text is the mean of its tokens, without a prompt. Name the folder in `PETITIONS_EMBEDDING_MODEL`.

## Training

Titles, or parts of bodies, against windows of bodies in a batch (`training/objectives.py`, `contrast`).
{_tell_curve(report.curve, "1 less the mean reciprocal rank of the month to stop by")}
"""
    (folder / CARD_FILE).write_text(text, encoding="utf-8")


def draw_confusion(path: Path, labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> None:
    """Draw how many petitions of each label (rows) were given each (columns), darker for a larger share of the row."""
    counts = np.array(confusion)  # [L, L]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # [L, L]
    side = min(2.0 + 0.42 * len(labels), MOST_INCHES)
    with (
        matplotlib.rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "confusion", "font.sans-serif": FONTS, "font.size": 8}
        ),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # here; the reader's browser has it
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(labels)), labels, rotation=90)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("given")
        axes.set_ylabel("true")
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=colour)
        figure.savefig(path, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))


def _write_json(folder: Path, report: LabelReport | EmbeddingReport) -> None:
    content = json.dumps(asdict(report), ensure_ascii=False, indent=1, default=str)
    (folder / REPORT_FILE).write_text(content + "\n", encoding="utf-8")


def _head(order: Order, what: str) -> str:
    days, (n_train, n_stop, n_test) = order.days, order.n_petitions
    return f"""# {order.task}: {what}

Fine-tuned from {order.model} by `petitions finetune bert` in {order.seconds / 60:.1f} minutes, seed {order.seed}:
{n_train} petitions that begin in {days.since} to {days.stop_from} to train on, {n_stop} to {days.test_from} to stop by,
and {n_test} to {days.until} to test on, whose figures these are:
"""


def _tell_curve(curve: Curve, measured: str) -> str:
    if not curve:
        return "No other weights were trained."
    steps = "; ".join(f"{one['steps']:.0f}: {one['measured']:.4f}" for one in curve)
    return f"Then all weights were trained, and the best round was kept. Steps, and {measured}: {steps}."


def write_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table of Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return "–" if value is None else str(value).replace("|", r"\|").replace("\n", " ")
