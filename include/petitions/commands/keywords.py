"""The command that finds keywords in any texts, a line each, in memory that does not grow."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from petitions.commands.export import replace_file
from petitions.commands.lines import input_option
from petitions.commands.many import cut_batches, read_texts, track
from petitions.encoders.registry import ENCODERS, SEARCHED, find_encoder
from petitions.errors import ConfigError
from petitions.settings import Settings

LINES = 1_000  # at once: as many as are worth a process
MOST_KEYWORDS = 100


@click.command()
@input_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A JSON list a line.")
@click.option("-k", "--count", type=click.IntRange(1, MOST_KEYWORDS), default=5, show_default=True, help="Of a line.")
@click.option("--encoder", type=click.Choice(list(ENCODERS)), default=SEARCHED, show_default=True, help="Whose.")
def keywords(input_: Path, output: Path, count: int, encoder: str) -> None:
    """Write the nouns and compounds that each line of text is about, the weightiest first.

    They are those that the step score stores under the encoder: its masked words count as much as they do there.
    """
    extract, n_lines = _choose(encoder, count), 0
    with replace_file(output) as file:
        for texts in track(cut_batches(read_texts(input_), LINES)):
            for words in extract(texts):
                file.write(json.dumps(words, ensure_ascii=False) + "\n")
            n_lines += len(texts)
    click.echo(f"keywords of {n_lines} lines in {output}")


def _choose(encoder: str, count: int) -> Callable[[list[str]], list[list[str]]]:
    """What finds the keywords of an encoder; its weights are loaded only where they count."""
    entry = find_encoder(encoder)
    if not entry.has_keywords:
        those = ", ".join(name for name, one in ENCODERS.items() if one.has_keywords)
        raise ConfigError(f"{encoder} gives no keywords, only {those}: it has no masked words to weigh them by")
    if not entry.masked_weight:
        from petitions.text.keywords import extract_many

        return partial(extract_many, top_k=count)
    from petitions.steps.encoders import open_encoder
    from petitions.steps.score import extract_words

    settings = Settings.from_env()
    entry.require_heads(settings)
    masked = open_encoder(encoder, settings)

    def extract(texts: list[str]) -> list[list[str]]:
        found = extract_words(texts, masked, entry.masked_weight, count)
        return [[word for word, _ in words] for words in found]

    return extract


COMMANDS = (keywords,)
