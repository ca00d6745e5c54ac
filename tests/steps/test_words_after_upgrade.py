"""After an upgrade from before words were kept, search says what is missing, and the step tokenize brings it."""

from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, make_petitions, write_all
from petitions.cli import main
from petitions.commands.doctor import examine
from petitions.pipeline import Pipeline
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import downgrade, upgrade
from petitions.store.publishing import publish
from petitions.store.words import read_without_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
N = 6
TOLD = f"{N} published petitions of sample have no words to be found by yet: `petitions tokenize --source sample`"
LATER = Window.ending(date(2024, 12, 1))  # shares no day with what is published


@pytest.fixture
def upgraded(engine, monkeypatch, database_url, tmp_path):
    """A database in which a fit was published before petition_words was there."""
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    with engine.begin() as conn:
        write_all(conn, make_petitions(N))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    downgrade(engine, "0011")
    upgrade(engine)
    return engine


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


def test_what_is_missing_is_said_in_a_line_by_search_upgrade_and_doctor(upgraded, monkeypatch):
    monkeypatch.setenv("PETITIONS_BERT_MODEL", "/nowhere/bert")  # nothing to load
    monkeypatch.setenv("PETITIONS_ELMO_MODEL", "/nowhere/elmo")
    found = run("search", "놓아 주세요", "--json")
    assert found.exit_code == 0, found.output
    assert found.stderr.startswith(TOLD), "and in one line"
    assert found.stderr.count("\n") == 1
    assert found.stdout.count('"petition_id"') == N, "by their letters"
    assert run("search", "건널목", "--source", "assembly").stderr == ""
    assert TOLD in run("db", "upgrade").stdout
    (words,) = [item for item in examine() if item.part == "words"]
    assert (words.is_fit, words.found.startswith(TOLD)) == (False, True)


def test_tokenize_of_any_window_gives_what_is_published_its_words_and_counts_them(upgraded, tmp_path):
    pipeline = Pipeline(
        settings=Settings(source="sample"),
        engine=upgraded,
        artifacts=ArtifactStore(str(tmp_path / "artifacts")),
        source=Source("sample"),
        window=LATER,
    )
    with upgraded.connect() as conn:
        assert read_without_words(conn) == {"sample": N}
    pipeline.tokenize()
    with upgraded.connect() as conn:
        assert read_without_words(conn) == {}
        assert conn.scalar(text("SELECT n_petitions FROM petitions.word_level WHERE level = 0")) == N
    found = run("search", "신호등을 놓은 건널목", "--json")
    assert found.stderr == ""
    assert found.stdout.count('"petition_id"') == N
    (words,) = [item for item in examine() if item.part == "words"]
    assert words.is_fit
