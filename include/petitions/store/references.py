"""Which raw answers of the archive the rows refer to, and the move of references when answers move."""

from collections.abc import Mapping

from sqlalchemy import Connection, case, select, union, update

from petitions.store.crawl_tables import crawl_reject
from petitions.store.tables import petition

_REFERRING = (petition, crawl_reject)


def read_references(conn: Connection) -> dict[str, set[str]]:
    """Read the references ("path#offset") of all rows, by path; a row without one, as the sample's, has no part."""
    found = union(*(select(table.c.artifact).where(table.c.artifact != "") for table in _REFERRING))
    references: dict[str, set[str]] = {}
    for reference in conn.scalars(found):
        references.setdefault(reference.partition("#")[0], set()).add(reference)
    return references


def move_references(conn: Connection, moved: Mapping[str, str]) -> None:
    """Let each row that refers to an answer that moved refer to its new place."""
    for table in _REFERRING:
        is_among = table.c.artifact.in_(moved)
        # Locked in the order of the key, as a crawl writes: two that meet wait for each other.
        key = next(iter(table.primary_key))
        conn.execute(select(key).where(is_among).order_by(key).with_for_update())
        conn.execute(update(table).where(is_among).values(artifact=case(dict(moved), value=table.c.artifact)))
