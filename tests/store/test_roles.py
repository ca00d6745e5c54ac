from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, make_petitions, write_all, write_checks
from petitions.commands.prune import delete_orphans, prune_fits
from petitions.crawl.place import Place
from petitions.errors import PermanentError, PetitionsError
from petitions.pipeline import Pipeline
from petitions.records import Hidden, Reject, Source, Window
from petitions.settings import Settings
from petitions.steps.crawl import write_batch
from petitions.store import runs, scores
from petitions.store.artifacts import ArtifactStore
from petitions.store.crawl_progress import begin_crawl, write_place
from petitions.store.database import open_engine, require_schema
from petitions.store.petitions import read_texts
from petitions.store.publishing import publish
from petitions.store.references import move_references
from petitions.store.tables import metadata
from petitions.store.vectors import upsert_embeddings

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(6)
TABLES = [table.fullname for table in metadata.sorted_tables]
FORBIDDEN = [
    *(f"SELECT * FROM {name}" for name in TABLES),
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
    "SELECT lo_creat(-1)",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_import('/etc/hostname')",
]


AT = datetime(2026, 11, 20, 1, tzinfo=UTC)


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


def test_the_reader_makes_no_temporary_table_and_the_writer_may(published, migrated):
    """Asked of the database that was migrated: its copies have the rights of a new one."""
    may = text("SELECT has_database_privilege(:role, :database, 'TEMPORARY')")
    with published.connect() as conn:
        found = {
            role: conn.scalar(may, {"role": role, "database": migrated})
            for role in ("petition_reader", "petition_writer")
        }
    assert found == {"petition_reader": False, "petition_writer": True}


def test_the_reader_has_no_right_but_to_select_and_the_writer_none_to_truncate_or_give_on(published):
    rights = text("""
        SELECT c.relname, r.role, p.right
        FROM pg_class AS c
        CROSS JOIN (VALUES ('petition_reader'), ('petition_writer')) AS r (role)
        CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p ("right")
        WHERE c.relnamespace = 'petitions'::regnamespace AND c.relkind IN ('r', 'v', 'm')
            AND (r.role = 'petition_reader' OR p.right IN ('TRUNCATE', 'REFERENCES', 'TRIGGER'))
            AND has_table_privilege(r.role, c.oid, p.right)
    """)
    with published.connect() as conn:
        assert conn.execute(rights).all() == []


def test_a_table_of_the_readers_own_cannot_bend_a_function(published):
    with published.begin() as conn:  # where somebody gives them the right
        conn.execute(text(f"GRANT TEMPORARY ON DATABASE {published.url.database} TO petition_reader"))
        conn.execute(text("SET LOCAL ROLE petition_reader"))
        conn.execute(text("CREATE TEMP TABLE petition_embedding (petition_id text, encoder text, embedding vector)"))
        conn.execute(text("CREATE TEMP TABLE published_model (source text)"))
        assert len(conn.execute(text("SELECT * FROM petitions.similar_petitions('sample:a-001', 9)")).all()) == 5
        conn.rollback()


def test_the_writer_does_a_whole_run_and_cannot_delete_petitions_or_change_the_schema(engine):
    with engine.begin() as conn:
        conn.execute(text("SET LOCAL ROLE petition_writer"))
        for model_id in ("fit-1", "fit-1", "fit-2"):
            write_all(conn, PETITIONS, model_id)
        publish(conn, "fit-1", [BERT], at=MONDAY)
        assert conn.scalar(text("SELECT count(*) FROM petitions.alembic_version")) == 1
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


@pytest.fixture
def writer(engine, tmp_path):
    """A run of the sample whose login has the role petition_writer and nothing else."""
    with engine.begin() as conn:
        conn.execute(text("CREATE ROLE one_writer LOGIN IN ROLE petition_writer"))
    opened = open_engine(engine.url.set(username="one_writer").render_as_string(hide_password=False))
    yield Pipeline(
        settings=Settings(source="sample"),
        engine=opened,
        artifacts=ArtifactStore(str(tmp_path)),
        source=Source("sample"),
        window=Window.ending(date(2026, 11, 20)),
        clock=lambda: AT,
    )
    opened.dispose()
    with engine.begin() as conn:
        conn.execute(text("DROP ROLE one_writer"))


def judge_all(run: Pipeline, model_id: str) -> None:
    """Vectors, scores and keywords of every petition, in the place of the encoders."""
    with run.engine.begin() as conn:
        texts = read_texts(conn, run.source, run.window)
        vectors = np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32)  # [N, D]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for encoder, name in (("bert", BERT), ("elmo", ELMO)):
            upsert_embeddings(conn, name, texts, vectors)
            done = runs.StepResult(rows_in=0, rows_out=0, seconds=0, made_by=name)
            runs.record_step(conn, run.run_id, f"encode {encoder}", done, at=AT)
        keys = [{"petition_id": item.petition_id, "content_hash": item.content_hash} for item in texts]
        follows = [scores.Score(**key, encoder=BERT, score="next_sentence", value=0.5) for key in keys]
        scores.upsert_scores(conn, follows)
        words = [("신호등", 0.5)]
        scores.upsert_keywords(
            conn, [scores.Keywords(**key, encoder=BERT, extractor="v1", words=words) for key in keys]
        )
    for encoder in ("bert", "elmo"):
        run.score_similarity(model_id, encoder)
    for scorer in run.scorers:
        run.score_texts(scorer)


def test_a_login_with_the_writers_role_alone_runs_checks_publishes_and_prunes(writer, engine):
    require_schema(writer.engine)
    for _ in range(2):
        writer.crawl()
        writer.tokenize()
        writer.find_copies()
    model_id = writer.fit_topics()
    judge_all(writer, model_id)
    for _ in range(2):
        writer.check(model_id)  # the outcome of an earlier check is replaced
    writer.publish(model_id)
    with writer.engine.begin() as conn:
        write_all(conn, PETITIONS, "fit-old")  # never published, and old: it goes
        write_checks(conn, "fit-old", (BERT, ELMO))
    assert [fit.model_id for fit in prune_fits(writer.engine, 1)] == ["fit-old"]
    assert [*delete_orphans(writer.engine, writer.artifacts)] == []
    with engine.connect() as conn:
        assert list(conn.scalars(text("SELECT model_id FROM petitions.topic_model"))) == [model_id]
        assert conn.scalar(text("SELECT count(*) FROM petitions.petition_score WHERE model_id = 'fit-old'")) == 0
        assert conn.scalar(text("SELECT count(*) FROM petitions.petition_provenance")) > 0


def test_a_login_with_the_writers_role_alone_keeps_what_a_crawl_of_a_site_brings(writer):
    petition = replace(PETITIONS[0], artifact="raw/a#1")
    hidden = Hidden(source=Source("sample"), source_id="a-001", url=petition.url, artifact="raw/a#2")
    reject = Reject(source=Source("sample"), url="https://example.org/9", reason="gone", artifact="raw/a#3")
    with writer.engine.begin() as conn:
        start = begin_crawl(conn, writer.source, writer.window, at=AT)
        for items in ([petition], [hidden, reject]):
            write_batch(conn, items, seen_at=AT, seen_on=AT.date())
            write_place(conn, writer.source, writer.window, Place(stage="done"), start)
        move_references(conn, {"raw/a#2": "raw/b#1", "raw/a#3": "raw/b#2"})
        assert list(conn.scalars(text("SELECT artifact FROM petitions.petition"))) == ["raw/b#1"]
        conn.execute(text("INSERT INTO petitions.site_pace VALUES ('example.org:80', now())"))
