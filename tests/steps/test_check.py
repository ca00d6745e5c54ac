"""The step check: each check is listed in the log and its table, and failed ones are named with value and limit."""

import logging

import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, RUN, WINDOW, make_petitions, write_all
from petitions.errors import CheckFailedError
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps.check import check
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.check_results import read_checks
from petitions.store.runs import StepResult, record_step
from rows import run_checks

pytestmark = pytest.mark.postgres
SOURCE = Source("sample")
SCORES = {"bert": {"next_sentence": (0.0, 1.0)}, "elmo": {}}


@pytest.fixture
def run(engine, tmp_path) -> Run:
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        for encoder, name in (("bert", BERT), ("elmo", ELMO)):
            done = StepResult(rows_in=12, rows_out=12, seconds=0, made_by=name)
            record_step(conn, RUN, f"encode {encoder}", done, at=MONDAY)
    settings, artifacts = Settings(source="sample"), ArtifactStore(str(tmp_path))
    return Run(settings=settings, engine=engine, artifacts=artifacts, source=SOURCE, window=WINDOW)


def test_every_check_is_listed_with_value_and_limit_and_failed_ones_are_named(run, caplog):
    with caplog.at_level(logging.INFO), pytest.raises(CheckFailedError) as caught:
        check(run, "fit-1", SCORES)
    with run.engine.connect() as conn:
        stored = read_checks(conn, "fit-1")
        expected = run_checks(conn, SOURCE, WINDOW, "fit-1", {BERT: SCORES["bert"], ELMO: {}})
        told = conn.execute(
            text("SELECT state, failed_step, error_kind, error_message FROM petitions.recent_run")
        ).one()
    assert repr(stored) == repr(sorted(expected, key=lambda item: item.name))  # NaN is not equal to itself
    failed = [item for item in stored if not item.passed]
    assert failed
    assert len(failed) < len(stored)
    for item in stored:
        line = f"{item.name} is {item.value:g}, must be {item.limit}: {'passed' if item.passed else 'FAILED'}"
        assert line in caplog.messages
        assert (f"{item.name} is {item.value:g}, must be {item.limit}" in str(caught.value)) == (not item.passed)
    assert told == ("failed", "check", "CheckFailedError", str(caught.value))


def test_checks_that_passed_before_are_run_again_and_a_mended_run_passes(run):
    with pytest.raises(CheckFailedError):
        check(run, "fit-1", SCORES)
    with run.engine.begin() as conn:
        conn.execute(text("UPDATE petitions.petition SET title = ' ' WHERE source_id = 'a-001'"))
    with pytest.raises(CheckFailedError, match="petitions_with_empty_fields is 1, must be at most 0"):
        check(run, "fit-1", SCORES)
