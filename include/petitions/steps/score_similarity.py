"""How near petitions stand to the middle of their topic, and to each other on a map; without TensorFlow."""

from sqlalchemy import Engine

from petitions.records import Source, Window
from petitions.scoring.topic_similarity import score_topic_similarity
from petitions.steps.petition_map import write_map
from petitions.store.artifacts import ArtifactStore
from petitions.store.scores import Score, upsert_scores
from petitions.store.topic_reads import read_artifact, read_shares
from petitions.store.upsert import Counts
from petitions.store.vectors import read_embeddings


def score_similarity(
    engine: Engine,
    artifacts: ArtifactStore,
    source: Source,
    window: Window,
    encoder: str,
    model_id: str,
    *,
    is_searched: bool,
) -> Counts:
    """Score how near each petition of a window stands to the mean of its main topic, and write it.

    The encoder that is searched has a map of the petitions kept beside the fit too; it is drawn after the transaction.
    """
    with engine.begin() as conn:
        texts, embeddings = read_embeddings(conn, source, window, encoder)  # [N, D]
        document_topic = read_shares(conn, model_id, [petition_id for petition_id, _ in texts])  # [N, K]
        values = score_topic_similarity(embeddings, document_topic)  # [N]
        written = upsert_scores(
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
        artifact = read_artifact(conn, model_id)
    if is_searched:
        write_map(artifacts, artifact, encoder, texts, embeddings)
    return written
