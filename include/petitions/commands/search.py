"""The commands that look for petitions: similar and search."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from petitions.commands.console import print_rows
from petitions.commands.export import replace_file
from petitions.commands.options import any_source_option, count_option, json_option, open_store, read_date
from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import Source, Status
from petitions.settings import Settings
from petitions.sources.lines import read_lines

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from petitions.store.readers import Filters, Rows

SHOWN = [str(status) for status in Status if status != Status.HIDDEN]
BATCH = 64  # questions embedded at once


@click.command()
@click.argument("petition_id")
@count_option
@json_option
def similar(petition_id: str, count: int, as_json: bool) -> None:
    """Print the petitions most like PETITION_ID (such as sample:a-001), by its words and its vector."""
    from petitions.store.readers import read_similar

    with open_store().connect() as conn:
        print_rows(read_similar(conn, petition_id, count), as_json=as_json)


@click.command()
@click.argument("sentence", required=False)
@count_option
@any_source_option
@click.option("--category", help="Only of this category.")
@click.option("--status", type=click.Choice(SHOWN), help="Only of this status.")
@click.option("--since", callback=read_date, help="Begun on this day or later.")
@click.option("--until", callback=read_date, help="Begun before this day.")
@click.option(
    "--input", "input_", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A line a question."
)
@click.option("--output", type=click.Path(path_type=Path), help="A list of petition_id a line, in order, as JSON.")
@json_option
def search(  # noqa: PLR0913 - an option each
    sentence: str | None,
    count: int,
    input_: Path | None,
    output: Path | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Print the petitions that answer SENTENCE best, by its words and, where it is measured to help, by its vector.

    With --input and --output many questions are answered, without SENTENCE.
    """
    from petitions.store.readers import Filters

    if (sentence is None) == (input_ is None) or (input_ is None) != (output is None):
        raise ConfigError("search takes a SENTENCE, or --input and --output")
    if sentence is not None and not sentence.strip():
        raise ConfigError("the question is empty")
    wanted = Filters(**filters)
    with open_store().connect() as conn:
        refuse_unknown(conn, wanted)
        tell_without(conn, wanted.source)
        answer = make_answer(conn, wanted, count)
        if input_ is None or output is None:
            print_rows(answer([sentence or ""])[0], as_json=as_json)
            return
        with replace_file(output) as file:
            for questions in batched(read_lines(input_), BATCH):
                for rows in answer(questions):
                    file.write(json.dumps([row["petition_id"] for row in rows]) + "\n")


def make_answer(conn: "Connection", filters: "Filters", count: int) -> "Callable[[Sequence[str]], list[Rows]]":
    """What answers questions, an empty one by nothing; weights are loaded once, and only where vectors count."""
    from petitions.steps.encoders import load_encoder
    from petitions.store.fusion import is_weighed
    from petitions.store.readers import search_hybrid
    from petitions.text.normalize import normalize_text
    from petitions.text.search_words import SearchTokenizer

    settings, tokenizer = Settings.from_env(), SearchTokenizer()
    name, embed_texts = None, None
    if is_weighed(conn, filters.source):
        refuse_other_weights(conn, settings, filters.source)
        name, embed_texts = load_encoder(SEARCHED, settings, of_questions=True)

    def answer(asked: Sequence[str]) -> "list[Rows]":
        questions = [normalize_text(question).text for question in asked]
        vectors = embed_texts(questions) if embed_texts else [None] * len(questions)
        return [
            search_hybrid(
                conn, tokenizer.split_question(question), vector, count, filters, encoder=name, question=question
            )
            if question.strip()
            else []
            for question, vector in zip(questions, vectors, strict=True)
        ]

    return answer


def refuse_unknown(conn: "Connection", filters: "Filters") -> None:
    """Refuse a category that no published petition has, and days that end before they begin.

    Raises:
        ConfigError: names what was given and what may be.
    """
    from petitions.store.readers import read_categories

    if filters.since and filters.until and filters.since >= filters.until:
        raise ConfigError(f"--since must be before --until, got {filters.since} and {filters.until}")
    if filters.category is not None and filters.category not in (known := read_categories(conn)):
        raise ConfigError(
            f"--category must be one of {', '.join(known) or '(nothing is published)'}, got {filters.category!r}"
        )


def refuse_other_weights(conn: "Connection", settings: Settings, source: Source | None) -> None:
    """Refuse to embed a question by other weights than those that a source, or each published one, is searched by.

    Raises:
        ConfigError: names both, and the ways out. Their vectors may be as wide, and mean nothing to each other.
    """
    from petitions.store.readers import read_searched

    entry = ENCODERS[SEARCHED]
    name = entry.name(settings)
    others = [f"{item} by {encoder}" for item, encoder in read_searched(conn, source).items() if encoder != name]
    if others:
        raise ConfigError(
            f"published is {', '.join(others)}, but {entry.variables} is {name}: set it to the published "
            f"weights, or run a night with the new ones{'' if source else ', or name another --source'}"
        )


def tell_without(conn: "Connection", source: Source | None) -> None:
    """Say on standard error where published petitions have no words yet, so that their letters alone are looked for."""
    from petitions.store.words import read_without_words, tell_without_words

    for name, n in read_without_words(conn).items():
        if source in (None, name):
            click.echo(tell_without_words(name, n), err=True)


def batched(lines: Iterable[str], n: int) -> Iterator[list[str]]:
    """The lines, n at a time."""
    rest = iter(lines)
    while batch := list(islice(rest, n)):
        yield batch


COMMANDS = (similar, search)
