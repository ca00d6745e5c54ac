"""All rows of one of the readers' views, as a stream."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, column, select, table, text

from petitions.errors import ConfigError
from petitions.store.tables import SCHEMA

CHUNK = 1000  # rows in memory at once

_FOR_READERS = text("""
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'v'
    AND has_table_privilege('petition_reader', c.oid, 'SELECT')
ORDER BY c.relname
""")
_KINDS = text("""
SELECT format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = to_regclass(:view) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenView:
    """The columns of a view, their types as Postgres names them, and its rows, in no order that is promised."""

    names: Sequence[str]
    kinds: Sequence[str]
    rows: Iterator[Sequence[Any]]


@contextmanager
def open_view(engine: Engine, view: str) -> Iterator[OpenView]:
    """Open a view that petition_reader may select.

    One statement is one snapshot: a fit that is published meanwhile does not mix in. A server-side cursor brings the
    rows in chunks, so that memory does not grow with their number.

    Raises:
        ConfigError: there is no such view; the message names those that there are.
    """
    with engine.connect() as conn:
        known = list(conn.scalars(_FOR_READERS, {"schema": SCHEMA}))
        if view not in known:
            raise ConfigError(f"VIEW must be one of {', '.join(known)}, got {view!r}")
        kinds = list(conn.scalars(_KINDS, {"view": f"{SCHEMA}.{view}"}))
        query: Select[Any] = select(column("*", is_literal=True)).select_from(table(view, schema=SCHEMA))
        with conn.execution_options(yield_per=CHUNK).execute(query) as rows:
            yield OpenView(names=list(rows.keys()), kinds=kinds, rows=(tuple(row) for row in rows))
