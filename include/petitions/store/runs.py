"""The runs of the pipeline and their steps: how the last try of each step went, from which a run's state follows.

Each step, and each part of one, has a row of its own: workers that share a step write beside each other, and nothing
that one of them does can hide what another has failed by. The state of a run is told by the view `recent_run`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from petitions.errors import ConfigError
from petitions.privacy import redact_error
from petitions.records import Source, Window
from petitions.store.parts import WHOLE, Part
from petitions.store.run_tables import pipeline_step
from petitions.store.tables import pipeline_run

_KEY = ("run_id", "step", "part", "n_parts")
_NO_ERROR = {"error_kind": None, "error_message": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one step of a run read and wrote, how long it took, and the version of what did it ("" where none).

    A step that found that it must not be done is skipped.
    """

    rows_in: int
    rows_out: int
    seconds: float
    made_by: str = ""
    is_skipped: bool = False


def name_run(source: Source, window: Window) -> str:
    """The id of the run over a window: the same for every time that it is run."""
    return f"{source}_{window.since}_{window.until}"


def begin_run(conn: Connection, source: Source, window: Window) -> str:
    """Record that there is a run, and give its id; without effect where it is known."""
    run_id = name_run(source, window)
    row = {"run_id": run_id, "source": str(source), "since": window.since, "until": window.until}
    conn.execute(insert(pipeline_run).values(row).on_conflict_do_nothing())
    return run_id


def begin_step(conn: Connection, run_id: str, step: str, part: Part = WHOLE, *, at: datetime) -> None:
    """Record that a step of a run, or a part of it, is at work; what its last try brought stays until it is done.

    Parts of another division of the window are forgotten, and so is what the last try failed by.
    """
    row = pipeline_step.c
    conn.execute(delete(pipeline_step).where(row.run_id == run_id, row.step == step, row.n_parts != part.n_parts))
    _write(conn, run_id, step, part, {"state": "running", "started_at": at, "finished_at": None, **_NO_ERROR})


def record_step(
    conn: Connection, run_id: str, step: str, result: StepResult, part: Part = WHOLE, *, at: datetime
) -> None:
    """Record rows and seconds of a step of a run, or of a part of it, that is done or was skipped.

    Raises:
        PermanentError: there is no such run.
    """
    done: dict[str, object] = {
        "state": "skipped" if result.is_skipped else "done",
        "finished_at": at,
        "rows_in": result.rows_in,
        "rows_out": result.rows_out,
        "seconds": round(result.seconds, 3),
        "made_by": result.made_by,
        **_NO_ERROR,
    }
    _write(conn, run_id, step, part, done, began=at - timedelta(seconds=result.seconds))


def fail_step(
    conn: Connection, run_id: str, step: str, error: BaseException, part: Part = WHOLE, *, at: datetime
) -> None:
    """Record why a step of a run, or a part of it, failed; see `redact_error` for what is told.

    Raises:
        PermanentError: there is no such run.
    """
    failed: dict[str, object] = {
        "state": "failed",
        "finished_at": at,
        "error_kind": type(error).__name__,
        "error_message": redact_error(error),
    }
    _write(conn, run_id, step, part, failed, began=at)


def forget_failures(conn: Connection, run_id: str, step: str, n_parts: int) -> None:
    """Forget which parts of a step have failed, and those of another division, before it is tried again."""
    row = pipeline_step.c
    gone = or_(row.state == "failed", row.n_parts != n_parts)
    conn.execute(delete(pipeline_step).where(row.run_id == run_id, row.step == step, gone))


def read_failure(conn: Connection, run_id: str, step: str, part: Part) -> str | None:
    """Read the name of the error that a part of a step failed by at its last try; None where it did not."""
    kind = conn.scalar(select(pipeline_step.c.error_kind).where(_is(run_id, step, part)))
    return None if kind is None else str(kind)


def record_model(conn: Connection, run_id: str, model_id: str) -> None:
    """Record which fit a run made last; the row of a run that has made the same is left alone."""
    run = pipeline_run.c
    is_news = run.model_id.is_distinct_from(model_id)
    conn.execute(update(pipeline_run).where(run.run_id == run_id, is_news).values(model_id=model_id))


def read_model_id(conn: Connection, run_id: str) -> str:
    """Read which fit a run made last.

    Raises:
        ConfigError: there is no such run, or it has made none.
    """
    model_id = conn.scalar(select(pipeline_run.c.model_id).where(pipeline_run.c.run_id == run_id))
    if model_id is None:
        raise ConfigError(f"the run {run_id} has made no fit yet")
    return str(model_id)


def read_made_by(conn: Connection, run_id: str, step: str) -> str:
    """Read the version of what did a step of a run, in all of its parts.

    Raises:
        ConfigError: it has not been done, or parts of it were done by another version than others.
    """
    row = pipeline_step.c
    query = select(row.made_by).distinct().where(row.run_id == run_id, row.step == step, row.made_by != "")
    found = conn.scalars(query.order_by(row.made_by)).all()
    if not found:
        raise ConfigError(f"the run {run_id} has not done the step {step!r} yet")
    if len(found) > 1:
        raise ConfigError(f"the parts of the step {step!r} of the run {run_id} are by {' and '.join(found)}: redo it")
    return str(found[0])


def _is(run_id: str, step: str, part: Part) -> ColumnElement[bool]:
    row = pipeline_step.c
    return and_(row.run_id == run_id, row.step == step, row.part == part.number + 1, row.n_parts == part.n_parts)


def _write(
    conn: Connection, run_id: str, step: str, part: Part, values: dict[str, object], began: datetime | None = None
) -> None:
    """Write the row of a step; `began` is when it began where nobody has told so."""
    key = {"run_id": run_id, "step": step, "part": part.number + 1, "n_parts": part.n_parts}
    start = {} if began is None else {"started_at": began}
    written = insert(pipeline_step).values({**key, **start, **values})
    conn.execute(written.on_conflict_do_update(index_elements=_KEY, set_=values))
