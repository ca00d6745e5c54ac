"""The commands that look for petitions: similar and search."""

from typing import TYPE_CHECKING

import click

from petitions.commands.console import print_rows
from petitions.commands.options import any_source_option, count_option, json_option, open_store
from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import Source
from petitions.settings import PREFIX, Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


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


COMMANDS = (similar, search)
