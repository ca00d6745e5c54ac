"""The runs of the pipeline and the outcome of their checks: how the latest run over a window went."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.store.checks import CheckResult
from petitions.store.parts import WHOLE, Part
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


def record_step(conn: Connection, run_id: str, step: str, result: StepResult, part: Part = WHOLE) -> None:
    """Record rows and seconds of a step of a run that has begun, or of a part: the step's are then the parts' sums.

    Parts of another division of the window are forgotten, and so is that this part had failed.

    Raises:
        ConfigError: there is no such run.
    """
    told = asdict(result) | {"seconds": round(result.seconds, 3)}
    if part == WHOLE:
        _update(conn, run_id, {"steps": pipeline_run.c.steps.concat({step: told})})
        return
    before = _lock_step(conn, run_id, step)
    same = {key: item for key, item in before.get("parts", {}).items() if key.endswith(f"/{part.n_parts}")}
    parts = same | {str(part): told}
    failed = {key: error for key, error in before.get("failed", {}).items() if key != str(part)}
    sums = {name: sum(item[name] for item in parts.values()) for name in ("rows_in", "rows_out", "seconds")}
    merged = {**sums, "seconds": round(sums["seconds"], 3), "made_by": result.made_by, "parts": parts, "failed": failed}
    _update(conn, run_id, {"steps": pipeline_run.c.steps.concat({step: merged})})


def fail_step(conn: Connection, run_id: str, step: str, error: str, part: Part = WHOLE, *, at: datetime) -> None:
    """Record why a step of a run failed, and of a part also at the step, for whoever would try it elsewhere.

    Raises:
        ConfigError: there is no such run.
    """
    if part == WHOLE:
        fail_run(conn, run_id, f"{step}: {error}", at=at)
        return
    told: dict[str, Any] = {"rows_in": 0, "rows_out": 0, "seconds": 0.0, "made_by": ""} | _lock_step(conn, run_id, step)
    failed = told.get("failed", {}) | {str(part): error.partition(":")[0]}
    _update(conn, run_id, {"steps": pipeline_run.c.steps.concat({step: told | {"failed": failed}})})
    fail_run(conn, run_id, f"{step} {part}: {error}", at=at)


def forget_failures(conn: Connection, run_id: str, step: str) -> None:
    """Forget which parts of a step have failed, before it is tried again; without effect where none has."""
    if told := _lock_step(conn, run_id, step):
        _update(conn, run_id, {"steps": pipeline_run.c.steps.concat({step: told | {"failed": {}}})})


def read_failure(conn: Connection, run_id: str, step: str, part: Part) -> str | None:
    """Read the name of the error that a part of a step failed by at its last try; None where it did not."""
    steps = conn.scalar(select(pipeline_run.c.steps).where(pipeline_run.c.run_id == run_id)) or {}
    found = steps.get(step, {}).get("failed", {}).get(str(part))
    return None if found is None else str(found)


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
    return {step: told["made_by"] for step, told in steps.items() if told.get("made_by")}  # none in the oldest runs


def write_checks(conn: Connection, run_id: str, results: Iterable[CheckResult], *, at: datetime) -> Counts:
    """Write the outcome of a run's checks; those of an earlier set of checks go, an equal outcome is left alone."""
    rows = [_check_row(run_id, item, at) for item in results]
    return upsert(conn, check_result, rows, compare=("value", "limit", "passed"), replace_within=("run_id",))


def write_check(conn: Connection, run_id: str, result: CheckResult, *, at: datetime) -> Counts:
    """Write the outcome of one check; those of the other checks of the run stay."""
    return upsert(conn, check_result, [_check_row(run_id, result, at)], compare=("value", "limit", "passed"))


def forget_checks(conn: Connection, run_id: str, keep: Collection[str]) -> None:
    """Delete the outcomes of a run's checks but those of these names, before the checks are run one by one."""
    conn.execute(delete(check_result).where(check_result.c.run_id == run_id, check_result.c.name.not_in(keep)))


def read_checks(conn: Connection, run_id: str) -> list[CheckResult]:
    """Read the outcome of a run's checks, by name."""
    columns = [check_result.c[name] for name in ("name", "value", "limit", "passed")]
    rows = conn.execute(select(*columns).where(check_result.c.run_id == run_id).order_by(check_result.c.name))
    return [CheckResult(**row) for row in rows.mappings()]


def _check_row(run_id: str, item: CheckResult, at: datetime) -> dict[str, object]:
    return {
        "run_id": run_id,
        "name": item.name,
        "value": float(item.value),
        "limit": item.limit,
        "passed": item.passed,
        "checked_at": at,
    }


def _lock_step(conn: Connection, run_id: str, step: str) -> dict[str, Any]:
    """What is recorded of a step, while nobody else changes the run; empty for a step that is not there."""
    steps = conn.scalar(select(pipeline_run.c.steps).where(pipeline_run.c.run_id == run_id).with_for_update()) or {}
    return dict(steps.get(step, {}))


def _update(conn: Connection, run_id: str, values: dict[str, object]) -> None:
    done = conn.execute(update(pipeline_run).where(pipeline_run.c.run_id == run_id).values(values))
    if done.rowcount != 1:
        raise ConfigError(f"there is no run {run_id}")
