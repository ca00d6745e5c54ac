import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text

from invented import make_petitions, write_all
from petitions.errors import ConfigError, DatabaseDownError, PermanentError, SchemaError
from petitions.store.database import MIGRATIONS, downgrade, open_engine, require_schema, schema_status, upgrade
from petitions.store.tables import SCHEMA, metadata

pytestmark = pytest.mark.postgres


def count_rows(engine) -> dict[str, int]:
    with engine.connect() as conn:
        return {
            table.name: conn.scalar(text(f"SELECT count(*) FROM {table.fullname}")) for table in metadata.sorted_tables
        }


def test_the_migrations_make_the_tables_that_the_code_describes(engine):
    with engine.connect() as conn:
        options = {
            "version_table_schema": SCHEMA,
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
            "compare_server_default": True,
        }
        assert compare_metadata(MigrationContext.configure(conn, opts=options), metadata) == []


def test_the_head_is_told_without_alembic_and_is_alembics(engine):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert schema_status(engine).head == scripts.get_current_head()
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")
    ask = "import sys; from petitions.store.database import open_engine, require_schema; "
    ask += "require_schema(open_engine(sys.argv[1])); print('alembic' in sys.modules)"
    url = engine.url.render_as_string(hide_password=False)
    assert subprocess.check_output([sys.executable, "-c", ask, url], text=True) == "False\n"


def test_every_table_and_view_and_function_has_a_comment(engine):
    query = """
        SELECT relname FROM pg_class WHERE relnamespace = 'petitions'::regnamespace AND relkind IN ('r', 'v')
            AND relname <> 'alembic_version' AND obj_description(oid, 'pg_class') IS NULL
        UNION ALL
        SELECT proname FROM pg_proc WHERE pronamespace = 'petitions'::regnamespace
            AND obj_description(oid, 'pg_proc') IS NULL
    """
    with engine.connect() as conn:
        assert conn.execute(text(query)).all() == []


@pytest.mark.slow
def test_migrations_go_down_step_by_step_and_up_again_with_data_in_place(engine):
    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
    for revision, left in (
        ("0007", 17),
        ("0006", 16),
        ("0005", 16),
        ("0004", 14),
        ("0003", 14),
        ("0002", 11),
        ("0001", 6),
    ):
        downgrade(engine, revision)
        assert schema_status(engine).current == revision
        with engine.connect() as conn:
            kept = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'petitions'")
            assert conn.scalar(kept) == left + 1  # and alembic_version
            assert conn.scalar(text("SELECT count(*) FROM petitions.petition")) == 6
    upgrade(engine)
    require_schema(engine)
    rows = count_rows(engine)
    assert (rows["petition"], rows["topic_model"], rows["petition_embedding"]) == (6, 0, 0)
    downgrade(engine)
    assert schema_status(engine).current == ""
    upgrade(engine)
    assert set(count_rows(engine).values()) == {0}


@pytest.mark.slow
def test_a_fit_of_an_older_version_stays_with_its_mixture(engine):
    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
    downgrade(engine, "0005")
    upgrade(engine)
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT topic_id, mixture_share FROM petitions.topic ORDER BY 1"))
        assert rows.all() == [(1, 0.5), (2, 0.25), (3, 0.25)]
        assert conn.execute(text("SELECT note, curve, changed_share FROM petitions.topic_model")).all() == [(None,) * 3]


OLD_RUNS = """
    INSERT INTO petitions.pipeline_run (run_id, source, since, until, state, model_id, steps, error, started_at,
        finished_at)
    SELECT run_id, 'sample', '2024-04-01', '2024-07-01', state, model_id, CAST(steps AS jsonb), error,
        '2024-07-01 03:00+00', CAST(finished_at AS timestamptz)
    FROM (VALUES
        ('shown', 'published', 'shown', '{"crawl": {"rows_in": 9, "rows_out": 9, "seconds": 1, "made_by": ""},
            "encode bert": {"rows_in": 9, "rows_out": 9, "seconds": 4, "made_by": "b@1", "failed": {}, "parts": {
                "1/2": {"rows_in": 4, "rows_out": 4, "seconds": 2, "made_by": "b@1"},
                "2/2": {"rows_in": 5, "rows_out": 5, "seconds": 2, "made_by": "b@1"}}},
            "check": {"rows_in": 2, "rows_out": 2, "seconds": 0, "made_by": ""},
            "publish": {"rows_in": 1, "rows_out": 1, "seconds": 0, "made_by": ""}}', NULL, '2024-07-01 03:20+00'),
        ('refitted', 'running', 'refitted', '{"check": {"rows_in": 2, "rows_out": 2, "seconds": 0, "made_by": ""},
            "publish": {"rows_in": 1, "rows_out": 1, "seconds": 0, "made_by": ""}}', NULL, NULL),
        ('unchecked', 'failed', 'unchecked', '{}', 'check: volume is 0, must be at least 1', '2024-07-01 03:20+00'),
        ('broken', 'failed', NULL, '{}', 'encode bert 3/8: ParseError: key a, found 건널목', '2024-07-01 03:20+00'),
        ('strange', 'failed', NULL, '{}', 'crawl: KeyError: 건널목', '2024-07-01 03:20+00')
    ) AS run (run_id, state, model_id, steps, error, finished_at);
    INSERT INTO petitions.topic_model (model_id, run_id, source, since, until, engine, tokenizer, seed, n_topics,
        n_petitions, n_terms, npmi, c_v, diversity, artifact, fitted_at)
    SELECT model_id, run_id, source, since, until, 'none', 'none', 0, 2, 1, 1, 0, 0, 1, '', now()
    FROM petitions.pipeline_run WHERE model_id IS NOT NULL;
    INSERT INTO petitions.check_result (run_id, name, value, "limit", passed, checked_at)
    SELECT run_id, name, 1, 'at least 1', run_id <> 'unchecked', now()
    FROM petitions.pipeline_run CROSS JOIN (VALUES ('volume'), ('recall b@1')) AS c (name)
    WHERE model_id IS NOT NULL;
"""


