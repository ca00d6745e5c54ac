"""Rows of the views that petition_reader may read."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

Rows = Sequence[dict[str, Any]]


def read_rows(conn: Connection, query: str, **values: object) -> Rows:
    """Read the rows of a query, its values bound."""
    return [dict(row) for row in conn.execute(text(query), values).mappings()]
