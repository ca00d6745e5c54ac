"""The step score_similarity: how much nearer petitions stand to their topic than to others; without TensorFlow."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from petitions.scoring.topic_similarity import find_centroids, score_topic_similarity
from petitions.steps.petition_map import choose_shown, write_map
from petitions.steps.step import Run, read_made_by
from petitions.store.scores import Score, upsert_scores
from petitions.store.topic_reads import read_artifact, read_published, read_shares
from petitions.store.upsert import Counts
from petitions.store.vectors import EmbeddingBatch, EmbeddingStream, open_embeddings, read_embeddings


def score_similarity(run: Run, model_id: str, encoder: str, *, is_searched: bool) -> int:
    """Score how much nearer each petition of a window is to its main topic than to others; returns the rows written.

    The encoder that is searched has a map of the petitions kept beside the fit too.
    """
    with run.step(f"similarity {encoder}") as progress:
        progress.made_by = name = read_made_by(run, f"encode {encoder}")
        written = _write_scores(run, model_id, name, is_searched=is_searched)
        progress.rows_in = written.inserted + written.updated + written.unchanged
        progress.rows_out = written.inserted + written.updated
    return progress.rows_out


def _write_scores(run: Run, model_id: str, encoder: str, *, is_searched: bool) -> Counts:
    """Write the scores in one transaction; the map is drawn after it.

    The vectors are read twice, a batch at a time: for the means, then for the distances from them.
    """
    written, shown, n = Counts(), list[tuple[str, str]](), 0
    with open_embeddings(run.engine, run.source, run.window, encoder) as stream:
        found = find_centroids(_read_batches(stream, model_id))
        with run.engine.begin() as conn:
            for batch in stream:
                main_topic = found.main_topic[n : n + len(batch.texts)]
                values = score_topic_similarity(batch.embeddings, found.centroids, main_topic)  # [n]
                written += upsert_scores(conn, _make_scores(batch, values, encoder, model_id))
                shown = choose_shown([*shown, *batch.texts])
                n += len(batch.texts)
            artifact, published = read_artifact(conn, model_id), read_published(conn, run.source)
        placed = read_embeddings(stream.conn, encoder, [petition_id for petition_id, _ in shown] if is_searched else [])
    if is_searched:
        write_map(
            run.artifacts, artifact, encoder, shown, placed, n=n, before=published.artifact if published else None
        )
    return written


def _read_batches(stream: EmbeddingStream, model_id: str) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The vectors [n, D] and topic shares [n, K] of each batch."""
    for batch in stream:
        yield batch.embeddings, read_shares(stream.conn, model_id, batch.petition_ids)


def _make_scores(batch: EmbeddingBatch, values: NDArray[np.float32], encoder: str, model_id: str) -> Iterator[Score]:
    for (petition_id, content_hash), value in zip(batch.texts, values, strict=True):
        yield Score(
            petition_id=petition_id,
            encoder=encoder,
            score="topic_similarity",
            value=round(float(value), 6),
            content_hash=content_hash,
            model_id=model_id,
        )
