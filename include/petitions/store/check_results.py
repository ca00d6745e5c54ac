"""The outcomes of a fit's checks: planned first, run in any order and by any process, and taken together at the end.

A check that is planned counts as not passed until it was run, so that a fit is published with all of them or not.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from petitions.errors import ConfigError
from petitions.store.checks import CheckResult, PlannedCheck, tell_limit
from petitions.store.run_tables import check_result
from petitions.store.topic_reads import read_topic_model


def plan_results(conn: Connection, model_id: str, planned: Sequence[PlannedCheck], *, at: datetime) -> None:
    """Note which checks a fit must pass; the outcome of one that was run before stays until it is run again.

    Outcomes of checks that are not planned any more are deleted, those by other encoders left alone.

    Raises:
        ConfigError: there is no such fit.
    """
    run_id = read_topic_model(conn, model_id).run_id
    row = check_result.c
    is_of_these = row.encoder.in_({"", *(item.encoder for item in planned)})
    gone = row.name.not_in([item.name for item in planned])
    conn.execute(delete(check_result).where(row.model_id == model_id, is_of_these, gone))
    rows = [
        {
            "model_id": model_id,
            "name": item.name,
            "run_id": run_id,
            "encoder": item.encoder,
            "value": float("nan"),
            "limit": tell_limit(item.rule),
            "passed": False,
            "checked_at": at,
        }
        for item in planned
    ]
    conn.execute(insert(check_result).values(rows).on_conflict_do_nothing())


def write_check(conn: Connection, model_id: str, result: CheckResult, *, at: datetime) -> bool:
    """Write the outcome of a planned check; gives whether it is another one than before, which is else left alone.

    Raises:
        ConfigError: no such check of the fit is planned.
    """
    row = check_result.c
    is_it = (row.model_id == model_id) & (row.name == result.name)
    found = {"value": float(result.value), "limit": result.limit, "passed": result.passed}
    old, new = tuple_(row.value, row.limit, row.passed), tuple_(*found.values())
    changed = conn.execute(update(check_result).where(is_it, old != new).values(**found, checked_at=at)).rowcount
    if not changed and conn.scalar(select(row.name).where(is_it)) is None:
        raise ConfigError(f"no check {result.name!r} of {model_id} is planned")
    return bool(changed)


def read_checks(conn: Connection, model_id: str, encoders: Sequence[str] | None = None) -> list[CheckResult]:
    """Read the outcome of a fit's checks by name, those of other encoders left out where some are named."""
    row = check_result.c
    query = select(row.name, row.value, row.limit, row.passed).where(row.model_id == model_id).order_by(row.name)
    if encoders is not None:
        query = query.where(row.encoder.in_(["", *encoders]))
    return [CheckResult(**found) for found in conn.execute(query).mappings()]
