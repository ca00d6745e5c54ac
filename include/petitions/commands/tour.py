"""What a run found, on one screen: the topics, one petition with its scores, and example queries with their answers."""

from importlib.resources import files

import click

from petitions.commands.console import print_rows
from petitions.commands.options import open_store, source_option, source_or_setting
from petitions.commands.topics import TOPIC_COLUMNS
from petitions.records import Source


@click.command()
@source_option
def tour(source: Source | None) -> None:
    """Print the topics, a scored petition and example queries with their answers."""
    from sqlalchemy import text

    from petitions.store.readers import read_current_topics, read_loudest

    wanted = source_or_setting(source)
    examples = files("petitions.store").joinpath("examples.sql").read_text(encoding="utf-8")
    with open_store().connect() as conn:
        topics = read_current_topics(conn, wanted)
        print_rows([{name: row[name] for name in TOPIC_COLUMNS} for row in topics], title=f"Topics of {wanted}")
        for row in read_loudest(conn, wanted, 1):
            fields = [{"column": name, "value": _shorten(value)} for name, value in row.items()]
            print_rows(fields, title="A scored petition: SELECT * FROM petitions.current_petition")
        for example in filter(None, map(str.strip, examples.split(";\n"))):
            heading, _, query = example.removeprefix("-- ").partition("\n")
            click.echo(f"\n{heading}\n\n{query.replace(':source', repr(str(wanted)))};\n")
            print_rows([dict(row) for row in conn.execute(text(query), {"source": str(wanted)}).mappings()])


def _shorten(value: object, limit: int = 200) -> object:
    """A long text by its beginning."""
    return f"{value[:limit]}…" if isinstance(value, str) and len(value) > limit else value


COMMANDS = (tour,)
