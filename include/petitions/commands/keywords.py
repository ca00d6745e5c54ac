"""The command that finds keywords in any texts, a line each, in memory that does not grow."""

import json
from pathlib import Path

import click

from petitions.commands.export import replace_file
from petitions.commands.lines import input_option
from petitions.commands.many import cut_batches, read_texts, track

LINES = 1_000  # at once: as many as are worth a process
MOST_KEYWORDS = 100


@click.command()
@input_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A JSON list a line.")
@click.option("-k", "--count", type=click.IntRange(1, MOST_KEYWORDS), default=5, show_default=True, help="Of a line.")
def keywords(input_: Path, output: Path, count: int) -> None:
    """Write the nouns and compounds that each line of text is about, the weightiest first."""
    from petitions.text.keywords import extract_many

    n_lines = 0
    with replace_file(output) as file:
        for texts in track(cut_batches(read_texts(input_), LINES)):
            for words in extract_many(texts, count):
                file.write(json.dumps(words, ensure_ascii=False) + "\n")
            n_lines += len(texts)
    click.echo(f"keywords of {n_lines} lines in {output}")


COMMANDS = (keywords,)
