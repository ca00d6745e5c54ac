"""Writes docs/tables.md and the entity diagram of the README anew: `make tables`.

A Postgres of its own in a temporary folder has the schema, no rows.
"""

import re
import tempfile
from pathlib import Path

from petitions.store.database import open_engine, upgrade
from petitions.store.describe import describe_schema, draw_entities
from petitions.store.embedded import stop_server

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "docs" / "tables.md"
README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- entities: make tables -->\n).*?(?=<!-- /entities -->)", re.DOTALL)


def main() -> None:
    """Migrate, describe, write."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        local = Path(folder) / "postgres"
        try:
            engine = open_engine("", local)
            upgrade(engine)
            with engine.connect() as conn:
                TABLES.write_text(describe_schema(conn), encoding="utf-8")
                told = BLOCK.sub(lambda _: draw_entities(conn), README.read_text(encoding="utf-8"))
            README.write_text(told, encoding="utf-8")
            engine.dispose()
        finally:
            stop_server(local)


if __name__ == "__main__":
    main()
