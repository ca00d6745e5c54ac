"""What the pages show: rows of the views and functions that petition_reader may use."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import InternalError

from petitions.records import Source
from topic_browser.news import News, read_news
from topic_browser.rows import Rows, read_rows

PAGE = 50
NEIGHBOURS = 10
KEPT_S = 3600  # an overview: agreements move once a night, and another fit makes another overview


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a fit says of its topics: sums over all its petitions, which take five seconds at 100,000 of them."""

    topics: Rows
    trends: Mapping[int, Rows]  # by topic_id, by week
    emerging: Mapping[int, dict[str, Any]]  # by topic_id
    lineage: Mapping[int, Rows]  # by topic_id, the latest step first
    order: Mapping[int, Sequence[str]]  # by topic_id, the petitions with most agreements first: ids, no text
    by_category: Mapping[int, Rows]  # by topic_id, the category with most of its petitions first
    categories: Sequence[str]  # of the source
    news: News


_kept: dict[Source, tuple[float, str, Overview]] = {}


def read_model(conn: Connection, source: Source) -> dict[str, Any] | None:
    """Read the published fit of a source; None before the first."""
    rows = read_rows(conn, "SELECT * FROM petitions.current_model WHERE source = :source", source=str(source))
    return rows[0] if rows else None


def read_published(conn: Connection) -> list[str]:
    """Read which sources have a published fit, for a reader of one that has none."""
    rows = read_rows(conn, "SELECT DISTINCT source FROM petitions.current_model ORDER BY source")
    return [row["source"] for row in rows]


def read_overview(conn: Connection, source: Source, model_id: str) -> Overview:
    """Read the topics of a fit, or take them as they were read at most KEPT_S ago.

    Args:
        conn: the snapshot in which model_id is the published fit.
        source: whose fit.
        model_id: an overview of another fit is not taken.
    """
    kept = _kept.get(source)
    if kept and kept[1] == model_id and time.monotonic() - kept[0] < KEPT_S:
        return kept[2]
    by = {"source": str(source)}
    order = read_rows(
        conn,
        "SELECT topic_id, array_agg(petition_id ORDER BY rank) AS ids FROM petitions.topic_top_petition"
        " WHERE source = :source GROUP BY topic_id",
        **by,
    )
    emerging = read_rows(conn, "SELECT * FROM petitions.emerging_topic WHERE source = :source", **by)
    by_category = read_rows(
        conn,
        "SELECT * FROM petitions.topic_by_category WHERE source = :source ORDER BY n_petitions DESC, category",
        **by,
    )
    found = Overview(
        topics=read_rows(
            conn, "SELECT * FROM petitions.current_topic WHERE source = :source ORDER BY share DESC, topic_id", **by
        ),
        trends=_group(
            read_rows(conn, "SELECT * FROM petitions.topic_trend WHERE source = :source ORDER BY week", **by),
            "topic_id",
        ),
        emerging={row["topic_id"]: row for row in emerging},
        lineage=_group(
            read_rows(
                conn, "SELECT * FROM petitions.topic_lineage WHERE source = :source ORDER BY step, distance", **by
            ),
            "current_topic_id",
        ),
        order={row["topic_id"]: row["ids"] for row in order},
        by_category=_group(by_category, "topic_id"),
        news=read_news(conn, source),
        categories=sorted({row["category"] for row in by_category if row["category"]}),
    )
    _kept[source] = (time.monotonic(), model_id, found)
    return found


def read_petitions(conn: Connection, ids: Sequence[str]) -> Rows:
    """Read published petitions in the order of their ids; one that was hidden since is left out."""
    query = """
        SELECT p.petition_id, p.title, p.status, p.n_agreements, p.begins_on, p.topic_share, p.is_mixed
        FROM petitions.current_petition AS p
        WHERE p.petition_id = ANY (:ids) ORDER BY array_position(:ids, p.petition_id)
    """
    return read_rows(conn, query, ids=list(ids))


def read_petition(conn: Connection, petition_id: str) -> dict[str, Any] | None:
    """Read a published petition with topic, scores and keywords; None where there is none of that id."""
    rows = read_rows(conn, "SELECT * FROM petitions.current_petition WHERE petition_id = :id", id=petition_id)
    return rows[0] if rows else None


def read_curve(conn: Connection, petition_id: str) -> Rows:
    """Read the agreements of a petition by day we looked."""
    return read_rows(
        conn,
        "SELECT seen_on, n_agreements FROM petitions.agreement_curve WHERE petition_id = :id ORDER BY seen_on",
        id=petition_id,
    )


def read_neighbours(conn: Connection, petition_id: str) -> Rows:
    """Read the petitions most like one; empty where it has no vector yet."""
    try:
        with conn.begin_nested():
            return read_rows(conn, "SELECT * FROM petitions.similar_petitions(:id, :k)", id=petition_id, k=NEIGHBOURS)
    except InternalError:  # what RAISE in the function becomes
        return []


def read_failure(conn: Connection, source: Source, model: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Read the last run over the published window or a later one, where it failed after that was published.

    Where nothing is published it is any run that failed.
    """
    query = """
        SELECT source, run_id, finished_at, error FROM petitions.recent_run
        WHERE source = :source AND state = 'failed'
            AND (CAST(:until AS date) IS NULL OR (until >= :until AND finished_at > :published_at))
        ORDER BY finished_at DESC LIMIT 1
    """
    told = model or {"until": None, "published_at": None}
    found = read_rows(conn, query, source=str(source), until=told["until"], published_at=told["published_at"])
    return found[0] if found else None


def read_runs(conn: Connection, source: Source) -> Rows:
    """Read the last 20 runs of a source, the latest first."""
    query = (
        "SELECT * FROM petitions.recent_run WHERE source = :source ORDER BY started_at DESC NULLS LAST, run_id LIMIT 20"
    )
    return read_rows(conn, query, source=str(source))


def read_checks(conn: Connection, model_id: str) -> Rows:
    """Read the checks of a fit, those that did not pass first."""
    query = "SELECT * FROM petitions.run_check WHERE model_id = :model_id ORDER BY passed, name"
    return read_rows(conn, query, model_id=model_id)


def _group(rows: Rows, name: str) -> dict[int, Rows]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return {**groups}
