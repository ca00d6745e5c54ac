"""The commands that ask BERT's two heads, as in the study note: fill (masked words) and next (next sentence)."""

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
@click.argument("first")
@click.argument("second")
@json_option
def next_(first: str, second: str, as_json: bool) -> None:
    """Print the probability that SECOND follows FIRST."""
    from petitions.encoders.bert_encoder import load_bert
    from petitions.scoring.next_sentence import score_next_sentence

    settings = Settings.from_env()
    probability = score_next_sentence(load_bert(settings.bert_model, settings.accelerator), [(first, second)])[0]
    print_rows([{"is_next": float(probability)}], as_json=as_json)


COMMANDS = (fill, next_)
