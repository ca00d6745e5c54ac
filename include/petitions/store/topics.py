"""Fits of topics: the model, its topics and terms, what became of the topics before, and the topics of petitions."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, Connection, Table, all_, delete, func, literal, select
from sqlalchemy.engine import RowMapping

from petitions.errors import ConfigError, PermanentError
from petitions.records import Source, Window
from petitions.store.tables import Key, petition_topic, topic, topic_event, topic_model, topic_term
from petitions.store.upsert import Counts, Row, upsert

logger = logging.getLogger(__name__)

TOP_TERMS = 10  # of a topic in topic.top_terms; all that are given stand in topic_term
CHUNK = 10_000  # petitions
_PUBLISHED = ("published_at", "encoders")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicModel:
    """A fit. Its id is made from all that decides it: window, corpus, tokenizer, engine, seed and settings."""

    model_id: str
    run_id: str
    source: Source
    window: Window
    engine: str
    tokenizer: str
    seed: int
    n_topics: int
    n_petitions: int
    n_terms: int
    npmi: float
    c_v: float
    diversity: float
    stability: float | None = None
    artifact: str
    fitted_at: datetime
    published_at: datetime | None = None
    encoders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTerm:
    """A term of a topic, its probability within the topic, and its relevance (a logarithm)."""

    term: str
    probability: float
    relevance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic of a fit under its lasting id, its terms by falling relevance; `npmi` is None where it has none."""

    topic_id: int
    label: str
    share: float
    npmi: float | None
    terms: Sequence[TopicTerm]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicEvent:
    """What became of a topic: `kind` is born, died, split, merged or continued."""

    kind: str
    topic_id: int | None
    from_model_id: str | None = None
    from_topic_id: int | None = None
    distance: float | None = None


def write_topic_model(
    conn: Connection,
    model: TopicModel,
    topics: Sequence[Topic],
    events: Sequence[TopicEvent],
    petition_ids: Sequence[str],
    document_topic: NDArray[np.floating],
) -> Counts:
    """Write a whole fit in the caller's transaction; the same fit again changes no row.

    A fit that has been published is left as it is, since readers see it: its id says that this is the same one.

    Args:
        conn: inside the caller's transaction.
        model: the fit; `published_at` and `encoders` are set by publishing, not here.
        topics: K topics.
        events: what became of the topics of the fit before.
        petition_ids: N documents.
        document_topic: [N, K], a petition's shares of `topics` in their order; each row sums to 1.

    Raises:
        PermanentError: the shapes do not fit, or a value breaks a constraint.
    """
    if document_topic.shape != (len(petition_ids), len(topics)):
        raise PermanentError(
            f"{model.model_id}: {len(petition_ids)} petitions and {len(topics)} topics, got {document_topic.shape}"
        )
    known = conn.execute(select(topic_model.c.published_at).where(topic_model.c.model_id == model.model_id)).first()
    if known and known.published_at:
        logger.info("fit %s is published already; left as it is", model.model_id)
        return Counts(unchanged=1)
    written = upsert(
        conn,
        topic_model,
        [_model_row(model)],
        compare=[item.name for item in topic_model.columns if item.name not in ("fitted_at", *_PUBLISHED)],
    )
    kept = [item.topic_id for item in topics]
    for child in (topic_term, topic_event, petition_topic):  # before the topics that they refer to
        conn.execute(delete(child).where(child.c.model_id == model.model_id, child.c.topic_id.not_in(kept)))
    terms = [row for item in topics for row in _term_rows(model.model_id, item)]
    written += _replace(conn, topic, model.model_id, [_topic_row(model.model_id, item) for item in topics])
    written += _replace(conn, topic_term, model.model_id, terms)
    written += _replace(conn, topic_event, model.model_id, [_event_row(model.model_id, item) for item in events])
    return written + _write_shares(conn, model.model_id, kept, petition_ids, document_topic)


def find_topic_model(conn: Connection, model_id: str) -> TopicModel | None:
    """Read a fit; None where there is no such fit."""
    row = conn.execute(select(topic_model).where(topic_model.c.model_id == model_id)).mappings().first()
    return None if row is None else _model(row)


def read_topic_model(conn: Connection, model_id: str) -> TopicModel:
    """Read a fit.

    Raises:
        ConfigError: there is no such fit.
    """
    found = find_topic_model(conn, model_id)
    if found is None:
        raise ConfigError(f"there is no fit {model_id}")
    return found


def read_highest_id(conn: Connection, source: Source) -> int:
    """Read the highest topic_id that a published fit of a source has given; 0 before the first."""
    given = select(func.coalesce(func.max(topic.c.topic_id), 0)).join(topic_model)
    return int(
        conn.execute(
            given.where(topic_model.c.source == str(source), topic_model.c.published_at.is_not(None))
        ).scalar_one()
    )


def read_published(conn: Connection, source: Source) -> TopicModel | None:
    """Read the fit of a source that readers see; None before the first was published."""
    newest = (
        select(topic_model)
        .where(topic_model.c.source == str(source), topic_model.c.published_at.is_not(None))
        .order_by(topic_model.c.published_at.desc())
        .limit(1)
    )
    row = conn.execute(newest).mappings().first()
    return None if row is None else _model(row)


