"""The commands that tell the published topics: topics and trends."""

from collections.abc import Sequence
from typing import Any

import click

from petitions.commands.console import print_rows
from petitions.commands.options import any_source_option, json_option, open_store
from petitions.records import Source

SHARES = ("share", "balanced_share", "agreement_share")
TOPIC_COLUMNS = ("topic_id", "label", *SHARES, "mixture_share", "n_petitions", "n_open", "npmi", "top_terms")
TREND_COLUMNS = ("week", "n_days", "topic_id", "label", *SHARES, "n_petitions", "n_agreements", "n_open")


@click.command()
@any_source_option
@json_option
def topics(source: Source | None, as_json: bool) -> None:
    """Print the published topics of a source, or of all, largest first."""
    from petitions.store.readers import read_current_topics

    with open_store().connect() as conn:
        _print(read_current_topics(conn, source), TOPIC_COLUMNS, as_json)


@click.command()
@any_source_option
@json_option
def trends(source: Source | None, as_json: bool) -> None:
    """Print petitions and agreements by week and topic, of a source or of all that are published."""
    from petitions.store.readers import read_trends

    with open_store().connect() as conn:
        _print(read_trends(conn, source), TREND_COLUMNS, as_json)


def _print(rows: Sequence[dict[str, Any]], names: Sequence[str], as_json: bool) -> None:
    """All columns as JSON, these on screen; and the source where there are several."""
    if len({row["source"] for row in rows}) > 1:
        names = ("source", *names)
    print_rows(rows if as_json else [{name: row[name] for name in names} for row in rows], as_json=as_json)


COMMANDS = (topics, trends)
