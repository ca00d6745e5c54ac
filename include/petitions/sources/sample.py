"""The petitions that ship with the project: invented ones, dated relative to the end of the window; no network.

A file is JSON lines: {"id": "a-001", "category": a Blue House name, "theme": slug, "days_before": 1 to 91,
"n_agreements": int, "title": str, "body": str}. A petition begins `days_before` days before the window's `until`.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable

from petitions.errors import ParseError
from petitions.records import Petition, Source, Status, Window
from petitions.sources.categories import BLUEHOUSE_CATEGORIES
from petitions.sources.fields import parse_count, parse_text, shorten
from petitions.sources.lines import split_lines

OPEN_DAYS = timedelta(days=30)
ANSWERED_FROM = 200_000  # agreements from which the Blue House promised an answer
MOST_DAYS_BEFORE = 91
_KEYS = frozenset({"id", "category", "theme", "days_before", "n_agreements", "title", "body"})
_CATEGORIES = frozenset(BLUEHOUSE_CATEGORIES.values())


def read_sample(window: Window, folder: Traversable | None = None) -> Iterator[Petition]:
    """Read the sample petitions that begin in the window, in the order of the files.

    Raises:
        ParseError: a broken line, named by file and line, or an id that was there before.
    """
    folder = folder if folder is not None else files("petitions.sources") / "sample_data"
    seen: set[str] = set()
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".jsonl"):
            continue
        for number, line in enumerate(split_lines(path.read_bytes().decode()), 1):
            petition = _parse_line(line, f"{path.name} line {number}", window)
            if petition.source_id in seen:
                raise ParseError(f"{path.name} line {number}: the id {petition.source_id} stands there twice")
            seen.add(petition.source_id)
            if petition.begins_on in window:
                yield petition


def _parse_line(line: str, where: str, window: Window) -> Petition:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ParseError(f"{where}: no JSON: {error}") from None
    if not isinstance(row, dict) or set(row) != _KEYS:
        raise ParseError(f"{where}: expected the keys {', '.join(sorted(_KEYS))}, found {_name_keys(row)}")
    if str(row["category"]) not in _CATEGORIES:
        raise ParseError(f"{where}: key category: expected a Blue House category, found {shorten(row['category'])}")
    days_before, n_agreements = row["days_before"], parse_count(row["n_agreements"], f"{where}: key n_agreements")
    if not isinstance(days_before, int) or not 1 <= days_before <= MOST_DAYS_BEFORE:
        raise ParseError(f"{where}: key days_before: expected 1 to {MOST_DAYS_BEFORE}, found {shorten(days_before)}")
    begins_on = window.until - timedelta(days=days_before)
    ends_on = begins_on + OPEN_DAYS
    closed = Status.ANSWERED if n_agreements >= ANSWERED_FROM else Status.ENDED
    source_id = parse_text(row["id"], f"{where}: key id")
    return Petition(
        source=Source("sample"),
        source_id=source_id,
        title=parse_text(row["title"], f"{where}: key title"),
        body=parse_text(row["body"], f"{where}: key body"),
        category=row["category"],
        status=Status.OPEN if ends_on >= window.until else closed,
        n_agreements=n_agreements,
        begins_on=begins_on,
        ends_on=ends_on,
        url=f"https://example.org/sample/{source_id}",
    )


def _name_keys(row: object) -> str:
    keys: Mapping[str, object] | None = row if isinstance(row, dict) else None
    return ", ".join(sorted(keys)) if keys else type(row).__name__
