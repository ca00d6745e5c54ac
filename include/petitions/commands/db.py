"""The commands on the results database: `petitions db upgrade|status|stop|psql`."""

import sys

import click

from petitions.commands.options import Group
from petitions.settings import Settings


@click.group(cls=Group)
def db() -> None:
    """The results database."""


@db.command()
def upgrade() -> None:
    """Bring the schema to this version; starts the embedded Postgres where no database is named."""
    from petitions.store.database import open_engine, schema_status, upgrade
    from petitions.store.words import read_without_words, tell_without_words

    engine = open_engine(Settings.from_env().database_url)
    upgrade(engine)
    click.echo(f"schema at {schema_status(engine).current}")
    with engine.connect() as conn:
        for source, n in read_without_words(conn).items():
            click.echo(tell_without_words(source, n))


@db.command()
def status() -> None:
    """Say which schema version the database has, and which this code knows; status 1 when they differ."""
    from petitions.store.database import open_engine, require_schema, schema_status

    engine = open_engine(Settings.from_env().database_url)
    found = schema_status(engine)
    click.echo(f"database: {found.current or 'no schema'}, code: {found.head}")
    require_schema(engine)


@db.command()
def stop() -> None:
    """Stop the embedded Postgres."""
    from petitions.store.embedded import stop_server

    stop_server()


@db.command()
@click.option("--owner", "is_owner", is_flag=True, help="On the embedded Postgres: may do everything.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(is_owner: bool, arguments: tuple[str, ...]) -> None:
    """Open psql on the results, to read; ARGUMENTS go to psql (after --)."""
    from petitions.store.database import open_engine, require_schema
    from petitions.store.psql import run_psql

    url = Settings.from_env().database_url
    if not url and not is_owner:
        require_schema(open_engine(url))  # the role of readers is made with it
    sys.exit(run_psql(url, arguments, is_owner=is_owner))


COMMANDS = (db,)
