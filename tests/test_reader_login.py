"""The commands that only read work for a login that has the role petition_reader and nothing else."""

import pytest
from click.testing import CliRunner

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.cli import main
from petitions.store.publishing import publish

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def reader(engine, reader_url, monkeypatch, tmp_path):
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT], at=MONDAY)
    monkeypatch.setenv("PETITIONS_DATABASE_URL", reader_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path / "none"))
    return lambda *command: CliRunner().invoke(main, list(command))


def test_a_reader_looks_exports_and_makes_the_report(reader, tmp_path):
    for command in (
        ("topics", "--source", "sample"),
        ("trends", "--source", "sample"),
        ("similar", "sample:a-001"),
        ("export", "current_petition", "--format", "jsonl"),
        ("export", "current_petition", "--format", "parquet", "--output", str(tmp_path / "out.parquet")),
        ("report", "--source", "sample", "--output", str(tmp_path / "report.html")),
    ):
        done = reader(*command)
        assert done.exit_code == 0, (command, done.output)
    assert "건널목" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_reader_writes_nothing(reader):
    for command in (("publish", "--model", "fit-1"), ("prune", "--keep", "1")):
        done = reader(*command)
        assert (done.exit_code, done.output.count("\n")) == (1, 1), (command, done.output)
        assert "permission denied" in done.output
