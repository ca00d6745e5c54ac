"""What the command line prints: rows of the views and functions that readers see, and nothing else."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector
from sqlalchemy import Connection, text

from petitions.records import Source

Rows = Sequence[dict[str, Any]]  # a row of a view, by column: to be printed, not to be computed with


def read_current_topics(conn: Connection, source: Source | None = None) -> Rows:
    """Read the published topics of a source, or of each, the largest first; empty before the first was published."""
    query = """
        SELECT * FROM petitions.current_topic
        WHERE source = coalesce(:source, source) ORDER BY source, share DESC, topic_id
    """
    return _rows(conn, query, source=source)


def read_trends(conn: Connection, source: Source | None = None) -> Rows:
    """Read petitions and agreements by week and topic of a source, or of each, by week."""
    query = """
        SELECT * FROM petitions.topic_trend
        WHERE source = coalesce(:source, source) ORDER BY source, week, topic_id
    """
    return _rows(conn, query, source=source)


def read_loudest(conn: Connection, source: Source, k: int) -> Rows:
    """Read the k published petitions of a source that have most agreements."""
    query = "SELECT * FROM petitions.current_petition WHERE source = :source ORDER BY n_agreements DESC LIMIT :k"
    return _rows(conn, query, source=str(source), k=k)


def read_similar(conn: Connection, petition_id: str, k: int) -> Rows:
    """Read the k petitions most like a published one, the nearest first.

    Raises:
        PermanentError: it is not among the published ones.
    """
    return _rows(conn, "SELECT * FROM petitions.similar_petitions(:id, :k)", id=petition_id, k=k)


def read_searched(conn: Connection, source: Source | None = None) -> dict[str, str]:
    """Read by which encoder a source is searched, or each that is published: its name, by source."""
    query = """
        SELECT source, encoders[1] AS encoder FROM petitions.current_model
        WHERE source = coalesce(:source, source) ORDER BY source
    """
    return {row["source"]: row["encoder"] for row in _rows(conn, query, source=source)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which petitions may answer; what is None keeps nobody out."""

    source: Source | None = None
    category: str | None = None
    status: str | None = None
    since: date | None = None  # the first day of beginning
    until: date | None = None  # the first day after


ALL = Filters()


def search_hybrid(
    conn: Connection,
    words: Sequence[str],
    embedding: NDArray[np.float32] | None,
    k: int,
    filters: Filters = ALL,
    *,
    encoder: str | None = None,
    question: str | None = None,
) -> Rows:
    """Read the k published petitions that stand best by words and by vector together, the best first.

    Args:
        conn: an open connection.
        words: of the question, by `text.search_words`; without any the vector alone decides.
        embedding: of the question, float32 [D]; without it the words alone decide.
        k: how many.
        filters: which may answer.
        encoder: that made the embedding.
        question: as it was asked: its letters are looked for where no word is found.

    Raises:
        PermanentError: nothing is searched by the encoder, or by none of the width, or by several where none is named.
    """
    query = """
        SELECT * FROM petitions.search_petitions_hybrid(
            CAST(:words AS text[]), CAST(:embedding AS vector), :k, :category, :status,
            CAST(:since AS date), CAST(:until AS date), of_source => :source, encoder => :encoder, question => :question
        )
    """
    vector = None if embedding is None else Vector(embedding).to_text()
    asked = {"words": list(words), "embedding": vector, "k": k, "encoder": encoder, "question": question}
    return _rows(conn, query, **asked, **asdict(filters))


def read_categories(conn: Connection) -> list[str]:
    """Read the categories that published petitions have, by name."""
    return [
        row["category"] for row in _rows(conn, "SELECT DISTINCT category FROM petitions.current_petition ORDER BY 1")
    ]


def _rows(conn: Connection, query: str, **values: object) -> Rows:
    return [dict(row) for row in conn.execute(text(query), values).mappings()]
