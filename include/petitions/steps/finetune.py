"""Fine-tuning on stored petitions: which are read, and which labels they have."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection, Engine

from petitions.errors import EmptyWindowError
from petitions.records import Source
from petitions.store import labels as store
from petitions.training.labelled import (
    LABEL_COLUMN,
    Example,
    Split,
    SplitDays,
    give_labels,
    read_label_file,
    split_by_time,
)

if TYPE_CHECKING:
    from petitions.training.finetune_head import HeadSettings
    from petitions.training.finetune_report import EmbeddingReport, LabelReport
    from petitions.training.head_report import HeadReport
    from petitions.training.label_trainer import FinetuneSettings

MODERATED, UNTOUCHED = "moderated", "untouched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days that are asked for; those that are None follow from what is stored, see `choose_days`."""

    since: date | None = None
    stop_from: date | None = None
    test_from: date | None = None
    until: date | None = None


def finetune(
    engine: Engine,
    source: Source,
    days: Days,
    *,
    task: str,
    label_file: Path | None,
    column: str = LABEL_COLUMN,
    model: str,
    output: Path,
    settings: "FinetuneSettings",
) -> "LabelReport | EmbeddingReport":
    """Fine-tune a BERT on stored petitions, and write its folder.

    Args:
        engine: of the results database.
        source: whose petitions; those of a file of labels are of any source.
        days: which of them, and how they are divided.
        task: "category", "moderation" or "embedding"; with a file of labels its name in the report.
        label_file: a CSV of petition_id and label.
        column: which of its columns is the label.
        model: a folder or hub name of a BERT.
        output: the folder that is written.
        settings: the course.

    Raises:
        ConfigError: days, labels or `output` cannot be, or there are too few petitions.
        EmptyWindowError: the source has no petition.
        WeightsError: the model is missing or damaged.
    """
    with engine.connect() as conn:
        split = read_split(conn, source, days, task, label_file, column)
    from petitions.text.tokenizer import Tokenizer
    from petitions.training.finetune_bert import finetune_embedding, finetune_labels

    morphemes = Tokenizer().morphemes
    if task == "embedding":
        return finetune_embedding(model, split, output, morphemes, settings)
    return finetune_labels(task, model, split, output, morphemes, settings)


def finetune_head(
    engine: Engine,
    source: Source,
    days: Days,
    *,
    task: str,
    label_file: Path | None,
    column: str = LABEL_COLUMN,
    output: Path,
    settings: "HeadSettings",
) -> "HeadReport":
    """Fit a head on stored petitions, and write its folder; see `finetune` for the arguments and what is raised."""
    with engine.connect() as conn:
        split = read_split(conn, source, days, task, label_file, column)
    from petitions.text.tokenizer import Tokenizer
    from petitions.training.finetune_head import finetune_head as fit

    return fit(task, split, output, Tokenizer().morphemes, settings)


def read_split(
    conn: Connection, source: Source, days: Days, task: str, label_file: Path | None, column: str = LABEL_COLUMN
) -> Split:
    """Read labelled petitions, and divide them by time."""
    if label_file is not None:
        labels = read_label_file(label_file, column)
        examples = give_labels(
            [_label(item, task) for item in store.read_labelled_of(conn, labels)], labels, label_file
        )
        first, last = min(one.begins_on for one in examples), max(one.begins_on for one in examples)
    else:
        stored = store.read_days(conn, source)
        if stored is None:
            raise EmptyWindowError(f"no petition of {source} is stored")
        first, last = stored
    chosen = choose_days(days, first, last)
    if label_file is None:
        examples = [_label(item, task) for item in store.read_labelled(conn, source, chosen.since, chosen.until)]
    return split_by_time(examples, chosen)


def choose_days(days: Days, first: date, last: date) -> SplitDays:
    """Fill in the days that are not asked for.

    Args:
        days: as asked for.
        first: the first day that has a petition.
        last: the last one.

    Returns:
        Without any wish, all that is there: the last month to test on, the month before it to stop by.
    """
    until = days.until or last + timedelta(days=1)
    test_from = days.test_from or until - relativedelta(months=1)
    stop_from = days.stop_from or test_from - relativedelta(months=1)
    return SplitDays(since=days.since or min(first, stop_from), stop_from=stop_from, test_from=test_from, until=until)


def _label(item: store.LabelledText, task: str) -> Example:
    label = item.category
    if task == "moderation":
        label = MODERATED if item.is_moderated else UNTOUCHED
    return Example(
        petition_id=item.text.petition_id,
        begins_on=item.begins_on,
        title=item.text.title,
        below_title=item.text.below_title,
        label=label,
    )
