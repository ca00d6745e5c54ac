"""The step check: plan the checks of a fit, run them or have them run elsewhere, and take their outcomes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from petitions.errors import CheckFailedError, ConfigError
from petitions.steps.known_items import plan_known_items
from petitions.steps.step import Run, read_made_by, tell_failure
from petitions.store import check_results, checks, runs, vectors
from petitions.store.checks import CheckResult, PlannedCheck, Scores, find_faults, run_check, tell_fault
from petitions.store.topic_reads import read_topic_model


def check(run: Run, model_id: str, scores: Scores, scorers: Sequence[str] = ()) -> int:
    """Audit a fit, and store the outcome; returns the number of checks, and raises as `finish_checks`."""
    planned = plan_checks(run, model_id, scores, scorers)
    with tell_failure(run, "check"), run.engine.begin() as conn:
        for result in [run_check(conn, item) for item in planned]:
            check_results.write_check(conn, model_id, result, at=run.clock())
    return finish_checks(run, model_id, scores, scorers)


def plan_checks(run: Run, model_id: str, scores: Scores, scorers: Sequence[str] = ()) -> list[PlannedCheck]:
    """Begin to check a fit: list its checks, and make the vectors of the first encoder searchable.

    Raises:
        ConfigError: the fit is of another run, or an encoder or fine-tuned model of the run has not done its step.
    """
    with run.engine.begin() as conn:
        runs.begin_step(conn, runs.begin_run(conn, run.source, run.window), "check", at=run.clock())
    with tell_failure(run, "check"):
        made = {read_made_by(run, f"encode {encoder}"): names for encoder, names in scores.items()}
        labelled = [read_made_by(run, f"score {scorer}") for scorer in scorers]
        with run.engine.begin() as conn:
            if (made_in := read_topic_model(conn, model_id).run_id) != run.run_id:
                raise ConfigError(f"{model_id} is a fit of the run {made_in}, not of {run.run_id}")
            vectors.ensure_index(conn, next(iter(made)))  # recall is one of the checks
        with run.engine.begin() as conn:
            planned = checks.plan_checks(conn, run.source, run.window, model_id, made, labelled)
            planned += plan_known_items(conn, run.settings, run.source, run.window, next(iter(made)))
            check_results.plan_results(conn, model_id, planned, at=run.clock())
    return planned


def take_outcome(engine: Engine, run_id: str, model_id: str, result: CheckResult, at: datetime) -> None:
    """Store the outcome of a planned check that was run elsewhere; one that did not pass fails the step."""
    with engine.begin() as conn:
        check_results.write_check(conn, model_id, result, at=at)
        if not result.passed:
            runs.fail_step(conn, run_id, "check", CheckFailedError(tell_fault(result)), at=at)


def finish_checks(run: Run, model_id: str, scores: Scores, scorers: Sequence[str] = ()) -> int:
    """Take the outcomes of all planned checks; returns how many.

    Raises:
        CheckFailedError: names each check that failed, its value and its limit.
    """
    with run.step("check") as progress:
        encoders = [read_made_by(run, f"encode {encoder}") for encoder in scores]
        encoders += [read_made_by(run, f"score {scorer}") for scorer in scorers]
        with run.engine.connect() as conn:
            results = check_results.read_checks(conn, model_id, encoders)
        if faults := find_faults(results, encoders):
            raise CheckFailedError(f"{model_id}: {'; '.join(faults)}")
        progress.rows_in = progress.rows_out = len(results)
    return progress.rows_in
