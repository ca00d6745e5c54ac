"""The step check: run the checks of a fit, store and list their outcomes, and fail by the names of those that fail."""

import logging
from collections.abc import Sequence

from petitions.errors import CheckFailedError, ConfigError
from petitions.steps.known_items import plan_known_items
from petitions.steps.step import Run, read_made_by
from petitions.store import check_results, checks, vectors
from petitions.store.checks import PlannedCheck, Scores, find_faults, run_check
from petitions.store.topic_reads import read_topic_model

logger = logging.getLogger(__name__)


def check(run: Run, model_id: str, scores: Scores, scorers: Sequence[str] = ()) -> int:
    """Audit a fit, store each outcome and tell the log of it; returns the number of checks.

    Args:
        run: whose fit it is.
        model_id: the fit.
        scores: for each encoder, the scores that it must have given, with the range of each.
        scorers: the fine-tuned models that must have labelled the window.

    Raises:
        CheckFailedError: names each check that failed, its value and its limit.
        ConfigError: the fit is of another run, or an encoder or fine-tuned model of the run has not done its step.
    """
    with run.step("check") as progress:
        made = {read_made_by(run, f"encode {encoder}"): names for encoder, names in scores.items()}
        labelled = [read_made_by(run, f"score {scorer}") for scorer in scorers]
        planned = _plan(run, model_id, made, labelled)
        with run.engine.begin() as conn:
            results = [run_check(conn, item) for item in planned]
            for result in results:
                check_results.write_check(conn, model_id, result, at=run.clock())
        for result in results:
            level = logging.INFO if result.passed else logging.ERROR
            told = "passed" if result.passed else "FAILED"
            logger.log(level, "%s is %g, must be %s: %s", result.name, result.value, result.limit, told)
        if faults := find_faults(results, [*made, *labelled]):
            raise CheckFailedError(f"{model_id}: {'; '.join(faults)}")
        progress.rows_in = progress.rows_out = len(results)
    return progress.rows_in


def _plan(run: Run, model_id: str, made: Scores, labelled: Sequence[str]) -> list[PlannedCheck]:
    """List the checks of a fit, which count as failed until they are run, and make the vectors searchable for them."""
    with run.engine.begin() as conn:
        if (made_in := read_topic_model(conn, model_id).run_id) != run.run_id:
            raise ConfigError(f"{model_id} is a fit of the run {made_in}, not of {run.run_id}")
        vectors.ensure_index(conn, next(iter(made)))  # recall is one of the checks
    with run.engine.begin() as conn:
        planned = checks.plan_checks(conn, run.source, run.window, model_id, made, labelled)
        searched = next(iter(made))
        planned += plan_known_items(conn, run.settings, run.artifacts, run.source, run.window, searched)
        check_results.plan_results(conn, model_id, planned, at=run.clock())
    return planned
