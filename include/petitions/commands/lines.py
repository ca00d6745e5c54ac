"""The commands that take many texts, a line each: tokens and embed."""

from pathlib import Path

import click

from petitions.encoders.registry import ENCODERS
from petitions.settings import Settings
from petitions.sources.lines import read_lines

input_option = click.option("--input", "input_", type=click.Path(path_type=Path), required=True, help="A line a text.")


@click.command()
@input_option
@click.option("--search", is_flag=True, help="The words that search goes by, in place of the tokens of topics.")
def tokens(input_: Path, search: bool) -> None:
    """Print one line of tokens for each line of text."""
    from petitions.text.normalize import normalize_text
    from petitions.text.search_words import split_many
    from petitions.text.tokenizer import tokenize_many

    split = split_many if search else tokenize_many
    for line in split([normalize_text(line).text for line in read_lines(input_)]):
        click.echo(" ".join(line))


@click.command()
@input_option
@click.option("--output", type=click.Path(path_type=Path), required=True, help="An .npy file.")
@click.option("--encoder", type=click.Choice(list(ENCODERS)), default="bert", show_default=True)
@click.option(
    "--questions", is_flag=True, help="Lines are what is asked: with that prompt of the model, if it has one."
)
def embed(input_: Path, output: Path, encoder: str, questions: bool) -> None:
    """Write float32 [lines, dimensions], unit length, in the order of the lines."""
    import numpy as np

    from petitions.steps.encoders import load_encoder
    from petitions.text.normalize import normalize_text

    texts = [normalize_text(line).text for line in read_lines(input_)]
    _, embed_texts = load_encoder(encoder, Settings.from_env(), of_questions=questions)
    vectors = embed_texts(texts)
    with output.open("wb") as file:
        np.save(file, vectors)


COMMANDS = (tokens, embed)
