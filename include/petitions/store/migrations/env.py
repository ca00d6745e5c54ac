"""Run by Alembic: migrates on the connection, and in the transaction, that `petitions.store.database` hands over.

A new revision, over a database at the head (see CONTRIBUTING):
    alembic.command.revision(config, "say what", autogenerate=True), with `config` as `database._alembic` makes it.
"""

from alembic import context
from sqlalchemy import text

from petitions.store import (  # noqa: F401  they add to the metadata
    copy_tables,
    crawl_tables,
    label_tables,
    outcome_tables,
    run_tables,
    sense_tables,
    topic_tables,
)
from petitions.store.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public"))
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=lambda name, kind, _parents: kind != "schema" or name == SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
