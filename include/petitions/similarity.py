"""How near petitions stand to the middle of their topic, and to each other on a map; without TensorFlow."""

from sqlalchemy import Connection

from petitions.petition_map import write_map
from petitions.records import Source, Window
from petitions.scoring.topic_similarity import score_topic_similarity
from petitions.store.artifacts import ArtifactStore
from petitions.store.scores import Score, upsert_scores
from petitions.store.topic_reads import read_artifact, read_shares
from petitions.store.upsert import Counts
from petitions.store.vectors import read_embeddings


def score_similarity(conn: Connection, source: Source, window: Window, encoder: str, model_id: str) -> Counts:
    """Score how near each petition of a window stands to the mean of its main topic, and write it."""
    texts, embeddings = read_embeddings(conn, source, window, encoder)  # [N, D]
    document_topic = read_shares(conn, model_id, [petition_id for petition_id, _ in texts])  # [N, K]
    values = score_topic_similarity(embeddings, document_topic)  # [N]
    return upsert_scores(
        conn,
        (
            Score(
                petition_id=petition_id,
                encoder=encoder,
                score="topic_similarity",
                value=round(float(value), 6),
                content_hash=content_hash,
                model_id=model_id,
            )
            for (petition_id, content_hash), value in zip(texts, values, strict=True)
        ),
    )


def draw_map(
    conn: Connection, artifacts: ArtifactStore, source: Source, window: Window, encoder: str, model_id: str
) -> bool:
    """Keep a map of the petitions of a window beside a fit; returns whether it was drawn anew."""
    return write_map(artifacts, read_artifact(conn, model_id), encoder, *read_embeddings(conn, source, window, encoder))
