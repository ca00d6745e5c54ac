"""The step check: plan the checks of a run, run them or have them run elsewhere, and take their outcomes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from petitions.errors import CheckFailedError
from petitions.steps.step import Run, read_made_by
from petitions.store import checks, runs, vectors


def plan_checks(run: Run, model_id: str, scores: Mapping[str, Sequence[str]]) -> list[checks.PlannedCheck]:
    """List the checks of a run, and make the vectors of its first encoder searchable, whose recall is one of them.

    Outcomes of checks that are not planned any more are deleted.

    Args:
        run: whose steps have been done.
        model_id: the fit that is to be published.
        scores: by encoder, "bert" or "elmo", the names of the scores that it must have given.
    """
    made = {read_made_by(run, f"encode {encoder}"): names for encoder, names in scores.items()}
    with run.engine.begin() as conn:
        vectors.ensure_index(conn, next(iter(made)))
    with run.engine.begin() as conn:
        planned = checks.plan_checks(conn, run.source, run.window, model_id, made)
        run_id = runs.begin_run(conn, run.source, run.window, at=run.clock())
        runs.forget_checks(conn, run_id, [item.name for item in planned])
    return planned


def finish_checks(run: Run) -> int:
    """Take the outcomes of all planned checks; returns how many, and raises as `count_passed`."""
    with run.step("check") as progress, run.engine.begin() as conn:
        progress.rows_in = progress.rows_out = count_passed(conn, run.run_id)
    with run.engine.begin() as conn:
        runs.finish_run(conn, run.run_id, "checked", at=run.clock())
    return progress.rows_in


def check(run: Run, model_id: str, scores: Mapping[str, Sequence[str]]) -> int:
    """Audit what a run wrote, and store the outcome; returns the number of checks, and raises as their end."""
    planned = plan_checks(run, model_id, scores)
    with run.engine.begin() as conn:
        results = [checks.run_check(conn, item) for item in planned]
        runs.write_checks(conn, run.run_id, results, at=run.clock())
    return finish_checks(run)


def count_passed(conn: Connection, run_id: str) -> int:
    """Count the checks of a run, all of which have passed.

    Raises:
        CheckFailedError: names each check that failed, its value and its limit; or there is none.
    """
    results = runs.read_checks(conn, run_id)
    failed = [f"{item.name} is {item.value:g}, must be {item.limit}" for item in results if not item.passed]
    if failed or not results:
        raise CheckFailedError(f"{run_id}: {'; '.join(failed) or 'no check was run'}")
    return len(results)
