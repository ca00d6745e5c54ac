"""Rows to a table that a spreadsheet opens: Korean as it is, and no cell that would be reckoned as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi import Response

MARK = "\ufeff"  # by which Excel knows UTF-8
# A cell that begins so is a formula to a spreadsheet, which full-width signs and blanks before them do not change.
_FORMULA = tuple("=+-@＝＋－＠|%")


def make_safe(value: object) -> object:
    """A value as a cell: a text that would be a formula is given the ' by which spreadsheets know a text."""
    if not isinstance(value, str):
        return value
    is_formula = value.lstrip().startswith(_FORMULA) or value.startswith(("\t", "\r", "\n"))
    return f"'{value}" if is_formula else value


def write_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write CSV in UTF-8 with a mark, as Excel and all others read it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([make_safe(name) for name in header])
    writer.writerows([make_safe(value) for value in row] for row in rows)
    return (MARK + out.getvalue()).encode()


def give_table(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Answer by a file of this name, which is of letters, digits, - and . alone."""
    return Response(
        write_table(header, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
