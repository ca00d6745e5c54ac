"""The commands that ask BERT's two heads, as in the study note: fill (masked words) and next (next sentence)."""

from functools import partial
from pathlib import Path

import click

from petitions.commands.console import print_rows
from petitions.commands.options import count_option, json_option
from petitions.settings import Settings


@click.command()
@click.argument("text")
@count_option
@json_option
def fill(text: str, count: int, as_json: bool) -> None:
    """Print the likeliest words for the one [MASK] in TEXT."""
    from petitions.encoders.bert_encoder import load_bert
    from petitions.scoring.masked_lm import fill_mask

    settings = Settings.from_env()
    fillings = fill_mask(load_bert(settings.bert_model, settings.accelerator), [text], count)[0]
    print_rows([{"token": item.token, "probability": item.probability} for item in fillings], as_json=as_json)


@click.command("next")
@click.argument("first", required=False)
@click.argument("second", required=False)
@click.option("--input", "input_", type=click.Path(path_type=Path), help="A pair a line: first, tab, second.")
@click.option("--output", type=click.Path(path_type=Path), help="An .npy file, float32 [lines].")
@json_option
def next_(first: str | None, second: str | None, input_: Path | None, output: Path | None, as_json: bool) -> None:
    """Print the probability that SECOND follows FIRST, or write those of the pairs of a file."""
    n_texts, n_files = (sum(given is not None for given in pair) for pair in ((first, second), (input_, output)))
    if (n_texts, n_files) not in ((2, 0), (0, 2)):
        raise click.UsageError("give FIRST and SECOND, or --input and --output")
    from petitions.encoders.bert_encoder import load_bert
    from petitions.scoring.next_sentence import score_next_sentence
    from petitions.scoring.pair_files import score_pair_file

    settings = Settings.from_env()
    load = partial(load_bert, settings.bert_model, settings.accelerator, settings.embedding_model)  # as for the store
    if input_ is not None and output is not None:
        score_pair_file(load, input_, output)
    elif first is not None and second is not None:
        print_rows([{"is_next": float(score_next_sentence(load(), [(first, second)])[0])}], as_json=as_json)


COMMANDS = (fill, next_)
