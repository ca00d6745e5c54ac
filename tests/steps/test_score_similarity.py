"""The step `similarity` over a real store: its scores, and what it holds in memory."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import event, text

from invented import BERT, MONDAY, WINDOW, make_petitions, make_shares, write_fit
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps.petition_map import read_map
from petitions.steps.score_similarity import score_similarity
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.topic_reads import read_shares
from petitions.store.vectors import upsert_embeddings

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

N, WIDTH = 2_000, 512


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """float32 [N, WIDTH], unit length."""
    drawn = np.random.default_rng(0).normal(size=(N, WIDTH)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def stored(engine, vectors):
    """N petitions with a fit of three topics and their vectors by BERT."""
    petitions = [replace(item, source_id=f"m-{number:05d}") for number, item in enumerate(make_petitions(N))]
    with engine.begin() as conn:
        upsert_petitions(conn, petitions, seen_at=MONDAY)
        write_fit(conn, petitions)
        upsert_embeddings(conn, BERT, read_texts(conn, Source("sample"), WINDOW), vectors)
    return engine


def score(engine, artifacts, *, is_searched: bool = False) -> int:
    run = Run(
        settings=Settings(),
        engine=engine,
        artifacts=ArtifactStore(str(artifacts)),
        source=Source("sample"),
        window=WINDOW,
    )
    with run.step("encode bert") as progress:
        progress.made_by = BERT
    return score_similarity(run, "fit-1", "bert", is_searched=is_searched)


def test_scores_are_those_of_all_vectors_at_once_and_a_second_run_writes_none(stored, vectors, tmp_path, monkeypatch):
    monkeypatch.setattr("petitions.store.vectors.BATCH", 300)
    monkeypatch.setattr("petitions.steps.petition_map.MOST", 40)
    assert score(stored, tmp_path, is_searched=True) == N
    shares = make_shares(N).astype(np.float64)
    centroids = shares.T @ vectors
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    cosines, main = vectors @ centroids.T, shares.argmax(axis=1)
    expected = [row[k] - max(np.delete(row, k)) for row, k in zip(cosines, main, strict=True)]
    with stored.connect() as conn:
        values = conn.scalars(text("SELECT value FROM petitions.petition_score ORDER BY petition_id")).all()
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert len(read_map(ArtifactStore(str(tmp_path)), "topics/fit-1")) == 40
    assert score(stored, tmp_path, is_searched=True) == 0


def test_memory_does_not_grow_with_the_petitions(stored, tmp_path, monkeypatch):
    """What Python and numpy hold at most is a part of the vectors alone, which were held four times over."""
    monkeypatch.setattr("petitions.store.vectors.BATCH", 100)
    score(stored, tmp_path)  # what is loaded and compiled once is not counted
    tracemalloc.start()
    score(stored, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < N * WIDTH * 4 / 2


def test_shares_of_few_petitions_are_read_without_those_of_all(stored):
    n_rows: list[int] = []
    event.listen(stored, "after_cursor_execute", lambda conn, cursor, *_: n_rows.append(cursor.rowcount))
    with stored.connect() as conn:
        shares = read_shares(conn, "fit-1", ["sample:m-00001", "sample:m-00000"])
    np.testing.assert_allclose(shares, make_shares(2)[::-1])
    assert sum(n_rows) == 3 + 2 * 3, "the topics, and the shares of two petitions"