def read_topics(conn: Connection, model_id: str) -> list[Topic]:
    """Read the topics of a fit with their terms, by topic_id; empty for an unknown fit."""
    terms: dict[int, list[TopicTerm]] = {}
    ordered = select(topic_term).where(topic_term.c.model_id == model_id).order_by(topic_term.c.rank)
    for row in conn.execute(ordered):
        term = TopicTerm(term=row.term, probability=row.probability, relevance=row.relevance)
        terms.setdefault(row.topic_id, []).append(term)
    rows = conn.execute(select(topic).where(topic.c.model_id == model_id).order_by(topic.c.topic_id))
    return [
        Topic(topic_id=row.topic_id, label=row.label, share=row.share, npmi=row.npmi, terms=terms.get(row.topic_id, []))
        for row in rows
    ]


def read_shares(conn: Connection, model_id: str, petition_ids: Sequence[str]) -> NDArray[np.float32]:
    """Read the shares of the topics of a fit in petitions.

    Returns:
        float32 [N, K] in the order of `petition_ids` and of topic_id; a petition outside the fit has a row of zeros.
    """
    topic_ids = conn.scalars(select(topic.c.topic_id).where(topic.c.model_id == model_id).order_by(topic.c.topic_id))
    columns = {topic_id: column for column, topic_id in enumerate(topic_ids)}
    places = {petition_id: row for row, petition_id in enumerate(petition_ids)}
    shares = np.zeros((len(places), len(columns)), np.float32)  # [N, K]
    stored = select(petition_topic.c.petition_id, petition_topic.c.topic_id, petition_topic.c.share)
    for row in conn.execute(stored.where(petition_topic.c.model_id == model_id)):
        if row.petition_id in places:
            shares[places[row.petition_id], columns[row.topic_id]] = row.share
    return shares


def _model(row: RowMapping) -> TopicModel:
    values = {name: row[name] for name in row if name not in ("source", "since", "until", "encoders")}
    return TopicModel(
        **values,
        source=Source(row["source"]),
        window=Window(since=row["since"], until=row["until"]),
        encoders=tuple(row["encoders"] or ()),
    )


def _model_row(model: TopicModel) -> Row:
    names = (item.name for item in topic_model.columns if item.name not in ("source", "since", "until", *_PUBLISHED))
    unpublished = dict.fromkeys(_PUBLISHED)
    window = {"source": str(model.source), "since": model.window.since, "until": model.window.until}
    return {name: getattr(model, name) for name in names} | window | unpublished


def _topic_row(model_id: str, item: Topic) -> Row:
    return {
        "model_id": model_id,
        "topic_id": item.topic_id,
        "label": item.label,
        "share": _share(item.share),
        "npmi": item.npmi,
        "top_terms": [term.term for term in item.terms[:TOP_TERMS]],
    }


def _term_rows(model_id: str, item: Topic) -> list[Row]:
    return [
        {
            "model_id": model_id,
            "topic_id": item.topic_id,
            "rank": rank,
            "term": term.term,
            "probability": float(term.probability),
            "relevance": float(term.relevance),
        }
        for rank, term in enumerate(item.terms, start=1)
    ]


def _event_row(model_id: str, item: TopicEvent) -> Row:
    key = (model_id, item.kind, item.topic_id, item.from_model_id, item.from_topic_id)
    return {
        "event_id": hashlib.sha256("\x00".join(map(str, key)).encode()).hexdigest(),
        "model_id": model_id,
        "kind": item.kind,
        "topic_id": item.topic_id,
        "from_model_id": item.from_model_id,
        "from_topic_id": item.from_topic_id,
        "distance": None if item.distance is None else float(item.distance),
    }


def _replace(conn: Connection, table: Table, model_id: str, rows: Sequence[Row]) -> Counts:
    """Make the rows of a fit in a table these rows; without any, the stored ones go."""
    if rows:
        return upsert(conn, table, rows, replace_within=("model_id",))
    return Counts(deleted=conn.execute(delete(table).where(table.c.model_id == model_id)).rowcount)


def _write_shares(
    conn: Connection,
    model_id: str,
    topic_ids: Sequence[int],
    petition_ids: Sequence[str],
    document_topic: NDArray[np.floating],
) -> Counts:
    """Write the shares over 0 of [N, K] in chunks, since 100,000 petitions of 9 topics are a million rows."""
    gone = petition_topic.c.petition_id != all_(literal(list(petition_ids), ARRAY(Key)))
    removed = conn.execute(delete(petition_topic).where(petition_topic.c.model_id == model_id, gone))
    written = Counts(deleted=removed.rowcount)
    for start in range(0, len(petition_ids), CHUNK):
        rows = [
            {"model_id": model_id, "petition_id": petition_id, "topic_id": topic_id, "share": _share(share)}
            for petition_id, shares in zip(
                petition_ids[start : start + CHUNK], document_topic[start : start + CHUNK].tolist(), strict=True
            )
            for topic_id, share in zip(topic_ids, shares, strict=True)
            if share > 0
        ]
        written += upsert(conn, petition_topic, rows, replace_within=("model_id", "petition_id"))
    return written


def _share(share: float) -> float:
    """Six decimals: shares of float32 may exceed 1 in their last bit, and differ there from machine to machine."""
    return round(float(share), 6)
