"""The commands that tell the published topics: topics and trends."""

import click

from petitions.commands.console import print_rows
from petitions.commands.options import json_option, open_store, source_option, source_or_setting
from petitions.records import Source

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


COMMANDS = (topics, trends)
