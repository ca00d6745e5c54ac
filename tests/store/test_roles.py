import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.errors import PermanentError, PetitionsError
from petitions.store.publishing import publish
from petitions.store.tables import metadata

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(6)
TABLES = [table.fullname for table in metadata.sorted_tables]
FORBIDDEN = [
    *(f"SELECT * FROM {name}" for name in (*TABLES, "petitions.alembic_version")),
    *(f"DELETE FROM {name}" for name in TABLES),
    "SELECT * FROM petitions.published_model",
    "INSERT INTO petitions.current_topic (label) VALUES ('가')",
    "UPDATE petitions.topic_model SET published_at = now()",
    "UPDATE petitions.current_petition SET title = '가'",
    "TRUNCATE petitions.petition CASCADE",
    "CREATE TABLE petitions.mine (n integer)",
    "CREATE VIEW petitions.mine AS SELECT 1",
    "DROP VIEW petitions.current_topic",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY petitions.current_topic TO PROGRAM 'true'",
]


@pytest.fixture
def published(engine):
    with engine.begin() as conn:
        write_all(conn, PETITIONS)
        publish(conn, "fit-1", [BERT], at=MONDAY)
    return engine


def test_the_reader_reads_every_view_and_function(published):
    with published.begin() as conn:
        conn.execute(text("SET LOCAL ROLE petition_reader"))
        for view in ("current_topic", "current_petition", "topic_trend", "emerging_topic"):
            conn.execute(text(f"SELECT * FROM petitions.{view}")).all()
        assert len(conn.execute(text("SELECT * FROM petitions.similar_petitions('sample:a-001', 3)")).all()) == 3
        found = conn.execute(text("SELECT * FROM petitions.search_petitions('[1,0,0,0]', 4)")).all()
        assert [row.petition_id for row in found][0] == "sample:a-001"


def test_the_reader_may_do_nothing_else(published):
    for statement in FORBIDDEN:
        refused = pytest.raises(
            PetitionsError, match="permission denied|must be owner|cannot (insert into|update) view"
        )
        with refused, published.begin() as conn:
            conn.execute(text("SET LOCAL ROLE petition_reader"))
            conn.execute(text(statement))


def test_a_table_of_the_readers_own_cannot_bend_a_function(published):
    with published.begin() as conn:
        conn.execute(text("SET LOCAL ROLE petition_reader"))
        conn.execute(text("CREATE TEMP TABLE petition_embedding (petition_id text, encoder text, embedding vector)"))
        conn.execute(text("CREATE TEMP TABLE published_model (source text)"))
        assert len(conn.execute(text("SELECT * FROM petitions.similar_petitions('sample:a-001', 9)")).all()) == 5


def test_the_writer_does_a_whole_run_and_cannot_delete_petitions_or_change_the_schema(engine):
    with engine.begin() as conn:
        conn.execute(text("SET LOCAL ROLE petition_writer"))
        for model_id in ("fit-1", "fit-1", "fit-2"):
            write_all(conn, PETITIONS, model_id)
        publish(conn, "fit-1", [BERT], at=MONDAY)
        assert conn.scalar(text("SELECT version_num FROM petitions.alembic_version")) == "0008"
        assert conn.scalar(text("SELECT count(*) FROM petitions.current_petition")) == 6
    for statement in (
        "DELETE FROM petitions.petition",
        "TRUNCATE petitions.topic CASCADE",
        "ALTER TABLE petitions.petition ADD COLUMN n integer",
        "CREATE TABLE petitions.mine (n integer)",
        "UPDATE petitions.alembic_version SET version_num = '9999'",
    ):
        with pytest.raises(PermanentError, match="permission denied|must be owner"), engine.begin() as conn:
            conn.execute(text("SET LOCAL ROLE petition_writer"))
            conn.execute(text(statement))
