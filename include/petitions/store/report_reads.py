"""What only the report reads, of the views that petition_reader may read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from petitions.records import Source
from petitions.store.readers import Rows


def read_current_model(conn: Connection, source: Source) -> dict[str, Any] | None:
    """Read the published fit of a source; None before the first was published."""
    query = text("SELECT * FROM petitions.current_model WHERE source = :source")
    row = conn.execute(query, {"source": str(source)}).mappings().first()
    return None if row is None else dict(row)


def read_top_petitions(conn: Connection, source: Source, k: int) -> Rows:
    """Read the k published petitions of each topic of a source that have most agreements, by topic."""
    query = text("""
        SELECT * FROM petitions.topic_top_petition WHERE source = :source AND rank <= :k ORDER BY topic_id, rank
    """)
    return [dict(row) for row in conn.execute(query, {"source": str(source), "k": k}).mappings()]


def read_checks(conn: Connection, model_id: str) -> Rows:
    """Read the outcome of a fit's checks, by name."""
    query = text("SELECT * FROM petitions.run_check WHERE model_id = :model_id ORDER BY name")
    return [dict(row) for row in conn.execute(query, {"model_id": model_id}).mappings()]


def read_last_seen(conn: Connection, source: Source) -> datetime | None:
    """Read when a petition of a source was last seen on its site; None before the first."""
    query = text("SELECT last_seen_at FROM petitions.data_freshness WHERE source = :source")
    seen: datetime | None = conn.scalar(query, {"source": str(source)})
    return seen


def read_placed(conn: Connection, source: Source, places: Mapping[str, tuple[int, int]]) -> Rows:
    """Read the published petitions that stand on a map, with x and y; hidden ones and those without a topic do not."""
    query = text("""
        SELECT petition_id, title, url, topic_id FROM petitions.current_petition
        WHERE source = :source AND petition_id = ANY(:ids) AND topic_id IS NOT NULL ORDER BY petition_id
    """)
    rows = conn.execute(query, {"source": str(source), "ids": list(places)}).mappings()
    return [{**row, "x": places[row["petition_id"]][0], "y": places[row["petition_id"]][1]} for row in rows]
