"""The fingerprints of petitions by method and content hash, and the pairs of copies of a window."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select

from petitions.records import PetitionText, Source, Window
from petitions.store.petitions import read_unseen, shown_in_window
from petitions.store.tables import petition, petition_copy, petition_fingerprint
from petitions.store.upsert import Counts, upsert

BATCH = 2_000  # petitions that a cursor fetches at once: a few MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """How one petition is spelled, and the hashes that its copies have in common with it, int64 [F], sorted."""

    petition_id: str
    spelling: str
    fingerprints: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPair:
    """Two petitions of one window of which one stands in the other, and the group that they belong to."""

    group_id: str
    earlier_id: str
    later_id: str
    earlier_in_later: float
    later_in_earlier: float


def read_without_fingerprints(
    conn: Connection, source: Source, window: Window, method: str, limit: int = 1000
) -> list[PetitionText]:
    """Read texts that have no fingerprints by this method, at most `limit`, in the order of their ids."""
    return read_unseen(conn, source, window, petition_fingerprint, {"method": method}, limit)


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


def replace_pairs(conn: Connection, run_id: str, pairs: Iterable[CopyPair]) -> Counts:
    """Write the pairs of a run in the place of those that it had."""
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
