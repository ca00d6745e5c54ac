"""The runs of the pipeline and the outcome of their checks: how the latest run over a window went."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select, update
from sqlalchemy.dialects.postgresql import insert

from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.store.checks import CheckResult
from petitions.store.tables import check_result, pipeline_run
from petitions.store.upsert import Counts, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one step of a run read and wrote, how long it took, and the version of what did it ("" where none)."""

    rows_in: int
    rows_out: int
    seconds: float
    made_by: str = ""


def name_run(source: Source, window: Window) -> str:
    """The id of the run over a window: the same for every time that it is run."""
    return f"{source}_{window.since}_{window.until}"


def begin_run(conn: Connection, source: Source, window: Window, *, at: datetime) -> str:
    """Record that a run is at work, and give its id; a step's numbers stay until it is redone.

    Each step says so: the time of the start is that of the first one after the run was finished or had failed.
    """
    run_id = name_run(source, window)
    begun: dict[str, object] = {"state": "running", "error": None, "started_at": at, "finished_at": None}
    row = {"run_id": run_id, "source": str(source), "since": window.since, "until": window.until, "steps": {}, **begun}
    again = begun | {"started_at": case((pipeline_run.c.state == "running", pipeline_run.c.started_at), else_=at)}
    conn.execute(insert(pipeline_run).values(row).on_conflict_do_update(index_elements=["run_id"], set_=again))
    return run_id


def record_step(conn: Connection, run_id: str, step: str, result: StepResult) -> None:
    """Record rows and seconds of a step of a run that has begun.

    Raises:
        ConfigError: there is no such run.
    """
    told = asdict(result) | {"seconds": round(result.seconds, 3)}
    merged = pipeline_run.c.steps.concat({step: told})
    _update(conn, run_id, {"steps": merged})


def record_model(conn: Connection, run_id: str, model_id: str) -> None:
    """Record which fit a run made."""
    _update(conn, run_id, {"model_id": model_id})


def finish_run(conn: Connection, run_id: str, state: str, *, at: datetime) -> None:
    """Record that a run is `checked` or `published`."""
    _update(conn, run_id, {"state": state, "error": None, "finished_at": at})


def fail_run(conn: Connection, run_id: str, error: str, *, at: datetime) -> None:
    """Record why a run failed, in one line of at most 500 characters."""
    _update(conn, run_id, {"state": "failed", "error": " ".join(error.split())[:500], "finished_at": at})


def read_model_id(conn: Connection, run_id: str) -> str:
    """Read which fit a run made last.

    Raises:
        ConfigError: there is no such run, or it has made none.
    """
    model_id = conn.scalar(select(pipeline_run.c.model_id).where(pipeline_run.c.run_id == run_id))
    if model_id is None:
        raise ConfigError(f"the run {run_id} has made no fit yet")
    return str(model_id)


def read_made_by(conn: Connection, run_id: str) -> dict[str, str]:
    """Read the version of what did each step of a run; empty for a run that is not there."""
    steps = conn.scalar(select(pipeline_run.c.steps).where(pipeline_run.c.run_id == run_id)) or {}
    return {step: told["made_by"] for step, told in steps.items() if told["made_by"]}


def write_checks(conn: Connection, run_id: str, results: Iterable[CheckResult], *, at: datetime) -> Counts:
    """Write the outcome of a run's checks; those of an earlier set of checks go, an equal outcome is left alone."""
    rows = [
        {
            "run_id": run_id,
            "name": item.name,
            "value": float(item.value),
            "limit": item.limit,
            "passed": item.passed,
            "checked_at": at,
        }
        for item in results
    ]
    return upsert(conn, check_result, rows, compare=("value", "limit", "passed"), replace_within=("run_id",))


def read_checks(conn: Connection, run_id: str) -> list[CheckResult]:
    """Read the outcome of a run's checks, by name."""
    columns = [check_result.c[name] for name in ("name", "value", "limit", "passed")]
    rows = conn.execute(select(*columns).where(check_result.c.run_id == run_id).order_by(check_result.c.name))
    return [CheckResult(**row) for row in rows.mappings()]


def _update(conn: Connection, run_id: str, values: dict[str, object]) -> None:
    done = conn.execute(update(pipeline_run).where(pipeline_run.c.run_id == run_id).values(values))
    if done.rowcount != 1:
        raise ConfigError(f"there is no run {run_id}")
