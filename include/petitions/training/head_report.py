"""The report of a head beside its weights: report.json, README.md, confusion.svg and reliability.svg."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from petitions.encoders.probabilities import to_probabilities
from petitions.training.finetune_report import (
    CARD_FILE,
    PICTURE_FILE,
    REPORT_FILE,
    Curve,
    Order,
    draw_confusion,
    quality_rows,
    write_table,
)
from petitions.training.judge import Logits, Quality, Truth

RELIABILITY_FILE = "reliability.svg"
N_BINS = 10  # of the picture, with about as many petitions in each
NAMES = {
    "words": "words (hashed TF-IDF, pairs too)",
    "signs": "signs (length, digits, marks)",
    "bert": "vectors of {}",
    "elmo": "layers of {}, mixed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """How a part went alone."""

    kind: str
    model: str
    chosen: str
    weight: float  # in the sum of all; 0: left out
    test: Quality
    curve: Curve

    @property
    def told(self) -> str:
        """What it is, in words."""
        return NAMES[self.kind].format(self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadReport:
    """How a head went."""

    order: Order
    labels: Sequence[str]
    counts: Mapping[str, Mapping[str, int]]  # petitions of each label, in each set
    cuts_marks: bool
    parts: Sequence[PartReport]
    held_out: Quality  # of what was trained on, each block by the others
    test: Quality
    words_test: Quality  # of TF-IDF with logistic regression
    confusion: Sequence[Sequence[int]]  # [L, L] of the test month: rows are true labels, columns given ones


def head_rows(report: HeadReport) -> list[dict[str, object]]:
    """The figures of the test month: the head, each of its parts alone, and plain words."""
    rows = {"head": report.test}
    if len(report.parts) > 1:
        rows |= {f"{part.told} alone": part.test for part in report.parts}
    rows |= {"TF-IDF, logistic regression": report.words_test}
    return quality_rows(rows)


def write_head_report(folder: Path, report: HeadReport, logits: Logits, truth: Truth) -> None:
    """Write figures, card and pictures into a folder.

    Args:
        folder: of the head.
        report: its figures.
        logits: float [N, L] of the test month.
        truth: the labels there, [N].
    """
    content = json.dumps(asdict(report), ensure_ascii=False, indent=1, default=str)
    (folder / REPORT_FILE).write_text(content + "\n", encoding="utf-8")
    draw_confusion(folder / PICTURE_FILE, report.labels, report.confusion)
    draw_reliability(folder / RELIABILITY_FILE, to_probabilities(logits), truth)
    (folder / CARD_FILE).write_text(_tell(report), encoding="utf-8")


def draw_reliability(path: Path, probabilities: Logits, truth: Truth) -> None:
    """Draw how often a label is right against the probability that was given it.

    Of two labels the second is drawn, of more the likeliest; in bins of about as many petitions each.
    """
    if probabilities.shape[1] == 2:
        said, is_right = probabilities[:, 1], truth == 1
    else:
        said, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = [rows for rows in np.array_split(np.argsort(said, kind="stable"), N_BINS) if len(rows)]
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "reliability", "font.size": 8}):
        figure = Figure(figsize=(3.2, 3.2), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        axes.plot([said[rows].mean() for rows in bins], [is_right[rows].mean() for rows in bins], marker="o")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability", ylabel="share that is so")
        figure.savefig(path, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))


def _tell(report: HeadReport) -> str:
    order, days = report.order, report.order.days
    n_train, n_stop, n_test = order.n_petitions
    cut = "Notice, masked words and line breaks are cut out before it is read.\n" if report.cuts_marks else ""
    parts = [{"part": part.told, "chosen": part.chosen, "weight": round(part.weight, 3)} for part in report.parts]
    labels = [
        {"label": label, **{name: report.counts[name].get(label, 0) for name in ("train", "stop", "test")}}
        for label in report.labels
    ]
    return f"""# {order.task}: tells {len(report.labels)} labels of a petition

A head by `petitions finetune`, in {order.seconds / 60:.1f} minutes, seed {order.seed}: {n_train} petitions that begin
in {days.since} to {days.stop_from} to train on, {n_stop} to {days.test_from} to stop
networks by (and then to train on too), and {n_test} to {days.until} to test on, whose figures these are:

{write_table(head_rows(report))}

AUROC is the mean of the labels, each against all others (of two labels that of the second).
![confusion]({PICTURE_FILE}) ![reliability]({RELIABILITY_FILE})

## What it is made of

{write_table(parts)}

The logits of the parts are added up, each times its weight, fitted where each fifth of the time was
held out in turn: that is the calibration too. {cut}
## Labels

{write_table(labels)}
"""
