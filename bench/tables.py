"""Writes docs/tables.md anew: `make tables`.

A Postgres of its own in a temporary folder has the schema, no rows.
"""

import tempfile
from pathlib import Path

from petitions.store.database import open_engine, upgrade
from petitions.store.describe import describe_schema
from petitions.store.embedded import stop_server

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "docs" / "tables.md"


def main() -> None:
    """Migrate, describe, write."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        local = Path(folder) / "postgres"
        try:
            engine = open_engine("", local)
            upgrade(engine)
            with engine.connect() as conn:
                TABLES.write_text(describe_schema(conn), encoding="utf-8")
            engine.dispose()
        finally:
            stop_server(local)


if __name__ == "__main__":
    main()
