"""The commands that take many texts, a line each: tokens and embed."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from petitions.commands.many import read_texts, write_rows
from petitions.encoders.registry import ENCODERS
from petitions.settings import Settings

if TYPE_CHECKING:
    from petitions.steps.encoders import Embed

EMBEDDED_AT_ONCE = 4_096  # lines: batches of one length are filled from them

input_option = click.option("--input", "input_", type=click.Path(path_type=Path), required=True, help="A line a text.")


@click.command()
@input_option
@click.option("--search", is_flag=True, help="The words that search goes by, in place of the tokens of topics.")
def tokens(input_: Path, search: bool) -> None:
    """Print one line of tokens for each line of text."""
    from petitions.text.search_words import split_many
    from petitions.text.tokenizer import tokenize_many

    split = split_many if search else tokenize_many
    for line in split(list(read_texts(input_))):
        click.echo(" ".join(line))


@click.command()
@input_option
@click.option("--output", type=click.Path(path_type=Path), required=True, help="An .npy file.")
@click.option("--encoder", type=click.Choice(list(ENCODERS)), default="bert", show_default=True)
@click.option(
    "--questions", is_flag=True, help="Lines are what is asked: with that prompt of the model, if it has one."
)
def embed(input_: Path, output: Path, encoder: str, questions: bool) -> None:
    """Write float32 [lines, dimensions], unit length, in the order of the lines, however many they are."""

    def load() -> "Embed":
        from petitions.steps.encoders import load_encoder

        return load_encoder(encoder, Settings.from_env(), of_questions=questions)[1]

    write_rows(partial(read_texts, input_), load, output, EMBEDDED_AT_ONCE)


COMMANDS = (tokens, embed)
