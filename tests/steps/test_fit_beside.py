"""A fit in a process of its own is the one made in this one; its errors come back, and no end of either is lost."""

import pickle
import signal
import subprocess
import sys
import time
from contextlib import suppress
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
LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
WHERE locktype = 'advisory' AND datname = current_database()
"""
PATIENCE_S = 60
BEGIN = """
import sys, time
from datetime import date
from petitions.pipeline import Pipeline
from petitions.steps.fit_beside import fit_beside
with fit_beside(Pipeline.open(until=date.fromisoformat(sys.argv[1]), source="sample")) as wait:
    print("begun", flush=True)
    time.sleep(60)
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


def find_fits(process=None):
    """The processes that one has begun a fit in; other tests leave servers of multiprocessing behind."""
    found = []
    for child in (process or psutil.Process()).children():
        with suppress(psutil.NoSuchProcess):
            found += [child] if "answer_parent" in " ".join(child.cmdline()) else []
    return found


def await_state(run, state):
    """Wait until the step is so."""
    deadline = time.monotonic() + PATIENCE_S
    with run.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        while (found := conn.execute(text(STEP)).one_or_none()) is None or found.state != state:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)


def fit_again(run):
    """Fit once the locks of a process that was killed are gone, for which Postgres has to notice it."""
    deadline = time.monotonic() + PATIENCE_S
    with run.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        while conn.execute(text(LOCKS)).scalar_one():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    return run.fit_topics()


def count_topics(run):
    with run.engine.connect() as conn:
        return conn.execute(text("SELECT count(*) FROM petitions.topic")).scalar_one()


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
    assert told == [("fit_topics", "1/1", count_topics(run))]
    for name in ("topics.npz", "lda.zip"):
        assert run.artifacts.exists(f"topics/{model_id}/{name}")
    assert find_fits() == []


def test_a_whole_run_fits_beside_encode_and_with_nothing_new_begins_no_process(engine, tmp_path, monkeypatch):
    told = []
    run = replace(open_run(engine, tmp_path), report=lambda step, *_: told.append(step))
    model_id = run.run()
    assert told.index("fit_topics") > told.index("encode bert")  # the fit is waited for behind it
    with engine.connect() as conn:
        assert conn.execute(text("SELECT DISTINCT model_id FROM petitions.current_topic")).scalar_one() == model_id
    monkeypatch.setattr("petitions.steps.fit_beside.start_process", None)
    told.clear()
    assert run.run() == model_id
    assert told.index("fit_topics") < told.index("encode bert")


def test_an_error_of_the_fit_comes_back_as_it_is(engine, tmp_path, capfd, caplog):
    run = open_run(engine, tmp_path)
    with pytest.raises(EmptyWindowError, match="no petition in the window") as raised, fit_beside(run) as wait:
        wait()
    assert read_step(run) == ("failed", "EmptyWindowError", str(raised.value))
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_system_comes_back_too_and_its_record_stays(run, tmp_path, capfd):
    (tmp_path / "artifacts").mkdir(exist_ok=True)
    (tmp_path / "artifacts" / "topics").write_text("in the way of a folder")
    with pytest.raises(NotADirectoryError), fit_beside(run) as wait:
        wait()
    assert read_step(run)[:2] == ("failed", "NotADirectoryError")
    assert capfd.readouterr() == ("", "")


def test_a_process_that_is_killed_is_told(run):
    with fit_beside(run) as wait:
        await_state(run, "running")
        (child,) = find_fits()
        child.kill()
        with pytest.raises(TransientError, match="the process of fit_topics ended with the status -9"):
            wait()
    assert read_step(run).state == "running"  # as of any process that is killed
    assert fit_again(run)


def test_what_is_fitted_when_the_other_step_fails_is_found_by_the_next_run(run, caplog):
    with pytest.raises(MemoryError), fit_beside(run):
        raise MemoryError
    assert "waiting for the step fit_topics" in caplog.text
    assert read_step(run).state == "done"
    assert find_fits() == []
    model_id = run.read_model_id()
    with fit_beside(run) as wait:
        assert wait() == model_id


def test_the_process_opens_the_database_as_the_setting_says_and_no_accelerator(run, monkeypatch):
    sent = []
    dump = pickle.dump
    monkeypatch.setattr(pickle, "dump", lambda what, to: (sent.append(what), dump(what, to)))
    url = f"{run.settings.database_url}{'&' if '?' in run.settings.database_url else '?'}prepare_threshold=none"
    pooled = replace(run, settings=replace(run.settings, database_url=url))
    with fit_beside(pooled) as wait:
        assert wait()
    ((_, settings, *_),) = sent
    assert (settings.database_url, settings.accelerator) == (url, "cpu")


def test_ctrl_c_ends_the_fit_too(run, capfd):
    with pytest.raises(KeyboardInterrupt), fit_beside(run):
        await_state(run, "running")
        raise KeyboardInterrupt
    assert find_fits() == []
    assert read_step(run)[:2] == ("failed", "KeyboardInterrupt")
    assert capfd.readouterr() == ("", "")
    assert fit_again(run)


@pytest.mark.parametrize(
    ("number", "recorded"), [(signal.SIGTERM, ("failed", "KeyboardInterrupt")), (signal.SIGKILL, ("running", None))]
)
def test_a_process_that_is_ended_takes_its_fit_along(run, tmp_path, number, recorded):
    environ = {
        "PETITIONS_DATABASE_URL": run.settings.database_url, "PETITIONS_ARTIFACTS": run.settings.artifacts,
        "PYTHONPATH": ":".join(sys.path),
    }  # fmt: skip
    command = [sys.executable, "-c", BEGIN, str(UNTIL)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as begun:
        assert begun.stdout.readline() == b"begun\n"
        await_state(run, "running")
        (child,) = find_fits(psutil.Process(begun.pid))
        begun.send_signal(number)
        _, said = begun.communicate()
    assert psutil.wait_procs([child], timeout=PATIENCE_S)[1] == []
    assert said == b""
    assert read_step(run)[:2] == recorded
    assert fit_again(run)
