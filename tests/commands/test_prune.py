"""`petitions prune` on screen, and killed at any statement or file."""

import os
import signal
from datetime import timedelta
from itertools import count

import pytest
from click.testing import CliRunner
from sqlalchemy import event, text

from invented import BERT, MONDAY, make_model, make_petitions, make_shares, make_topics, write_all
from petitions.cli import main
from petitions.commands.prune import delete_orphans, prune_fits
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine
from petitions.store.publishing import publish
from petitions.store.topics import TopicEvent, write_topic_model
from rows import read_all_rows

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(6)


@pytest.fixture
def artifacts(monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    return ArtifactStore(str(tmp_path))


def fill(engine, artifacts) -> None:
    """Fits 1 to 3, published on successive days, with two files each."""
    with engine.begin() as conn:
        write_all(conn, PETITIONS)
        conn.execute(text("DELETE FROM petition_topic; DELETE FROM topic_term; DELETE FROM topic"))
        conn.execute(text("DELETE FROM topic_model"))
        for number in (1, 2, 3):
            name, at = f"fit-{number}", MONDAY + timedelta(days=number)
            origin = {"from_model_id": f"fit-{number - 1}", "from_topic_id": 1, "distance": 0.1}
            events = [TopicEvent(kind="continued", topic_id=1, **origin)] if number > 1 else []
            ids = [item.petition_id for item in PETITIONS]
            model = make_model(name, artifact=f"topics/{name}", fitted_at=at)
            write_topic_model(conn, model, make_topics(), events, ids, make_shares(6))
            publish(conn, name, [BERT], at=at)
            for file in ("a", "b"):
                artifacts.write(f"topics/{name}/{file}", b"x")


def empty(engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE petitions.petition, petitions.pipeline_run CASCADE"))


def test_a_dry_run_prints_what_would_go_and_changes_nothing(artifacts, engine):
    fill(engine, artifacts)
    artifacts.write("topics/killed/a", b"x")
    before = read_all_rows(engine), artifacts.list()
    shown = CliRunner().invoke(main, ["prune", "--keep", "1", "--dry-run"])
    assert shown.exit_code == 0, shown.output
    words = shown.output.split()
    for name in ("fit-1", "fit-2", "topics/fit-1", "topics/fit-2", "topics/killed"):
        assert name in words
    assert "fit-3" not in shown.output
    assert shown.output.endswith("2 fits and 3 folders would go\n")
    assert (read_all_rows(engine), artifacts.list()) == before
    done = CliRunner().invoke(main, ["prune", "--keep", "1"])
    assert done.output == shown.output.replace("would go", "deleted")
    assert artifacts.list() == ["topics/fit-3/a", "topics/fit-3/b"]
    assert CliRunner().invoke(main, ["prune"]).output == "0 fits and 0 folders deleted\n"


def test_keeping_none_is_one_line_and_status_1(artifacts, engine):
    for arguments in (["--keep", "0"], ["--keep", "-1", "--dry-run"]):
        result = CliRunner().invoke(main, ["prune", *arguments])
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "--keep must be at least 1, got" in result.output


def test_killed_at_any_statement_or_file_and_run_again_it_leaves_what_an_undisturbed_run_leaves(
    artifacts, engine, database_url
):
    fill(engine, artifacts)
    prune(engine, artifacts)
    undisturbed = read_all_rows(engine), artifacts.list()
    assert undisturbed[1] == ["topics/fit-3/a", "topics/fit-3/b"]
    n_between = 0
    for kill_at in count(1, 2):
        empty(engine)
        fill(engine, artifacts)
        if not prune_killed(database_url, artifacts, kill_at):
            break
        left = read_all_rows(engine)
        assert [len(left[name]) for name in ("topic_model", "topic", "petition_topic")] in (
            [n, 3 * n, 18 * n] for n in (1, 2, 3)
        )
        n_between += len(left["topic_model"]) == 1 and artifacts.exists("topics/fit-2/b")
        prune(engine, artifacts)
        assert (read_all_rows(engine), artifacts.list()) == undisturbed, f"killed at {kill_at}"
    assert n_between >= 2, "rows were gone and their folder was not, and yet nothing stayed behind"


def prune(engine, artifacts) -> None:
    for _ in prune_fits(engine, 1):
        pass
    for _ in delete_orphans(engine, artifacts):
        pass


def prune_killed(url: str, artifacts: ArtifactStore, kill_at: int) -> bool:
    """Prune in a child that kills itself at its n-th statement, commit or file; whether it got that far."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL)
        return status != 0
    status = 1
    try:
        done = count(1)

        def maybe_die(*_args) -> None:
            if next(done) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        class Doomed(ArtifactStore):
            def delete(self, path: str) -> None:
                maybe_die()
                super().delete(path)

        engine = open_engine(url)
        event.listen(engine, "before_cursor_execute", maybe_die)
        event.listen(engine, "commit", maybe_die)
        prune(engine, Doomed(artifacts.url))
        status = 0
    finally:
        os._exit(status)
