"""What a crawl brings, into the store: the glue between crawl, text and tables."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from petitions.errors import ParseError
from petitions.records import Hidden, Petition, Reject
from petitions.store.petitions import insert_rejects, mark_hidden, record_agreements, upsert_petitions
from petitions.store.upsert import Counts
from petitions.text.normalize import normalize_petition


def write_batch(
    conn: Connection, batch: Sequence[Petition | Hidden | Reject], *, seen_at: datetime, seen_on: date
) -> Counts:
    """Normalize and write one batch, in the caller's transaction.

    A petition whose text cannot be normalized, and a hidden one that was never stored, become rejects.

    Args:
        conn: inside a transaction.
        batch: what the crawl read.
        seen_at: the moment.
        seen_on: the day of the agreements, in Korea.

    Returns:
        What became of the rows of `petition`.
    """
    petitions: list[Petition] = []
    hidden = [item for item in batch if isinstance(item, Hidden)]
    rejects = [item for item in batch if isinstance(item, Reject)]
    for item in batch:
        if isinstance(item, Petition):
            try:
                petitions.append(normalize_petition(item))
            except ParseError as error:  # a petition does not say where in the archive it is; its URL does
                rejects.append(Reject(source=item.source, url=item.url, reason=str(error), artifact=""))
    written = upsert_petitions(conn, petitions, seen_at=seen_at)
    record_agreements(conn, petitions, seen_on=seen_on)
    for item in mark_hidden(conn, hidden, seen_at=seen_at):
        rejects.append(Reject(source=item.source, url=item.url, reason="hidden", artifact=item.artifact))
    insert_rejects(conn, rejects, seen_at=seen_at)
    return written
