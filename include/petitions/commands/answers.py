"""The commands that print answers: topics, trends, similar, search, tokens, embed, fill, next."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from petitions.commands.console import print_rows
from petitions.commands.options import (
    any_source_option,
    count_option,
    json_option,
    open_store,
    source_option,
    source_or_setting,
)
from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import Source
from petitions.settings import PREFIX, Settings
from petitions.sources.lines import read_lines

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHARES = ("share", "balanced_share", "agreement_share")
TOPIC_COLUMNS = ("topic_id", "label", *SHARES, "n_petitions", "npmi", "top_terms")  # on screen; JSON has all
TREND_COLUMNS = ("week", "topic_id", "label", *SHARES, "n_petitions", "n_agreements")


@click.command()
@source_option
@json_option
def topics(source: Source | None, as_json: bool) -> None:
    """Print the published topics of a source, largest first."""
    from petitions.store.readers import read_current_topics

    with open_store().connect() as conn:
        rows = read_current_topics(conn, source_or_setting(source))
    shown = rows if as_json else [{name: row[name] for name in TOPIC_COLUMNS} for row in rows]
    print_rows(shown, as_json=as_json)


@click.command()
@source_option
@json_option
def trends(source: Source | None, as_json: bool) -> None:
    """Print petitions and agreements by week and topic."""
    from petitions.store.readers import read_trends

    with open_store().connect() as conn:
        rows = read_trends(conn, source_or_setting(source))
    shown = rows if as_json else [{name: row[name] for name in TREND_COLUMNS} for row in rows]
    print_rows(shown, as_json=as_json)


@click.command()
@click.argument("petition_id")
@count_option
@json_option
def similar(petition_id: str, count: int, as_json: bool) -> None:
    """Print the petitions most like PETITION_ID (such as sample:a-001), by BERT embedding."""
    from petitions.store.readers import read_similar

    with open_store().connect() as conn:
        print_rows(read_similar(conn, petition_id, count), as_json=as_json)


@click.command()
@click.argument("sentence")
@count_option
@any_source_option
@json_option
def search(sentence: str, count: int, source: Source | None, as_json: bool) -> None:
    """Print the petitions nearest to SENTENCE, by its words and by its meaning (BERT embedding) together."""
    from petitions.steps.encoders import load_encoder
    from petitions.store.readers import search_hybrid
    from petitions.text.normalize import normalize_text
    from petitions.text.tokenizer import Tokenizer

    settings = Settings.from_env()
    with open_store().connect() as conn:
        refuse_other_weights(conn, settings, source)
        name, embed_texts = load_encoder(SEARCHED, settings)
        question = normalize_text(sentence).text
        tokens, embedding = Tokenizer().tokenize(question), embed_texts([question])[0]
        rows = search_hybrid(conn, tokens, embedding, count, source, encoder=name)
    print_rows(rows, as_json=as_json)


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
            f"published is {', '.join(others)}, but {PREFIX}{entry.setting.upper()} is {name}: set it to the published "
            f"weights, or run a night with the new ones{'' if source else ', or name another --source'}"
        )


input_option = click.option("--input", "input_", type=click.Path(path_type=Path), required=True, help="A line a text.")


@click.command()
@input_option
def tokens(input_: Path) -> None:
    """Print one line of tokens for each line of text."""
    from petitions.text.normalize import normalize_text
    from petitions.text.tokenizer import tokenize_many

    for line in tokenize_many([normalize_text(line).text for line in read_lines(input_)]):
        click.echo(" ".join(line))


@click.command()
@input_option
@click.option("--output", type=click.Path(path_type=Path), required=True, help="An .npy file.")
@click.option("--encoder", type=click.Choice(list(ENCODERS)), default="bert", show_default=True)
def embed(input_: Path, output: Path, encoder: str) -> None:
    """Write float32 [lines, dimensions], unit length, in the order of the lines."""
    import numpy as np

    from petitions.steps.encoders import load_encoder
    from petitions.text.normalize import normalize_text

    texts = [normalize_text(line).text for line in read_lines(input_)]
    _, embed_texts = load_encoder(encoder, Settings.from_env())
    vectors = embed_texts(texts)
    with output.open("wb") as file:
        np.save(file, vectors)


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


COMMANDS = (topics, trends, similar, search, tokens, embed, fill, next_)