@pytest.mark.slow
def test_the_runs_and_checks_of_an_older_version_stay_as_far_as_they_are_sure(engine):
    downgrade(engine, "0009")
    with engine.begin() as conn:
        conn.exec_driver_sql(OLD_RUNS)
    upgrade(engine)
    runs = "SELECT run_id, state, error FROM petitions.recent_run ORDER BY run_id"
    steps = "SELECT step, part, rows_in, made_by FROM petitions.run_step WHERE run_id = 'shown' ORDER BY step, part"
    checks = "SELECT model_id, name, encoder, passed FROM petitions.check_result ORDER BY model_id, name"
    with engine.connect() as conn:
        assert conn.execute(text(runs)).all() == [
            ("broken", "failed", "encode bert 3/8: ParseError: key a, found …"),
            ("refitted", "running", None),
            ("shown", "published", None),
            ("strange", "failed", "crawl: KeyError"),
            ("unchecked", "failed", "check: CheckFailedError: volume is 0, must be at least 1"),
        ]
        assert conn.execute(text(steps)).all() == [
            ("check", None, 2, ""),
            ("crawl", None, 9, ""),
            ("encode bert", "1/2", 4, "b@1"),
            ("encode bert", "2/2", 5, "b@1"),
            ("publish", None, 1, ""),
        ]
        kept = [("shown", "recall b@1", "b@1", True), ("shown", "volume", "", True)]
        failed = [("unchecked", "recall b@1", "b@1", False), ("unchecked", "volume", "", False)]
        assert conn.execute(text(checks)).all() == [*kept, *failed], "whose fit those of refitted were, nobody knows"
    downgrade(engine, "0009")
    with engine.connect() as conn:
        old = "SELECT state, steps -> 'encode bert' ->> 'rows_in' FROM petitions.pipeline_run WHERE run_id = 'shown'"
        assert conn.execute(text(old)).all() == [("published", "9")]
        assert conn.execute(text("SELECT count(*) FROM petitions.check_result")).scalar_one() == 4


def test_a_second_upgrade_leaves_tables_and_views_untouched(engine):
    query = text("SELECT oid, xmin::text FROM pg_class WHERE relnamespace = 'petitions'::regnamespace ORDER BY oid")
    with engine.connect() as conn:
        before = conn.execute(query).all()
    upgrade(engine)
    with engine.connect() as conn:
        assert conn.execute(query).all() == before


def test_a_database_without_the_schema_says_what_to_run(postgres_url):
    engine = open_engine(postgres_url)
    assert schema_status(engine).current == ""
    with pytest.raises(SchemaError, match="run petitions db upgrade"):
        require_schema(engine)
    engine.dispose()


def test_an_older_schema_says_what_to_run(engine):
    downgrade(engine, "0002")
    with pytest.raises(SchemaError, match="at 0002, older than .*: run petitions db upgrade"):
        require_schema(engine)


def test_views_of_an_older_code_say_what_to_run(engine):
    with engine.begin() as conn:
        conn.execute(text("COMMENT ON SCHEMA petitions IS 'Petition Topics; views.sql 0'"))
    with pytest.raises(SchemaError, match="run petitions db upgrade"):
        require_schema(engine)
    upgrade(engine)
    require_schema(engine)


def test_a_newer_schema_is_refused_and_left_alone(engine):
    with engine.begin() as conn:
        conn.execute(text("UPDATE petitions.alembic_version SET version_num = '9999'"))
    for act in (require_schema, upgrade):
        with pytest.raises(SchemaError, match="9999, newer than this code"):
            act(engine)
    assert schema_status(engine).current == "9999"


def test_a_view_of_the_users_own_stops_the_upgrade_and_is_kept(engine):
    with engine.begin() as conn:
        conn.execute(text("CREATE VIEW public.mine AS SELECT label FROM petitions.current_topic"))
        conn.execute(text("COMMENT ON SCHEMA petitions IS NULL"))
    with pytest.raises(PermanentError, match="cannot drop view current_topic"):
        upgrade(engine)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT * FROM public.mine")).all() == []


def test_a_database_that_is_down_is_one_line_without_the_password():
    with pytest.raises(DatabaseDownError, match="127.0.0.1.*port 1 failed: Connection refused") as caught:
        open_engine("postgresql://someone:secret@127.0.0.1:1/petitions")
    assert not re.search("secret|\n", str(caught.value))


def test_a_database_that_does_not_exist_is_named(postgres_url):
    with pytest.raises(DatabaseDownError, match='database "elsewhere" does not exist'):
        open_engine(make_url(postgres_url).set(database="elsewhere").render_as_string(hide_password=False))


@pytest.mark.parametrize("url", ["mysql://user@host/name", "no url", "sqlite:///petitions.db"])
def test_what_is_no_url_of_postgres_is_refused(url):
    with pytest.raises(ConfigError, match="PETITIONS_DATABASE_URL"):
        open_engine(url)


def test_a_connection_cut_in_mid_transaction_is_database_down_and_the_next_one_works(engine):
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :db")
    with pytest.raises(DatabaseDownError, match="terminating connection"), engine.begin() as conn:
        write_all(conn, make_petitions(3))
        other = open_engine(engine.url.render_as_string(hide_password=False))
        with other.connect() as killer:
            killer.execute(cut, {"db": engine.url.database})
        other.dispose()
        write_all(conn, make_petitions(3))
    assert set(count_rows(engine).values()) == {0}
