"""What only the report reads: the loudest petitions of every topic, and when the source was last looked at."""

from datetime import datetime

from sqlalchemy import Connection, text

from petitions.records import Source
from petitions.store.readers import Rows

_LOUDEST = """
SELECT topic_id, petition_id, title, url, n_agreements, begins_on FROM (
    SELECT *, row_number() OVER (PARTITION BY topic_id ORDER BY n_agreements DESC, petition_id) AS place
    FROM petitions.current_petition WHERE source = :source AND topic_id IS NOT NULL
) AS placed
WHERE place <= :k ORDER BY topic_id, place
"""


def read_loudest_by_topic(conn: Connection, source: Source, k: int) -> Rows:
    """Read the k published petitions of each topic of a source that have most agreements, by topic."""
    return [dict(row) for row in conn.execute(text(_LOUDEST), {"source": str(source), "k": k}).mappings()]


def read_last_seen(conn: Connection, source: Source) -> datetime | None:
    """Read when a petition of a source was last seen on its site; None before the first."""
    query = text("SELECT max(last_seen_at) FROM petitions.petition WHERE source = :source")
    seen: datetime | None = conn.execute(query, {"source": str(source)}).scalar_one()
    return seen
