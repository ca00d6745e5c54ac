"""What a run found, on one screen: the topics, one petition with its scores, and example queries with their answers."""

from importlib.resources import files

import click

from petitions.answers import json_option, open_store, source_option, source_or_setting
from petitions.console import print_rows
from petitions.doctor import examine


@click.command()
@source_option
def tour(source: str | None) -> None:
    """Print the topics, a scored petition and example queries with their answers."""
    from sqlalchemy import text

    from petitions.store.readers import read_current_topics

    wanted = source_or_setting(source)
    examples = files("petitions.store").joinpath("examples.sql").read_text(encoding="utf-8")
    with open_store().connect() as conn:
        print_rows(read_current_topics(conn, wanted), title=f"Topics of {wanted}")
        for example in examples.split(";\n"):
            if not example.strip():
                continue
            heading, _, query = example.strip().removeprefix("-- ").partition("\n")
            click.echo(f"\n{heading}\n\n{query};\n")
            print_rows([dict(row) for row in conn.execute(text(query), {"source": str(wanted)}).mappings()])


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what is missing: settings, database, weights, Mecab dictionary, accelerator, site; status 1 if anything."""
    findings = examine()
    rows = [{"part": item.part, "fit": item.is_fit, "found": item.found} for item in findings]
    print_rows(rows, as_json=as_json)
    if not all(item.is_fit for item in findings):
        raise SystemExit(1)
