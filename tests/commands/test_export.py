"""What is exported is what the view holds, whole or not at all, and only of views that readers have."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, make_petitions, write_all
from petitions.cli import main
from petitions.commands.export import replace_file, write_csv, write_jsonl
from petitions.errors import ConfigError
from petitions.store.publishing import publish
from petitions.store.view_rows import open_view

NAMES = ["id", "text", "words", "at", "day", "share", "total", "is_so", "nothing"]
AT = datetime(2024, 7, 1, 3, 0, 0, 5, tzinfo=UTC)
HARD = '한글, "따옴표"\n둘째 줄\r\n셋째\0끝;\u2028😀'
ROWS = [
    (1, HARD, ["가", 'a,"b"', ""], AT, AT.date(), 0.1 + 0.2, Decimal(12), True, None),
    (2, "", [], AT, date(1, 1, 1), -0.0, Decimal("0.5"), False, None),
    (3, "=1+1\t\\N\\", None, AT, date(9999, 12, 31), 1e-300, Decimal(10**20), None, None),
]  # fmt: skip


def test_json_lines_come_back_equal():
    file = io.StringIO()
    assert write_jsonl(file, NAMES, iter(ROWS)) == 3
    lines = file.getvalue().removesuffix("\n").split("\n")
    back = [json.loads(line) for line in lines]
    for row, told in zip(ROWS, back, strict=True):
        assert list(told) == NAMES
        assert told["at"] == row[3].isoformat() and datetime.fromisoformat(told["at"]) == row[3]
        assert date.fromisoformat(told["day"]) == row[4]
        kept = [told[name] for name in NAMES if name not in ("at", "day")]
        assert kept == [value for place, value in enumerate(row) if place not in (3, 4)]
    assert type(back[0]["total"]) is int


def test_numbers_that_json_lacks_are_texts():
    file = io.StringIO()
    write_jsonl(file, ["a", "b"], iter([(float("nan"), float("-inf"))]))
    assert file.getvalue() == '{"a": "nan", "b": "-inf"}\n'


def test_csv_comes_back_equal():
    file = io.StringIO(newline="")
    assert write_csv(file, NAMES, iter(ROWS)) == 3
    names, *back = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)
    assert names == NAMES
    for row, cells in zip(ROWS, back, strict=True):
        told = dict(zip(NAMES, cells, strict=True))
        assert (int(told["id"]), told["text"]) == row[:2]
        assert (json.loads(told["words"]) if told["words"] else None) == row[2]
        assert (datetime.fromisoformat(told["at"]), date.fromisoformat(told["day"])) == row[3:5]
        assert (float(told["share"]), Decimal(told["total"])) == row[5:7]
        assert told["is_so"] == {True: "true", False: "false", None: ""}[row[7]]


def test_csv_tells_a_null_from_an_empty_text():
    file = io.StringIO()
    write_csv(file, ["a", "b"], iter([(None, ""), (0, None)]))
    assert file.getvalue() == '"a","b"\n,""\n0,\n'


def test_a_view_without_rows_is_a_line_of_names_or_nothing():
    files = io.StringIO(), io.StringIO()
    assert (write_csv(files[0], NAMES, iter([])), write_jsonl(files[1], NAMES, iter([]))) == (0, 0)
    assert (files[0].getvalue().count("\n"), files[1].getvalue()) == (1, "")


def test_a_file_that_breaks_off_leaves_the_old_one_and_nothing_else(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(KeyError), replace_file(tmp_path / "a.csv") as file:
        file.write("half")
        raise KeyError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "old")]


def test_a_killed_export_leaves_no_file_under_its_name(tmp_path):
    child = os.fork()
    if not child:
        with replace_file(tmp_path / "a.csv") as file:
            file.write("half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert not (tmp_path / "a.csv").exists()


def test_a_link_is_followed_and_a_device_is_left_alone(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    with replace_file(tmp_path / "link.csv") as file:
        file.write("new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "a.csv").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="--output must be a file, got"), replace_file(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


@pytest.fixture
def published(monkeypatch, engine, database_url):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    return engine


def in_order(row: dict) -> str:
    return json.dumps(row, sort_keys=True)


def run(*arguments: str):
    return CliRunner().invoke(main, ["export", *arguments])


@pytest.mark.postgres
@pytest.mark.slow
def test_every_view_of_the_readers_is_exported_as_it_stands(published, tmp_path):
    with published.connect() as conn:
        views = conn.scalars(
            text(
                "SELECT table_name FROM information_schema.role_table_grants"
                " WHERE grantee = 'petition_reader' AND table_schema = 'petitions' AND table_name <> 'alembic_version'"
            )
        ).all()
        assert "current_petition" in views and len(views) >= 10
        for view in views:
            stored = [
                dict(row) for row in conn.execute(text(f"SELECT to_jsonb(v) FROM petitions.{view} AS v")).scalars()
            ]
            result = run(view, "--format", "jsonl", "--output", str(tmp_path / "out"))
            assert result.output == f"{len(stored)} rows of {view} in {tmp_path / 'out'}\n"
            told = [json.loads(line) for line in (tmp_path / "out").open(encoding="utf-8", newline="\n")]
            moments = {"published_at", "last_seen_at", "failed_at"}  # Postgres and Python cut their zeros differently
            for rows in (stored, told):
                for row in rows:
                    row.update({name: row[name][:19] for name in moments & row.keys() if row[name]})
            assert sorted(told, key=in_order) == sorted(stored, key=in_order)


@pytest.mark.postgres
@pytest.mark.slow
def test_csv_goes_to_standard_output_and_an_unknown_view_or_format_is_one_line(published):
    shown = run("current_topic", "--format", "csv").output
    names, *rows = csv.reader(io.StringIO(shown))
    assert [row[names.index("label")] for row in sorted(rows)] == ["건널목", "급식", "주택"]
    for view in ("petition", "published_model", "nothing", "current_topic; DROP TABLE petition"):
        result = run(view, "--format", "csv")
        assert result.exit_code == 1
        assert result.output.count("\n") == 1
        assert "VIEW must be one of addressed_to, addressee, agreement_curve" in result.output
        assert repr(view) in result.output and "published_model," not in result.output


@pytest.mark.postgres
@pytest.mark.slow
def test_rows_are_read_in_memory_that_does_not_grow(engine):
    with engine.begin() as conn:
        conn.execute(
            text(
                "CREATE VIEW petitions.large AS SELECT n, repeat('가', 300) AS s FROM generate_series(1, 60000) AS n;"
                " GRANT SELECT ON petitions.large TO petition_reader"
            )
        )
    tracemalloc.start()
    with open_view(engine, "large") as view:
        n_rows = sum(1 for _ in view.rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (view.names, view.kinds, n_rows) == (["n", "s"], ["integer", "text"], 60_000)
    assert peak < 8_000_000, "all of it would be 40 MB"


@pytest.mark.postgres
@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(published):
    with published.begin() as conn:
        conn.execute(
            text(
                "CREATE VIEW petitions.large AS SELECT n FROM generate_series(1, 100000) AS n;"
                " GRANT SELECT ON petitions.large TO petition_reader"
            )
        )
    code = "import sys; from petitions.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "export", "large", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as child:
        assert child.stdout.readline() == b'"n"\n'
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0
