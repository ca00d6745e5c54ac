"""A fit in a process of its own is the one made in this one; its errors come back, and no end of either is lost."""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import psutil
import pytest
from sqlalchemy import text

from petitions.errors import EmptyWindowError, TransientError
from petitions.pipeline import Pipeline
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.steps.fit_beside import fit_beside
from petitions.store.artifacts import ArtifactStore
from rows import read_all_rows

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
UNTIL = date(2026, 11, 20)
STEP = "SELECT state, error_kind, error_message FROM petitions.run_step WHERE step = 'fit_topics'"
PATIENCE_S = 60
KILLED = """
import os, signal, sys
from datetime import date
from petitions.pipeline import Pipeline
from petitions.steps.fit_beside import fit_beside
with fit_beside(Pipeline.open(until=date.fromisoformat(sys.argv[1]), source="sample")):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def now() -> datetime:
    """A clock that another process can be given too."""
    return datetime(2026, 11, 20, 1, tzinfo=UTC)


def open_run(engine, folder):
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(source="sample", scorers=(), database_url=url, artifacts=str(folder / "artifacts"))
    artifacts, window = ArtifactStore(settings.artifacts), Window.ending(UNTIL)
    return Pipeline(
        settings=settings, engine=engine, artifacts=artifacts, source=Source("sample"), window=window, clock=now
    )


@pytest.fixture
def run(engine, tmp_path):
    """A run that is ready to be fitted."""
    run = open_run(engine, tmp_path)
    run.crawl()
    run.tokenize()
    return run


def read_step(run):
    with run.engine.connect() as conn:
        return conn.execute(text(STEP)).one()


def find_children():
    return psutil.Process().children()


def test_the_fit_is_the_one_that_this_process_makes_and_is_reported(run, new_database, tmp_path):
    told = []
    reporting = replace(run, report=lambda step, part, result: told.append((step, str(part), result.rows_out)))
    with fit_beside(reporting) as wait:
        assert not told
        model_id = wait()
    other = open_run(new_database(), tmp_path / "other")
    other.crawl()
    other.tokenize()
    assert other.fit_topics() == model_id == run.read_model_id()
    assert read_all_rows(other.engine) == read_all_rows(run.engine)
    assert told == [("fit_topics", "1/1", len(run.engine.connect().execute(text("TABLE petitions.topic")).all()))]
    for name in ("topics.npz", "lda.zip"):
        assert run.artifacts.exists(f"topics/{model_id}/{name}")
    assert find_children() == []


def test_an_error_of_the_fit_comes_back_as_it_is(engine, tmp_path, capfd):
    with (
        pytest.raises(EmptyWindowError, match="no petition in the window") as raised,
        fit_beside(open_run(engine, tmp_path)) as wait,
    ):
        wait()
    assert read_step(open_run(engine, tmp_path)) == ("failed", "EmptyWindowError", str(raised.value))
    assert capfd.readouterr() == ("", "")


def test_a_process_that_is_killed_is_told_and_recorded(run):
    with fit_beside(run) as wait:
        (child,) = find_children()
        child.kill()
        with pytest.raises(TransientError, match="the process of fit_topics ended with the status -9"):
            wait()
    assert read_step(run)[:2] == ("failed", "TransientError")


def test_what_is_fitted_when_the_other_step_fails_is_found_by_the_next_run(run):
    with pytest.raises(MemoryError), fit_beside(run):
        raise MemoryError
    assert read_step(run).state == "done"
    assert find_children() == []
    model_id = run.read_model_id()
    with fit_beside(run) as wait:
        assert wait() == model_id


def test_ctrl_c_ends_the_fit_too(run):
    with pytest.raises(KeyboardInterrupt), fit_beside(run):
        raise KeyboardInterrupt
    assert find_children() == []
    assert read_step(run)[:2] == ("failed", "KeyboardInterrupt")
    assert run.fit_topics()  # nobody holds the step


def test_the_fit_of_a_process_that_is_killed_ends_and_is_kept(run, tmp_path):
    environ = {
        "PETITIONS_DATABASE_URL": run.settings.database_url, "PETITIONS_ARTIFACTS": run.settings.artifacts,
        "PYTHONPATH": ":".join(sys.path),
    }  # fmt: skip
    with (tmp_path / "err").open("w") as errors:
        subprocess.run([sys.executable, "-c", KILLED, str(UNTIL)], env=environ, stderr=errors, check=False)
    deadline = time.monotonic() + PATIENCE_S
    with run.engine.connect() as conn:
        while conn.execute(text("SELECT count(*) FROM petitions.topic_model")).scalar_one() == 0:
            assert time.monotonic() < deadline
            conn.rollback()
            time.sleep(0.1)
    while any(
        "answer_parent" in " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert read_step(run).state == "done"
    assert (tmp_path / "err").read_text() == ""
