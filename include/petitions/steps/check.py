"""The step check: plan the checks of a run, run them or have them run elsewhere, and take their outcomes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from petitions.errors import CheckFailedError
from petitions.records import Source, Window
from petitions.store import checks, runs, vectors


def plan_audit(
    engine: Engine, source: Source, window: Window, model_id: str, scores: Mapping[str, Sequence[str]], at: datetime
) -> list[checks.PlannedCheck]:
    """List the checks of a run, and make the vectors of its first encoder searchable, whose recall is one of them.

    Outcomes of checks that are not planned any more are deleted.
    """
    with engine.begin() as conn:
        vectors.ensure_index(conn, next(iter(scores)))
    with engine.begin() as conn:
        planned = checks.plan_checks(conn, source, window, model_id, scores)
        run_id = runs.begin_run(conn, source, window, at=at)
        runs.forget_checks(conn, run_id, [item.name for item in planned])
    return planned


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
