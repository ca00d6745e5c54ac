"""Writing a fit: the model, its topics and terms, what became of the topics before, and the topics of petitions."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb
from sqlalchemy import ARRAY, Connection, Table, all_, delete, literal, select

from petitions.errors import PermanentError
from petitions.records import Source, Window
from petitions.store.tables import Key
from petitions.store.topic_tables import petition_topic, topic, topic_event, topic_model, topic_term
from petitions.store.upsert import Counts, Row, upsert

logger = logging.getLogger(__name__)

PICTURE_FILE = "pyldavis.html"  # in the artifact of a fit
TOP_TERMS = 10  # of a topic in topic.top_terms; all that are given stand in topic_term
CHUNK = 10_000  # petitions
_PUBLISHED = ("published_at", "encoders")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """How good the topics are when there are so many: mean NPMI, and agreement of fits from other seeds (0 to 1)."""

    n_topics: int
    npmi: float
    stability: float


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
    changed_share: float | None = None
    note: str | None = None
    curve: tuple[CurvePoint, ...] | None = None
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
    """A topic of a fit under its lasting id, its terms by falling relevance; `npmi` is None where it has none.

    `mixture_share` is the mean over the petitions of how much of each is the topic; views count `share` by main topic.
    """

    topic_id: int
    label: str
    mixture_share: float
    npmi: float | None
    terms: Sequence[TopicTerm]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicEvent:
    """What became of a topic: `kind` is born, died, split, merged or continued; `overlap` as its column says."""

    kind: str
    topic_id: int | None
    from_model_id: str | None = None
    from_topic_id: int | None = None
    distance: float | None = None
    overlap: float | None = None


def write_topic_model(
    conn: Connection,
    model: TopicModel,
    topics: Sequence[Topic],
    events: Sequence[TopicEvent],
    petition_ids: Sequence[str],
    document_topic: NDArray[np.floating],
    is_borne: Sequence[bool] | None = None,
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
        is_borne: [N], whether the petition holds enough terms of its main topic; without it nothing is told.

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
    return written + _write_shares(conn, model.model_id, kept, petition_ids, document_topic, is_borne)


def _model_row(model: TopicModel) -> Row:
    names = (item.name for item in topic_model.columns if item.name not in ("source", "since", "until", *_PUBLISHED))
    return {name: getattr(model, name) for name in names} | {
        "source": str(model.source),
        "since": model.window.since,
        "until": model.window.until,
        "changed_share": _share(model.changed_share),
        "curve": None if model.curve is None else Jsonb([asdict(point) for point in model.curve]),
        **dict.fromkeys(_PUBLISHED),
    }


def _topic_row(model_id: str, item: Topic) -> Row:
    return {
        "model_id": model_id,
        "topic_id": item.topic_id,
        "label": item.label,
        "mixture_share": _share(item.mixture_share),
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
        "overlap": _share(item.overlap),
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
    is_borne: Sequence[bool] | None,
) -> Counts:
    """Write the shares over 0 of [N, K] in chunks, since 100,000 petitions of 9 topics are a million rows."""
    gone = petition_topic.c.petition_id != all_(literal(list(petition_ids), ARRAY(Key)))
    removed = conn.execute(delete(petition_topic).where(petition_topic.c.model_id == model_id, gone))
    written = Counts(deleted=removed.rowcount)
    borne = [None] * len(petition_ids) if is_borne is None else is_borne
    for start in range(0, len(petition_ids), CHUNK):
        rows: list[Row] = []
        part = slice(start, start + CHUNK)
        for petition_id, shares, is_of_it in zip(
            petition_ids[part], document_topic[part].tolist(), borne[part], strict=True
        ):
            found = [(_share(share), -topic_id) for topic_id, share in zip(topic_ids, shares, strict=True) if share > 0]
            main = max(found, default=None)  # of equal shares the lowest topic_id, which is why it is turned
            rows += [
                {
                    "model_id": model_id,
                    "petition_id": petition_id,
                    "topic_id": -below,
                    "share": share,
                    "is_main": (share, below) == main,
                    "is_borne": is_of_it if (share, below) == main else None,
                }
                for share, below in found
            ]
        written += upsert(conn, petition_topic, rows, replace_within=("model_id", "petition_id"))
    return written


def _share(share: float | None) -> float | None:
    """Six decimals: shares of float32 may exceed 1 in their last bit, and differ there from machine to machine."""
    return None if share is None else round(float(share), 6)
