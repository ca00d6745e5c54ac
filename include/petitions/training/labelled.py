"""Labelled petitions: what is trained on, divided by time, and what they must be to be trained on."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from petitions.errors import ConfigError

MIN_TRAIN, MIN_JUDGED = 40, 10  # petitions to train on; to stop by, and to test on
MOST_LABELS = 200  # more of them are no labels, but texts
ID_COLUMN, LABEL_COLUMN = "petition_id", "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A petition, and its label."""

    petition_id: str
    begins_on: date
    title: str
    below_title: str
    label: str

    @property
    def whole(self) -> str:
        """As it is encoded, see `PetitionText.whole`."""
        return "\n".join(part for part in (self.title, self.below_title) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDays:
    """The days that divide examples: [since, stop_from) to train, [stop_from, test_from) to stop, then to test."""

    since: date
    stop_from: date
    test_from: date
    until: date

    def __post_init__(self) -> None:
        days = (self.since, self.stop_from, self.test_from, self.until)
        if not self.since < self.stop_from < self.test_from < self.until:
            raise ConfigError(
                f"the days must follow each other: since, stop-from, test-from, until, got {', '.join(map(str, days))}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Examples divided by time."""

    days: SplitDays
    train: Sequence[Example]
    stop: Sequence[Example]
    test: Sequence[Example]


def split_by_time(examples: Sequence[Example], days: SplitDays) -> Split:
    """Divide examples by the day on which they begin; those of other days are left out.

    Raises:
        ConfigError: too few in one of the three, which is named with its days.
    """
    split = Split(
        days=days,
        train=[one for one in examples if days.since <= one.begins_on < days.stop_from],
        stop=[one for one in examples if days.stop_from <= one.begins_on < days.test_from],
        test=[one for one in examples if days.test_from <= one.begins_on < days.until],
    )
    for what, found, least, since, until in (
        ("to train on", split.train, MIN_TRAIN, days.since, days.stop_from),
        ("to stop by", split.stop, MIN_JUDGED, days.stop_from, days.test_from),
        ("to test on", split.test, MIN_JUDGED, days.test_from, days.until),
    ):
        if len(found) < least:
            raise ConfigError(f"{len(found)} petitions {what} begin in {since} to {until}, there must be {least}")
    return split


def find_labels(split: Split) -> list[str]:
    """The labels of the petitions to train on, sorted.

    Raises:
        ConfigError: one label only, or more than are labels.
    """
    labels = sorted({one.label for one in split.train})
    if len(labels) < 2:
        raise ConfigError(
            f"all {len(split.train)} petitions to train on have the label {labels[0]!r}: there must be 2 labels or more"
        )
    if len(labels) > MOST_LABELS:
        raise ConfigError(f"{len(labels)} different labels, at most {MOST_LABELS} may be")
    return labels


def read_label_file(path: Path, column: str = LABEL_COLUMN) -> dict[str, str]:
    """Read the labels of petitions in a CSV, whose first line names its columns: petition_id, `column`, any others.

    Raises:
        ConfigError: it is empty, no such CSV, lacks the column, or gives one petition two labels.
    """
    labels: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            head = next(rows, None) or []
            if head.count(ID_COLUMN) != 1 or head.count(column) != 1 or column == ID_COLUMN:
                raise ConfigError(
                    f"{path} must begin with a line of column names, {ID_COLUMN} and {column} among them, once each, "
                    f"got {','.join(head)!r}"
                )
            places = head.index(ID_COLUMN), head.index(column)
            for row in filter(None, rows):
                petition_id, label = _read_row(row, places, len(head), f"{path}, line {rows.line_num}")
                if labels.setdefault(petition_id, label) != label:
                    raise ConfigError(
                        f"{path}, line {rows.line_num}: {petition_id} has two labels, "
                        f"{labels[petition_id]!r} and {label!r}"
                    )
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is no CSV in UTF-8: {error}") from error
    if not labels:
        raise ConfigError(f"{path} holds no petition, there must be {MIN_TRAIN + 2 * MIN_JUDGED}")
    return labels


def _read_row(row: list[str], places: tuple[int, int], n_columns: int, where: str) -> tuple[str, str]:
    if len(row) == n_columns:
        petition_id, label = row[places[0]], row[places[1]].strip()
        if petition_id and label:
            return petition_id, label
    raise ConfigError(f"{where}: must hold an id and a label, got {row!r}")


def give_labels(examples: Sequence[Example], labels: dict[str, str], path: Path) -> list[Example]:
    """Give stored petitions the labels of a file.

    Raises:
        ConfigError: the file names petitions that are not stored, or hidden by their site.
    """
    stored = {one.petition_id for one in examples}
    unknown = [petition_id for petition_id in labels if petition_id not in stored]
    if unknown:
        raise ConfigError(
            f"{path}: {len(unknown)} of {len(labels)} petitions are not stored, or hidden, such as {unknown[0]!r}"
        )
    return [replace(one, label=labels[one.petition_id]) for one in examples if one.petition_id in labels]


def count_labels(examples: Sequence[Example]) -> dict[str, int]:
    """How many examples have each label, the most frequent first."""
    return dict(Counter(one.label for one in examples).most_common())
