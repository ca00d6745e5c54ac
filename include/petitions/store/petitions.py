"""Petitions, their agreements by day, and the answers that were no petition: what the crawl writes and others read."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from petitions.records import SEOUL, Handling, Hidden, Petition, PetitionText, Reject, Source, Status, Window
from petitions.store.crawl_tables import crawl_reject
from petitions.store.parts import WHOLE, Part, in_part
from petitions.store.tables import petition, petition_agreement
from petitions.store.upsert import Counts, excluded, upsert

_HANDLING = tuple(field.name for field in fields(Handling))
_read_handling = attrgetter(*_HANDLING)  # `asdict` copies each value deeply, and would take half of the time of a row
_TIMES = ("first_seen_at", "last_seen_at", "changed_at")
# An answer that brings nothing new is not noted as the origin of the row: a second run writes nothing.
_NOT_COMPARED = (*_TIMES, "artifact", "petition_id")
_FACTS = tuple(item.name for item in petition.columns if item.name not in _NOT_COMPARED)


def in_window(source: Source, window: Window) -> ColumnElement[bool]:
    """The condition on `petition` that a row is of the source and the window."""
    return and_(
        petition.c.source == str(source),
        petition.c.begins_on >= window.since,
        petition.c.begins_on < window.until,
    )


def shown_in_window(source: Source, window: Window) -> ColumnElement[bool]:
    """The same without hidden petitions: what is computed from and shown to readers."""
    return and_(in_window(source, window), petition.c.status != str(Status.HIDDEN))


def upsert_petitions(conn: Connection, petitions: Iterable[Petition], *, seen_at: datetime) -> Counts:
    """Write petitions as they were seen at a moment.

    A row is written only when a fact differs or when it was last seen on an earlier day (in Korea). `first_seen_at`
    stays, and `changed_at` moves with the text and the status alone.

    Raises:
        PermanentError: a value that Postgres cannot store, such as a NUL or a negative count.
    """
    rows = [_row(item, seen_at) for item in petitions]
    is_changed = (petition.c.content_hash != excluded("content_hash")) | (petition.c.status != excluded("status"))
    is_news = or_(*(petition.c[name].is_distinct_from(excluded(name)) for name in _FACTS))
    return upsert(
        conn,
        petition,
        rows,
        compare=_FACTS,
        assign={
            "first_seen_at": petition.c.first_seen_at,
            "last_seen_at": func.greatest(petition.c.last_seen_at, excluded("last_seen_at")),
            "changed_at": case((is_changed, excluded("changed_at")), else_=petition.c.changed_at),
            "artifact": case((is_news, excluded("artifact")), else_=petition.c.artifact),
        },
        stale=_korean_day(petition.c.last_seen_at) < _korean_day(excluded("last_seen_at")),
    )


def record_agreements(conn: Connection, petitions: Iterable[Petition], *, seen_on: date) -> Counts:
    """Write the number of agreements that stored petitions had on a day; the last look of a day counts."""
    return upsert(
        conn,
        petition_agreement,
        (
            {"petition_id": item.petition_id, "seen_on": seen_on, "n_agreements": item.n_agreements}
            for item in petitions
        ),
    )


def mark_hidden(conn: Connection, hidden: Sequence[Hidden], *, seen_at: datetime) -> list[Hidden]:
    """Mark stored petitions as hidden by their site, or vanished from it; gives back those that were never stored."""
    by_id = {f"{item.source}:{item.source_id}": item for item in hidden}
    stored: set[str] = set()
    for is_vanished in (False, True):
        artifacts = {key: item.artifact for key, item in by_id.items() if item.is_vanished == is_vanished}
        if not artifacts:
            continue
        is_among = petition.c.petition_id.in_(artifacts)
        is_news = (petition.c.status != str(Status.HIDDEN)) | (petition.c.is_vanished != is_vanished)
        conn.execute(
            update(petition)
            .where(is_among, is_news | (_korean_day(petition.c.last_seen_at) < _korean_day(literal(seen_at))))
            .values(
                status=str(Status.HIDDEN),
                is_vanished=is_vanished,
                artifact=case((is_news, case(artifacts, value=petition.c.petition_id)), else_=petition.c.artifact),
                last_seen_at=func.greatest(petition.c.last_seen_at, literal(seen_at)),
                changed_at=case((is_news, literal(seen_at)), else_=petition.c.changed_at),
            )
        )
        stored |= set(conn.scalars(select(petition.c.petition_id).where(is_among)))
    return [item for key, item in by_id.items() if key not in stored]


def name_reject(item: Reject) -> str:
    """The key of the row of `crawl_reject` that an answer without a petition has."""
    return hashlib.sha256("\x00".join((item.source, item.url, item.reason)).encode()).hexdigest()


def insert_rejects(conn: Connection, rejects: Iterable[Reject], *, seen_at: datetime) -> Counts:
    """Write answers that were no petition; one that was seen before, for the same reason, is left as it is."""
    rows = [
        {
            "reject_id": name_reject(item),
            "source": str(item.source),
            "url": item.url,
            "reason": item.reason,
            "artifact": item.artifact,
            "seen_at": seen_at,
            "is_aside": item.is_aside,
        }
        for item in rejects
    ]
    return upsert(conn, crawl_reject, rows, compare=())


def read_texts(
    conn: Connection, source: Source, window: Window, *, after: str = "", limit: int | None = None
) -> list[PetitionText]:
    """Read the texts of a window in the order of their ids, hidden ones left out.

    Args:
        conn: an open connection.
        source: whose petitions.
        window: begins_on is in it.
        after: only ids greater than this one: the last of the page before.
        limit: the most that is read; None reads all.
    """
    return _read(conn, and_(shown_in_window(source, window), petition.c.petition_id > after), limit)


def count_where(conn: Connection, source: Source, window: Window, is_due: ColumnElement[bool]) -> int:
    """Count the petitions of a window that a condition on `petition` holds for, hidden ones left out."""
    query = select(func.count()).select_from(petition).where(shown_in_window(source, window), is_due)
    return int(conn.execute(query).scalar_one())


def read_seen_since(conn: Connection, petition_ids: Sequence[str], at: datetime) -> set[str]:
    """Read which of these petitions were seen at their site after a moment."""
    is_later = petition.c.petition_id.in_(petition_ids) & (petition.c.last_seen_at > at)
    return set(conn.scalars(select(petition.c.petition_id).where(is_later)))


def read_texts_of(conn: Connection, petition_ids: Sequence[str]) -> list[PetitionText]:
    """Read the texts of some petitions in the order of their ids, hidden ones left out."""
    return _read(conn, and_(petition.c.petition_id.in_(petition_ids), petition.c.status != str(Status.HIDDEN)), None)


def read_unseen(
    conn: Connection,
    source: Source,
    window: Window,
    made: Table,
    version: Mapping[str, str],
    limit: int,
    part: Part = WHOLE,
    after: str = "",
) -> list[PetitionText]:
    """Read texts for which a table has no row of this version and content hash, in the order of their ids.

    Args:
        conn: an open connection.
        source: whose petitions; hidden ones are left out.
        window: begins_on is in it.
        made: a table with petition_id and content_hash.
        version: what its rows must hold to count as of this version, such as {"tokenizer": "mecab-1"}.
        limit: the most that is read. When the rows of one batch are written, the next call gives the next batch.
        part: of the window.
        after: only ids greater than this one: the last of the batch before.
    """
    is_due = and_(petition.c.petition_id > after, _is_unseen(made, version, made.c.petition_id > after))
    return read_where(conn, source, window, is_due, limit, part)


def count_unseen(conn: Connection, source: Source, window: Window, made: Table, version: Mapping[str, str]) -> int:
    """Count the texts that `read_unseen` gives."""
    return count_where(conn, source, window, _is_unseen(made, version))


def _is_unseen(made: Table, version: Mapping[str, str], *also: ColumnElement[bool]) -> ColumnElement[bool]:
    return ~exists().where(
        made.c.petition_id == petition.c.petition_id,
        *also,
        made.c.content_hash == petition.c.content_hash,
        *(made.c[name] == value for name, value in version.items()),
    )


def read_where(
    conn: Connection, source: Source, window: Window, is_due: ColumnElement[bool], limit: int, part: Part = WHOLE
) -> list[PetitionText]:
    """Read texts of a part of a window that a condition on `petition` holds for, in the order of their ids."""
    return _read(conn, and_(shown_in_window(source, window), in_part(part), is_due), limit)


def _read(conn: Connection, condition: ColumnElement[bool], limit: int | None) -> list[PetitionText]:
    columns = (
        petition.c.petition_id,
        petition.c.content_hash,
        petition.c.title,
        petition.c.purpose,
        petition.c.body,
    )
    rows = conn.execute(select(*columns).where(condition).order_by(petition.c.petition_id).limit(limit))
    return [PetitionText(**row) for row in rows.mappings()]


def _row(item: Petition, seen_at: datetime) -> dict[str, object]:
    return {
        "petition_id": item.petition_id,
        "source": str(item.source),
        "source_id": item.source_id,
        "title": item.title,
        "purpose": item.purpose,
        "body": item.body,
        "category": item.category,
        "status": str(item.status),
        "n_agreements": item.n_agreements,
        "begins_on": item.begins_on,
        "ends_on": item.ends_on,
        "url": item.url,
        "is_moderated": item.is_moderated,
        "is_vanished": False,
        "artifact": item.artifact,
        "content_hash": item.content_hash,
        **dict(zip(_HANDLING, _read_handling(item.handling), strict=True)),
        "category_code": item.category_code,
        "category_name": item.category_name,
        "threshold": item.threshold,
        "registered_on": item.registered_on,
        "closed_on": item.closed_on,
        "first_seen_at": seen_at,
        "last_seen_at": seen_at,
        "changed_at": seen_at,
    }


def _korean_day(moment: ColumnElement[object]) -> ColumnElement[date]:
    return cast(func.timezone(str(SEOUL), moment), Date)
