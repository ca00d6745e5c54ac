"""The command that finds keywords in any texts, a line each, in memory that does not grow."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from petitions.commands.archive import QUIET_S
from petitions.commands.export import replace_file
from petitions.commands.lines import input_option
from petitions.errors import ConfigError, ParseError
from petitions.sources.lines import read_lines

LINES, CHARACTERS = 1_000, 2_000_000  # held at once: lines are few and long, or many and short
MOST_KEYWORDS = 100


@click.command()
@input_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A JSON list a line.")
@click.option("-k", "--count", type=click.IntRange(1, MOST_KEYWORDS), default=5, show_default=True, help="Of a line.")
def keywords(input_: Path, output: Path, count: int) -> None:
    """Write the nouns and compounds that each line of text is about, the weightiest first."""
    if not input_.is_file():
        raise ConfigError(f"--input must be a file, got {input_}")
    n_lines = 0
    with replace_file(output) as file:
        for texts in _track(_cut(_normalize(input_))):
            for words in _extract(texts, count):
                file.write(json.dumps(words, ensure_ascii=False) + "\n")
            n_lines += len(texts)
    click.echo(f"keywords of {n_lines} lines in {output}")


def _normalize(input_: Path) -> Iterator[str]:
    from petitions.text.normalize import normalize_text

    for number, line in enumerate(read_lines(input_), start=1):
        try:
            yield normalize_text(line).text
        except ParseError as error:
            raise ConfigError(f"{input_}, line {number}: {error}") from None


def _cut(lines: Iterable[str]) -> Iterator[list[str]]:
    """As many lines at once as are worth a process, and no more characters than fit the memory."""
    held: list[str] = []
    n_characters = 0
    for line in lines:
        held.append(line)
        n_characters += len(line)
        if len(held) == LINES or n_characters >= CHARACTERS:
            yield held
            held, n_characters = [], 0
    if held:
        yield held


def _extract(texts: list[str], count: int) -> list[list[str]]:
    from petitions.text.keywords import extract_many

    return extract_many(texts, count)


def _track(batches: Iterable[list[str]]) -> Iterator[list[str]]:
    """Go through batches; on a terminal it is said how many lines are done, when it takes long."""
    from rich.console import Console
    from rich.status import Status

    console, began, n_lines = Console(stderr=True), time.monotonic(), 0
    with Status("", console=console) as status:
        status.stop()
        for batch in batches:
            yield batch
            n_lines += len(batch)
            if console.is_terminal and time.monotonic() - began > QUIET_S:
                status.update(f"{n_lines} lines")
                status.start()


COMMANDS = (keywords,)
