"""docs/tables.md tells of the schema as it is."""

from pathlib import Path

import pytest
from sqlalchemy import text

from petitions.store.describe import describe_schema

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "docs" / "tables.md"


def test_tables_md_is_what_the_database_says_of_itself(conn):
    assert describe_schema(conn) == TABLES.read_text(encoding="utf-8"), "docs/tables.md is stale: run make tables"


def test_a_new_column_a_new_link_and_a_new_grant_are_told(conn):
    conn.execute(text("CREATE TABLE petitions.vote (vote_id text PRIMARY KEY, petition_id text REFERENCES petition)"))
    conn.execute(text("COMMENT ON COLUMN petitions.vote.vote_id IS 'a | b'"))
    conn.execute(text("CREATE VIEW petitions.loud AS SELECT 1 AS n; GRANT SELECT ON petitions.loud TO petition_reader"))
    told = describe_schema(conn)
    assert '    petition |o--o{ vote : "petition_id"\n' in told
    assert "    vote {\n        text vote_id PK\n        text petition_id FK\n    }\n" in told
    assert "| `vote_id` | text |  |  | a \\| b |\n" in told
    assert "### loud\n\nFor readers.\n" in told
    assert "### main_topic\n\nOne row is a petition of a published fit" in told
