"""What became of petitions, as their site says it: its history, what the crawl has to look at again, and odd codes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Date, and_, cast, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from petitions.records import SEOUL, Petition, Source
from petitions.store.outcome_tables import petition_handling
from petitions.store.tables import HANDLING, petition
from petitions.store.upsert import Counts, upsert

LOOKED_AT_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCode:
    """A code of a site that this version of the code does not know, or knows by another name."""

    source: str
    kind: str  # category, state, result or stage
    code: str
    name: str
    n_petitions: int

    def tell(self) -> str:
        """In words, such as "assembly: category AIDATA (인공지능/데이터), 3 petitions"."""
        named = f"{self.code or 'without a code'}{f' ({self.name})' if self.name else ''}"
        return f"{self.source}: {self.kind} {named}, {self.n_petitions} petitions"


def record_handling(conn: Connection, petitions: Sequence[Petition], *, seen_on: date) -> Counts:
    """Write what stored petitions had come to on a day, where it differs from what was known by then.

    The last look of a day counts; one whose site says nothing has no row.
    """
    texts = {item.petition_id: _texts(item) for item in petitions}
    told = {petition_id: found for petition_id, found in texts.items() if any(found.values())}
    known = _read_latest(conn, told, until=seen_on)
    rows = [
        {"petition_id": petition_id, "seen_on": seen_on, **found}
        for petition_id, found in told.items()
        if known.get(petition_id) != found
    ]
    return upsert(conn, petition_handling, rows)


def read_counts(conn: Connection, petition_ids: Collection[str]) -> dict[str, int]:
    """Read the agreements of those petitions that are stored."""
    query = select(petition.c.petition_id, petition.c.n_agreements).where(petition.c.petition_id.in_(petition_ids))
    counts: dict[str, int] = dict(conn.execute(query).all())
    return counts


def read_pending(conn: Connection, source: Source, *, today: date, limit: int) -> list[str]:
    """Read which petitions of a source, of any window, were referred and not looked at for a week.

    Those that were not looked at for the longest time come first.
    """
    seen_on = cast(func.timezone(str(SEOUL), petition.c.last_seen_at), Date)
    is_due = and_(
        petition.c.source == str(source),
        petition.c.is_pending,
        petition.c.status != "hidden",
        seen_on <= today - LOOKED_AT_EVERY,
    )
    due = select(petition.c.source_id).where(is_due).order_by(petition.c.last_seen_at, petition.c.petition_id)
    return list(conn.scalars(due.limit(limit)))


def read_unknown_codes(conn: Connection, source: Source | None = None) -> list[UnknownCode]:
    """Read the codes of a source, or of all, that are not known."""
    query = text("""
        SELECT source, kind, code, name, n_petitions FROM petitions.unknown_code
        WHERE source = coalesce(:source, source) ORDER BY source, kind, code, name
    """)
    rows = conn.execute(query, {"source": None if source is None else str(source)}).mappings()
    return [UnknownCode(**row) for row in rows]


def _texts(item: Petition) -> dict[str, str]:
    return {name: getattr(item.handling, name) for name in HANDLING}


def _read_latest(conn: Connection, petition_ids: Collection[str], *, until: date) -> dict[str, dict[str, str]]:
    row = petition_handling.c
    query = (
        select(row.petition_id, *(row[name] for name in HANDLING))
        .where(row.petition_id.in_(petition_ids), row.seen_on <= until)
        .order_by(row.petition_id, row.seen_on.desc())
        .ext(distinct_on(row.petition_id))
    )
    return {found.pop("petition_id"): found for found in map(dict, conn.execute(query).mappings())}
