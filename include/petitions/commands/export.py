"""The command `petitions export`: a readers' view as CSV, JSON lines or Parquet, in memory that does not grow."""

import csv
import io
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import click

from petitions.commands.options import open_store
from petitions.errors import ConfigError

_UNFINISHED = ".unfinished-"
Rows = Iterator[Sequence[Any]]


class _Null(int):
    """What csv takes for a number, and so leaves without quotes: empty. An empty text is quoted, as COPY does it."""

    def __str__(self) -> str:
        return ""


_NULL = _Null()


def write_csv(file: IO[str], names: Sequence[str], rows: Rows) -> int:
    """Write a line of names and a line a row; returns the number of rows.

    Texts are quoted and numbers are not; a null is nothing at all, and an empty text is "". Arrays and objects are
    JSON, moments ISO 8601.
    """
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(names)
    n_rows = 0
    for row in rows:
        writer.writerow([_as_cell(value) for value in row])
        n_rows += 1
    return n_rows


def write_jsonl(file: IO[str], names: Sequence[str], rows: Rows) -> int:
    """Write one JSON object a row; returns the number of rows.

    Moments are ISO 8601; numbers that JSON has no word for are the texts "nan", "inf" and "-inf".
    """
    n_rows = 0
    for row in rows:
        file.write(_to_json({name: _as_json(value) for name, value in zip(names, row, strict=True)}) + "\n")
        n_rows += 1
    return n_rows


Writer = Callable[[IO[str], Sequence[str], Rows], int]
WRITERS: dict[str, Writer] = {"csv": write_csv, "jsonl": write_jsonl}


def _as_cell(value: object) -> object:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return str(value).lower()
    return _to_json(value) if isinstance(value, list | dict) else _as_json(value)


def _as_json(value: object) -> object:
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_json)


@contextmanager
def replace_file(output: Path, *, is_binary: bool = False) -> Iterator[IO[Any]]:
    """Open a file that stands under its name only when it is whole; broken off, what was there before stays.

    Args:
        output: its name.
        is_binary: of bytes; else of text in UTF-8.

    Raises:
        ConfigError: there is something else than a file of that name, such as a device.
    """
    output = output.resolve()
    if output.exists() and not output.is_file():
        raise ConfigError(f"--output must be a file, got {output}")
    unfinished = output.with_name(f"{_UNFINISHED}{os.getpid()}-{output.name}")
    try:
        opened: IO[Any] = unfinished.open("wb") if is_binary else unfinished.open("w", encoding="utf-8", newline="")
        with opened as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _open_stdout(*, is_binary: bool) -> Iterator[IO[Any]]:
    """Standard output, texts in UTF-8 whatever the locale."""
    if is_binary and sys.stdout.isatty():
        raise ConfigError("--format parquet is not for a terminal: use --output FILE")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    if not is_binary:
        yield sys.stdout
        return
    with tempfile.TemporaryFile() as whole:  # before it is sent: a Parquet file that broke off would look whole
        yield whole
        whole.seek(0)
        shutil.copyfileobj(whole, sys.stdout.buffer)


@click.command()
@click.argument("view")
@click.option("--format", "format_", type=click.Choice(["parquet", *WRITERS]), required=True, help="Of the output.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file.  [default: standard output]")
def export(view: str, format_: str, output: Path | None) -> None:
    """Write all rows of VIEW, one of those that readers have (such as current_petition)."""
    from petitions.store.view_rows import open_view

    is_binary = format_ not in WRITERS
    opened: AbstractContextManager[IO[Any]] = (
        replace_file(output, is_binary=is_binary) if output else _open_stdout(is_binary=is_binary)
    )
    with open_view(open_store(), view) as found, opened as file:
        if is_binary:
            from petitions.store.parquet import write_parquet

            n_rows = write_parquet(file, found)
        else:
            n_rows = WRITERS[format_](file, found.names, found.rows)
    if output:
        click.echo(f"{n_rows} rows of {view} in {output}")


COMMANDS = (export,)
