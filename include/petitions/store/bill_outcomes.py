"""What the official open data says of petitions that became bills, and which of them to ask for."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from datetime import date, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from petitions.records import Source
from petitions.sources.assembly_open_data import BillOutcome
from petitions.store.outcome_tables import bill_outcome
from petitions.store.tables import petition
from petitions.store.upsert import Counts, upsert

ASKED_EVERY = timedelta(days=7)
_FACTS = tuple(column.name for column in bill_outcome.columns if column.name not in ("bill_id", "asked_on"))


def read_due_bills(conn: Connection, source: Source, *, today: date, limit: int) -> dict[str, date]:
    """Read the bills of stored petitions that the open data was not asked for lately, each with the day it began.

    Asked again weekly until there is a result in it and the petition's site has one too; those never asked for first.
    """
    row, asked = petition.c, bill_outcome.c
    is_open = or_(row.is_pending, and_(asked.committee_result == "", asked.plenary_result == ""))
    is_due = or_(asked.bill_id.is_(None), and_(is_open, asked.asked_on <= today - ASKED_EVERY))
    query = (
        select(row.bill_id, func.min(row.begins_on))
        .join_from(petition, bill_outcome, row.bill_id == asked.bill_id, isouter=True)
        .where(row.source == str(source), row.bill_id != "", is_due)
        .group_by(row.bill_id, asked.asked_on)
        .order_by(asked.asked_on.nulls_first(), row.bill_id)
    )
    due: dict[str, date] = dict(conn.execute(query.limit(limit)).all())
    return due


def write_outcomes(conn: Connection, outcomes: Iterable[BillOutcome], *, asked_on: date) -> Counts:
    """Write what one or more services said; what one leaves out stays as another one told it."""
    told: dict[str, BillOutcome] = {}
    for item in outcomes:
        told[item.bill_id] = _merge(told.get(item.bill_id), item)
    stored = _read(conn, told)
    rows = [{**asdict(_merge(stored.get(bill_id), item)), "asked_on": asked_on} for bill_id, item in told.items()]
    return upsert(conn, bill_outcome, rows)


def _merge(before: BillOutcome | None, after: BillOutcome) -> BillOutcome:
    if before is None:
        return after
    return replace(before, **{name: value for name, value in asdict(after).items() if value not in (None, "")})


def _read(conn: Connection, bill_ids: Collection[str]) -> dict[str, BillOutcome]:
    row = bill_outcome.c
    query = select(row.bill_id, *(row[name] for name in _FACTS)).where(row.bill_id.in_(bill_ids))
    return {found["bill_id"]: BillOutcome(**found) for found in conn.execute(query).mappings()}
