"""All rows of the results database, without what a clock or a file name decides: two runs are compared by them."""

from sqlalchemy import Connection, Engine, select

from petitions.records import Source, Window
from petitions.store import topic_tables  # noqa: F401 - its tables belong to the metadata that is read here
from petitions.store.tables import metadata
from petitions.store.tokens import select_tokens

# Moments, and names of archive files, which hold the moment of the crawl.
DECIDED_BY_THE_CLOCK = {
    "first_seen_at", "last_seen_at", "changed_at", "seen_at", "seen_on", "fitted_at", "published_at", "checked_at",
    "started_at", "finished_at", "steps", "free_at", "finished_on",
}  # fmt: skip


def read_all_rows(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table as text, sorted."""
    found = {}
    with engine.connect() as conn:
        for table in metadata.sorted_tables:
            left_out = DECIDED_BY_THE_CLOCK | ({"artifact"} if table.name in ("crawl_reject", "petition") else set())
            columns = [column for column in table.columns if column.name not in left_out]
            found[table.name] = sorted(str(tuple(row)) for row in conn.execute(select(*columns)))
    return found


def read_versions(engine: Engine) -> dict[str, list[tuple]]:
    """The place and the transaction of every row: a row that is written again, even with the same values, differs."""
    with engine.connect() as conn:
        return {
            table.name: sorted(
                map(tuple, conn.exec_driver_sql(f"SELECT ctid::text, xmin::text FROM {table.fullname}").all())
            )
            for table in metadata.sorted_tables
        }


def read_tokens(conn: Connection, source: Source, window: Window, tokenizer: str) -> list[tuple[str, list[str]]]:
    """What a pass over the tokens of a window gives, in the transaction of a test."""
    return [(petition_id, tokens) for petition_id, tokens in conn.execute(select_tokens(source, window, tokenizer))]
