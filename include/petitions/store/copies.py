"""The fingerprints of petitions, comparisons of two texts by content hash, and the pairs of copies of a window."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Text, cast, delete, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from petitions.records import PetitionText, Source, Window
from petitions.store.copy_tables import copy_comparison, copy_search, petition_copy, petition_fingerprint
from petitions.store.petitions import in_window, read_unseen, shown_in_window
from petitions.store.tables import petition
from petitions.store.upsert import Counts, upsert

BATCH = 2_000  # petitions that a cursor fetches at once: a few MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """How one petition is spelled, and the hashes that its copies have in common with it, int64 [F], sorted."""

    petition_id: str
    spelling: str
    fingerprints: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two petitions, the texts of them that were compared, and the share of either that the other has too."""

    earlier_id: str
    later_id: str
    earlier_hash: str
    later_hash: str
    earlier_in_later: float
    later_in_earlier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPair:
    """Two petitions of one window of which one stands in the other, and the group that they belong to."""

    group_id: str
    earlier_id: str
    later_id: str
    earlier_in_later: float
    later_in_earlier: float


def name_texts(conn: Connection, source: Source, window: Window, method: str) -> str:
    """A name for all that decides the copies of a window: the method, and the order, ids and texts of its petitions."""
    day = petition.c.begins_on - literal(date(2000, 1, 1))  # a number, which no setting writes otherwise
    row = func.concat_ws(" ", cast(day, Text), petition.c.petition_id, petition.c.content_hash)
    listed = func.string_agg(row, aggregate_order_by(literal("\n"), petition.c.begins_on, petition.c.petition_id))
    query = select(func.md5(func.concat(literal(method), literal("\n"), listed)))
    return str(conn.execute(query.where(shown_in_window(source, window))).scalar_one())


def count_found(conn: Connection, run_id: str, texts: str) -> int | None:
    """How many pairs a run has that found all of these texts; None where it did not, or no longer has them all."""
    n_stored = select(func.count()).where(petition_copy.c.run_id == run_id).scalar_subquery()
    query = select(copy_search.c.n_pairs).where(
        copy_search.c.run_id == run_id, copy_search.c.texts == texts, copy_search.c.n_pairs == n_stored
    )
    return conn.execute(query).scalar_one_or_none()


def read_without_fingerprints(
    conn: Connection, source: Source, window: Window, method: str, limit: int = 1000, *, after: str = ""
) -> list[PetitionText]:
    """Read texts that have no fingerprints by this method, at most `limit`, in the order of their ids."""
    return read_unseen(conn, source, window, petition_fingerprint, {"method": method}, limit, after=after)


def upsert_fingerprints(
    conn: Connection, method: str, texts: Sequence[PetitionText], found: Sequence[Fingerprint]
) -> Counts:
    """Write the fingerprints of texts; those of an older text of the same petition are replaced."""
    rows = [
        {
            "petition_id": text.petition_id,
            "method": method,
            "spelling": item.spelling,
            "fingerprints": item.fingerprints.astype(">i8").tobytes(),
            "content_hash": text.content_hash,
        }
        for text, item in zip(texts, found, strict=True)
    ]
    return upsert(conn, petition_fingerprint, rows)


def read_fingerprints(conn: Connection, source: Source, window: Window, method: str) -> Iterator[Fingerprint]:
    """Read the fingerprints of a window in the order in which its petitions began, hidden ones left out."""
    made = petition_fingerprint.c
    query = (
        select(petition.c.petition_id, made.spelling, made.fingerprints)
        .join(petition_fingerprint, made.petition_id == petition.c.petition_id)
        .where(shown_in_window(source, window), made.method == method, made.content_hash == petition.c.content_hash)
        .order_by(petition.c.begins_on, petition.c.petition_id)
    )
    with conn.execute(query, execution_options={"yield_per": BATCH}) as rows:
        for petition_id, spelling, data in rows:
            yield Fingerprint(
                petition_id=petition_id,
                spelling=spelling,
                fingerprints=np.frombuffer(data, dtype=">i8").astype(np.int64),
            )


def read_comparisons(conn: Connection, source: Source, window: Window, method: str) -> list[Comparison]:
    """Read the comparisons of texts of a window that still are what they were then."""
    made, later = copy_comparison.c, petition.alias("later")
    query = (
        select(*(made[name] for name in Comparison.__slots__))
        .join(petition, (petition.c.petition_id == made.earlier_id) & (petition.c.content_hash == made.earlier_hash))
        .join(later, (later.c.petition_id == made.later_id) & (later.c.content_hash == made.later_hash))
        .where(in_window(source, window), made.method == method)
    )
    return [Comparison(**row) for row in conn.execute(query).mappings()]


def upsert_comparisons(conn: Connection, method: str, comparisons: Iterable[Comparison]) -> Counts:
    """Write comparisons; those of older texts of the same two petitions are replaced."""
    return upsert(conn, copy_comparison, ({"method": method, **asdict(item)} for item in comparisons))


def replace_pairs(conn: Connection, run_id: str, pairs: Sequence[CopyPair], texts: str = "") -> Counts:
    """Write the pairs of a run in the place of those that it had, and the name of the texts they were found in."""
    upsert(conn, copy_search, [{"run_id": run_id, "texts": texts, "n_pairs": len(pairs)}])
    rows = [
        {
            "run_id": run_id,
            "earlier_id": item.earlier_id,
            "later_id": item.later_id,
            "group_id": item.group_id,
            "earlier_in_later": round(item.earlier_in_later, 6),
            "later_in_earlier": round(item.later_in_earlier, 6),
        }
        for item in pairs
    ]
    if not rows:
        return Counts(deleted=conn.execute(delete(petition_copy).where(petition_copy.c.run_id == run_id)).rowcount)
    return upsert(conn, petition_copy, rows, replace_within=("run_id",))
