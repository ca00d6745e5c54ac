"""The step score_similarity: how near petitions stand to the middle of their topic; without TensorFlow."""

from petitions.scoring.topic_similarity import score_topic_similarity
from petitions.steps.petition_map import write_map
from petitions.steps.step import Run, read_made_by
from petitions.store.scores import Score, upsert_scores
from petitions.store.topic_reads import read_artifact, read_shares
from petitions.store.upsert import Counts
from petitions.store.vectors import read_embeddings


def score_similarity(run: Run, model_id: str, encoder: str, *, is_searched: bool) -> int:
    """Score how near each petition of a window stands to the mean of its main topic; returns the rows written.

    The encoder that is searched has a map of the petitions kept beside the fit too.
    """
    with run.step(f"similarity {encoder}") as progress:
        progress.made_by = name = read_made_by(run, f"encode {encoder}")
        written = _write_scores(run, model_id, name, is_searched=is_searched)
        progress.rows_in = written.inserted + written.updated + written.unchanged
        progress.rows_out = written.inserted + written.updated
    return progress.rows_out


def _write_scores(run: Run, model_id: str, encoder: str, *, is_searched: bool) -> Counts:
    """Write the scores in one transaction; the map is drawn after it."""
    with run.engine.begin() as conn:
        texts, embeddings = read_embeddings(conn, run.source, run.window, encoder)  # [N, D]
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
        write_map(run.artifacts, artifact, encoder, texts, embeddings)
    return written
