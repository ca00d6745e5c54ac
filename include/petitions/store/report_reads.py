"""What only the report reads, of the views that petition_reader may read."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from petitions.records import Source
from petitions.store.readers import Rows

RECENT = timedelta(days=28)  # as in emerging_topic


def read_current_model(conn: Connection, source: Source) -> dict[str, Any] | None:
    """Read the published fit of a source; None before the first was published."""
    query = text("SELECT * FROM petitions.current_model WHERE source = :source")
    row = conn.execute(query, {"source": str(source)}).mappings().first()
    return None if row is None else dict(row)


def read_current_sources(conn: Connection) -> list[str]:
    """Read which sources have a published fit, by name."""
    return list(conn.execute(text("SELECT DISTINCT source FROM petitions.current_model ORDER BY source")).scalars())


def read_examples(conn: Connection, source: Source, k: int) -> Rows:
    """Read the k petitions of each topic of a source that have most agreements, of those at least half of it."""
    query = """
        SELECT * FROM (
            SELECT t.*, row_number() OVER (PARTITION BY topic_id ORDER BY rank) AS place
            FROM petitions.topic_top_petition AS t WHERE source = :source AND NOT is_mixed
        ) AS fitting
        WHERE place <= :k ORDER BY topic_id, place
    """
    return _rows(conn, query, source=source, k=k)


def read_moves(conn: Connection, model: Mapping[str, Any]) -> Rows:
    """Read how the topics of a published fit moved: the last 28 days of its window against those before."""
    return _compare(conn, "SELECT * FROM petitions.rising_topic(:since, :turn, :turn, :until, :source)", model)


def read_moved_terms(conn: Connection, model: Mapping[str, Any], k: int) -> Rows:
    """Read the k words that rose most in those 28 days, and the k that fell most, by falling z."""
    query = """
        SELECT * FROM (
            SELECT
                t.*, row_number() OVER (ORDER BY z DESC, term) AS risen, row_number() OVER (ORDER BY z, term) AS fallen
            FROM petitions.rising_term(:since, :turn, :turn, :until, :source) AS t WHERE z IS NOT NULL
        ) AS ranked
        WHERE risen <= :k OR fallen <= :k ORDER BY z DESC, term
    """
    return _compare(conn, query, model, k=k)


def read_copies(conn: Connection, source: Source) -> Rows:
    """Read the groups of petitions of a source that say the same, word for word or in part, the largest first."""
    query = """
        SELECT group_id, n_petitions AS n, first_on, last_on, title
        FROM petitions.petition_copy_group WHERE source = :source ORDER BY n_petitions DESC, group_id
    """
    return _rows(conn, query, source=source)


def read_births(conn: Connection, source: Source) -> Rows:
    """Read how each topic of the published fit of a source came into it."""
    query = """
        SELECT current_topic_id, kind, label, from_topic_id FROM petitions.topic_lineage
        WHERE source = :source AND step = 0 ORDER BY current_topic_id
    """
    return _rows(conn, query, source=source)


def read_loudest(conn: Connection, source: Source, k: int) -> Rows:
    """Read the k petitions of a source with most agreements; `n_over` tells how many of all reached their threshold."""
    query = """
        SELECT
            title, n_agreements, status, threshold, count(*) FILTER (WHERE n_agreements >= threshold) OVER () AS n_over
        FROM petitions.current_petition WHERE source = :source ORDER BY n_agreements DESC, petition_id LIMIT :k
    """
    return _rows(conn, query, source=source, k=k)


def read_edited(conn: Connection, source: Source, k: int) -> Rows:
    """Read the k petitions of a source that a moderator would likeliest edit; `expected` is how many of all scored."""
    query = """
        SELECT title, moderation, count(*) OVER () AS n_scored, sum(moderation) OVER () AS expected
        FROM petitions.current_petition WHERE source = :source AND moderation IS NOT NULL
        ORDER BY moderation DESC, petition_id LIMIT :k
    """
    return _rows(conn, query, source=source, k=k)


def read_checks(conn: Connection, model_id: str) -> Rows:
    """Read the outcome of a fit's checks, by name."""
    query = text("SELECT * FROM petitions.run_check WHERE model_id = :model_id ORDER BY name")
    return [dict(row) for row in conn.execute(query, {"model_id": model_id}).mappings()]


def read_codes(conn: Connection, source: Source) -> Rows:
    """Read the codes of a source that are not known."""
    query = "SELECT * FROM petitions.unknown_code WHERE source = :source ORDER BY kind, code, name"
    return _rows(conn, query, source=str(source))


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


def _compare(conn: Connection, query: str, model: Mapping[str, Any], **values: object) -> Rows:
    """Rows over two periods of a window; of one of 28 days or less there is nothing to compare."""
    turn = model["until"] - RECENT
    if turn <= model["since"]:
        return []
    return _rows(conn, query, since=model["since"], turn=turn, until=model["until"], source=model["source"], **values)


def _rows(conn: Connection, query: str, **values: object) -> Rows:
    return [dict(row) for row in conn.execute(text(query), values).mappings()]
