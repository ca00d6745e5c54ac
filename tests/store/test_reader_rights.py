"""What petition_reader may read: every view that is made for readers, whatever is added to the schema, and no table."""

import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.errors import PermanentError
from petitions.store.publishing import publish

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

RELATIONS = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'petitions'::regnamespace AND relkind = ANY (CAST(:kinds AS "char"[])) ORDER BY relname
"""
INNER = {
    "numbered_petition",
    "published_model",
    "main_topic",
    "topic_period",
    "copy_pair",
    "copy_member",
    "listed_name",
    "lists_today",
    "found_mention",
    "mention",
}  # views on the way to those of readers
OPEN_TABLES = {"alembic_version"}  # a command looks there whether it fits the schema


def test_the_reader_reads_every_view_but_the_inner_ones_and_no_table_of_petitions(engine):
    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
        publish(conn, "fit-1", [BERT], at=MONDAY)
        tables, views = (set(conn.scalars(text(RELATIONS), {"kinds": kinds})) for kinds in (["r", "p"], ["v", "m"]))
    readable, closed = (views - INNER) | OPEN_TABLES, INNER | (tables - OPEN_TABLES)
    for name in readable:
        with engine.begin() as conn:
            conn.execute(text("SET LOCAL ROLE petition_reader"))
            conn.execute(text(f"SELECT * FROM petitions.{name} LIMIT 1")).all()
    for name in closed:
        with pytest.raises(PermanentError, match="permission denied"), engine.begin() as conn:
            conn.execute(text("SET LOCAL ROLE petition_reader"))
            conn.execute(text(f"SELECT count(*) FROM petitions.{name}"))
