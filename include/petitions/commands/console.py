"""Rows on a terminal: a table for people, JSON lines of one array for programs."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line, as every other command does; rich would end with status 1."""
        raise  # noqa: PLE0704 - called where the error is caught


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool = False, title: str = "") -> None:
    """Print rows that share their keys.

    Args:
        rows: what to print; no row prints "(no rows)", or [] as JSON.
        as_json: one JSON array on standard output instead of a table.
        title: a line above the table.
    """
    if as_json:
        plain = [{name: _finite(value) for name, value in row.items()} for row in rows]
        json.dump(plain, sys.stdout, ensure_ascii=False, default=_plain, indent=1, allow_nan=False)
        sys.stdout.write("\n")
        return
    console = _Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    if title:
        console.print(Text(title, style="bold"))
    if not rows:
        console.print("(no rows)")
        return
    table = Table(pad_edge=False)
    for name, value in rows[0].items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console.print(table)


def _cell(value: object) -> str:
    """One cell as plain text: rich markup in a petition's title stays text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, list | tuple):
        return " ".join(_cell(item) for item in value)
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def _finite(value: object) -> object:
    """NaN and infinity, which JSON does not have, as null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: object) -> object:
    """What JSON has no word for."""
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
