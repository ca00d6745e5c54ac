"""What a session with the results database needs, whatever the environment, the server and the address say."""

import os

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text
from topic_browser.database import SESSION

from invented import make_petitions, write_all
from petitions.cli import main
from petitions.commands.doctor import examine
from petitions.errors import ConfigError
from petitions.store.database import open_engine
from petitions.store.database_url import read_prepare_threshold, read_url
from petitions.store.engine import make_engine
from petitions.store.session import name_settings

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PASSWORD = "pw-s3cret"
TEXT = "이모지 😀 와 전각 ～"


@pytest.fixture
def make_database(postgres_url):
    """Makes databases in an encoding, and drops them after the test; gives the address."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    made = []

    def make(encoding):
        made.append(f"{encoding.lower()}_{os.getpid()}")
        with admin.connect() as conn:
            conn.execute(
                text(f"CREATE DATABASE {made[-1]} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
            )
        return make_url(postgres_url).set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    with admin.connect() as conn:
        for name in made:
            conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def show(engine, names):
    with engine.connect() as conn:
        return {name: conn.scalar(text(f"SHOW {name}")) for name in names}


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "EUC_KR", "LATIN1"])
@pytest.mark.parametrize("ours", ["", "UHC"])
def test_a_database_in_another_encoding_is_refused_by_one_line(make_database, monkeypatch, encoding, ours):
    monkeypatch.setenv("PGCLIENTENCODING", ours or "UTF8")
    url = make_database(encoding)
    with pytest.raises(ConfigError, match=f"is in {encoding}, and must be in UTF8: .*ENCODING 'UTF8'"):
        open_engine(url)
    with pytest.raises(ConfigError, match=f"is in {encoding}"):
        make_engine(url, "topic_browser", {}, connect_timeout_s=3).connect()
    monkeypatch.setenv("PETITIONS_DATABASE_URL", url)
    for command in ("upgrade", "status"):
        result = CliRunner().invoke(main, ["db", command])
        assert result.exit_code == 1
        assert result.output.startswith("Error: ConfigError: the results database ")
        assert result.output.count("\n") == 1


def test_the_doctor_names_the_encoding(make_database, monkeypatch, tmp_path):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", make_database("SQL_ASCII"))
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PETITIONS_SOURCE", "sample")
    monkeypatch.setenv("PETITIONS_BERT_MODEL", "/nowhere/bert")
    monkeypatch.setenv("PETITIONS_ELMO_MODEL", "/nowhere/elmo")
    found = {item.part: item for item in examine()}
    assert not found["database"].is_fit
    assert "is in SQL_ASCII, and must be in UTF8" in found["database"].found


@pytest.mark.parametrize("encoding", ["UHC", "LATIN1", "SQL_ASCII"])
def test_texts_go_and_come_in_utf8_whatever_the_environment_asks_for(database_url, monkeypatch, encoding):
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    engine = open_engine(database_url)
    with engine.begin() as conn:
        write_all(conn, make_petitions(3))
        conn.execute(text("UPDATE petitions.petition SET title = :title"), {"title": TEXT})
        assert conn.scalars(text("SELECT DISTINCT title FROM petitions.petition")).all() == [TEXT]
    engine.dispose()


STRANGE = {
    "timezone": "Asia/Seoul",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "idle_session_timeout": "1s",
    "idle_in_transaction_session_timeout": "1s",
    "search_path": "pg_catalog",
    "statement_timeout": "1s",
}


def test_settings_of_a_database_and_of_the_environment_do_not_reach_our_sessions(engine, database_url, monkeypatch):
    with engine.begin() as conn:
        write_all(conn, make_petitions(3))
        for name, value in STRANGE.items():
            shown = value if "," in value else f"'{value}'"
            conn.execute(text(f"ALTER DATABASE {engine.url.database} SET {name} = {shown}"))
    monkeypatch.setenv("PGTZ", "Asia/Seoul")
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=pg_catalog -c timezone=Asia/Seoul")
    ours = open_engine(database_url)
    wanted = name_settings({"statement_timeout": "15min", "search_path": "public,petitions"})
    assert show(ours, wanted) == wanted
    with ours.connect() as conn:
        asked = conn.execute(text("SELECT begins_on::text AS day, 0.1::float8 + 0.2 AS total FROM petitions.petition"))
        assert {tuple(row) for row in asked} == {(f"{item.begins_on}", 0.1 + 0.2) for item in make_petitions(3)}
    ours.dispose()
    page = make_engine(database_url, "topic_browser", SESSION, connect_timeout_s=3)
    assert show(page, name_settings(SESSION)) == name_settings(SESSION)
    page.dispose()


def test_settings_that_arrive_are_written_as_postgres_shows_them_so_that_none_is_set_twice(database_url):
    engine = open_engine(database_url)
    with engine.connect() as conn:
        told = conn.execute(
            text("SELECT name, source FROM pg_settings WHERE name = ANY (:names)"),
            {"names": [*name_settings({"search_path": ""})]},
        )
        assert {row.source for row in told} == {"client"}
        raw = conn.connection.dbapi_connection
        assert raw.info.backend_pid == conn.scalar(text("SELECT pg_backend_pid()"))
    engine.dispose()


def test_options_of_the_address_are_kept_beside_ours(database_url):
    url = make_url(database_url).update_query_dict({"options": "-c work_mem=5MB"})
    engine = open_engine(url.render_as_string(hide_password=False))
    assert show(engine, ["work_mem", "timezone"]) == {"work_mem": "5MB", "timezone": "UTC"}
    engine.dispose()


@pytest.mark.parametrize(("asked", "n_kept"), [("none", 0), ("None", 0), ("2", 1), ("1000", 0), (None, 1)])
def test_statements_are_kept_by_the_server_as_the_address_says(database_url, asked, n_kept):
    url = make_url(database_url)
    url = url.update_query_dict({"prepare_threshold": asked}) if asked else url
    engine = open_engine(url.render_as_string(hide_password=False))
    with engine.connect() as conn:
        for _ in range(8):
            conn.exec_driver_sql("SELECT 1")
        found = conn.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'")
        assert found.scalar() == n_kept
    engine.dispose()


def test_a_threshold_that_is_none_is_refused_and_psql_never_sees_one():
    with pytest.raises(ConfigError, match="prepare_threshold .* must be a number or none, got 'never'"):
        read_prepare_threshold("postgresql://h/db?prepare_threshold=never")
    assert dict(read_url("postgresql://h/db?prepare_threshold=none&sslmode=require").query) == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{PASSWORD}@host:notaport/db",
        f"postgresql://user:12@{PASSWORD}:word@host/db",
        f"postgresql://user:12@{PASSWORD}@host/db",
        f"postgresql://user:12@{PASSWORD}/34@host/db",
        f"postgresql://user:12@{PASSWORD}?34@host/db",
        f"postgresql://us/er:{PASSWORD}@host/db",
        f"postgresql://user:{PASSWORD}@[::1/db",
        f"postgresql:/user:{PASSWORD}@host/db",
        f"user:{PASSWORD}@host/db",
        f"mysql://user:{PASSWORD}@host/db",
    ],
)
def test_an_address_in_which_the_password_may_be_read_as_something_else_is_refused_and_not_quoted(url):
    with pytest.raises(ConfigError, match="PETITIONS_DATABASE_URL") as caught:
        open_engine(url)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("password", ["a/b", "a:b", "a?b", "a#b", "a b", "a%2Fb", "a%40b", "a[b"])
def test_a_password_with_strange_signs_works_and_is_never_shown(monkeypatch, password):
    url = f"postgresql://user:{PASSWORD}{password}@127.0.0.1:1/db"
    monkeypatch.setenv("PETITIONS_DATABASE_URL", url)
    result = CliRunner().invoke(main, ["db", "status"])
    assert "port 1 failed: Connection refused" in result.output
    assert PASSWORD not in result.output
