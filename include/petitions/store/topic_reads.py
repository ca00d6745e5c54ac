"""Reading fits of topics: the model, the published one, its topics, and their shares in petitions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, Connection, any_, func, literal, select
from sqlalchemy.engine import RowMapping

from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.store.tables import Key
from petitions.store.topic_tables import petition_topic, topic, topic_model, topic_term
from petitions.store.topics import CurvePoint, Topic, TopicModel, TopicTerm

BATCH = 2_000  # petitions whose shares are read at once: of nine topics some MB


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
        Topic(
            topic_id=row.topic_id,
            label=row.label,
            mixture_share=row.mixture_share,
            npmi=row.npmi,
            terms=terms.get(row.topic_id, []),
        )
        for row in rows
    ]


def read_shares(conn: Connection, model_id: str, petition_ids: Sequence[str]) -> NDArray[np.float32]:
    """Read the shares of the topics of a fit in petitions; those of others are not touched.

    Returns:
        float32 [N, K] in the order of `petition_ids` and of topic_id; a petition outside the fit has a row of zeros.
    """
    topic_ids = conn.scalars(select(topic.c.topic_id).where(topic.c.model_id == model_id).order_by(topic.c.topic_id))
    columns = {topic_id: column for column, topic_id in enumerate(topic_ids)}
    places = {petition_id: row for row, petition_id in enumerate(petition_ids)}
    shares = np.zeros((len(places), len(columns)), np.float32)  # [N, K]
    stored = select(petition_topic.c.petition_id, petition_topic.c.topic_id, petition_topic.c.share)
    for start in range(0, len(petition_ids), BATCH):
        asked = literal(list(petition_ids[start : start + BATCH]), ARRAY(Key))
        among = petition_topic.c.petition_id == any_(asked)
        for petition_id, topic_id, share in conn.execute(stored.where(petition_topic.c.model_id == model_id, among)):
            shares[places[petition_id], columns[topic_id]] = share
    return shares


def read_artifact(conn: Connection, model_id: str) -> str:
    """Read the folder of a fit in the artifact store.

    Raises:
        NoResultFound: there is no such fit; the caller has made it.
    """
    return str(conn.execute(select(topic_model.c.artifact).where(topic_model.c.model_id == model_id)).scalar_one())


def _model(row: RowMapping) -> TopicModel:
    values = {name: row[name] for name in row if name not in ("source", "since", "until", "encoders", "curve")}
    return TopicModel(
        **values,
        source=Source(row["source"]),
        window=Window(since=row["since"], until=row["until"]),
        encoders=tuple(row["encoders"] or ()),
        curve=None if row["curve"] is None else tuple(CurvePoint(**point) for point in row["curve"]),
    )
