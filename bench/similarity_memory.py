"""How much memory the step `similarity` takes: streamed, as it is, beside all vectors at once, as it was.

    PYTHONPATH=include python bench/similarity_memory.py [--rows 97000] [--width 768] [--topics 9]

Prints, for each way, by how much the peak of resident memory (VmHWM) of a process of its own grows over what it has
after the imports, and the seconds; then the ratio, and the largest difference between the two ways' scores. The map of
petitions is drawn by neither. Vectors are invented, a mixture of 500 gaussians; shares are drawn from a Dirichlet.
An embedded server of its own is made and deleted.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from search_speed import ENCODER, WINDOW, load, make_vectors, start_server
from sqlalchemy import Connection, Engine, LargeBinary, func, select, text

from petitions.records import Source
from petitions.settings import Settings
from petitions.steps.score_similarity import score_similarity
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine, upgrade
from petitions.store.petitions import shown_in_window
from petitions.store.scores import Score, upsert_scores
from petitions.store.tables import petition, petition_embedding
from petitions.store.topic_tables import petition_topic

MODEL = "bench"
TOPICS = """
    INSERT INTO petitions.topic (model_id, topic_id, label, mixture_share, top_terms)
    SELECT 'bench', n, 'topic ' || n, 0, '{}' FROM generate_series(1, :n) AS n
"""
SHARE = """
    INSERT INTO petitions.petition_topic (model_id, petition_id, topic_id, share, is_main)
    SELECT 'bench', :id, n, share, n = :main
    FROM unnest(CAST(:shares AS double precision[])) WITH ORDINALITY AS u (share, n)
"""


def read_all(conn: Connection) -> tuple[list[tuple[str, str]], NDArray[np.float32], NDArray[np.float32]]:
    """Ids with hashes, vectors [N, D] and shares [N, K], as they were read before: all in a list, then stacked."""
    sent = func.vector_send(petition_embedding.c.embedding, type_=LargeBinary)
    rows = conn.execute(
        select(petition.c.petition_id, petition.c.content_hash, sent)
        .join(petition_embedding, petition_embedding.c.petition_id == petition.c.petition_id)
        .where(shown_in_window(Source("sample"), WINDOW), petition_embedding.c.encoder == ENCODER)
        .order_by(petition.c.petition_id)
    ).all()
    vectors = np.stack([np.frombuffer(data, dtype=">f4", offset=4) for _, _, data in rows]).astype(np.float32)
    places = {petition_id: row for row, (petition_id, _, _) in enumerate(rows)}
    n_topics = conn.execute(text("SELECT count(*) FROM petitions.topic")).scalar_one()
    shares = np.zeros((len(rows), n_topics), np.float32)
    stored = select(petition_topic.c.petition_id, petition_topic.c.topic_id, petition_topic.c.share)
    for row in conn.execute(stored.where(petition_topic.c.model_id == MODEL)):
        shares[places[row.petition_id], row.topic_id - 1] = row.share
    return [(petition_id, content_hash) for petition_id, content_hash, _ in rows], vectors, shares


def score_at_once(engine: Engine) -> None:
    """The step as it was before vectors were streamed."""
    with engine.begin() as conn:
        texts, vectors, shares = read_all(conn)
        rows = np.asarray(vectors, np.float64)
        centroids = np.asarray(shares, np.float64).T @ rows
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        cosines = rows @ centroids.T
        ordered, own = np.sort(cosines, axis=1), cosines[np.arange(len(rows)), np.argmax(shares, axis=1)]
        values = own - np.where(own == ordered[:, -1], ordered[:, -2], ordered[:, -1])
        scores = (
            Score(
                petition_id=petition_id,
                encoder=ENCODER,
                score="topic_similarity",
                value=round(float(value), 6),
                content_hash=content_hash,
                model_id=MODEL,
            )
            for (petition_id, content_hash), value in zip(texts, values, strict=True)
        )
        upsert_scores(conn, scores)


def measure(way: str, url: str) -> None:
    """Run one way in this process, and print what it took as a line of JSON."""
    engine = open_engine(url)
    before, start = read_peak(), time.perf_counter()
    if way == "streamed":
        parts = {"settings": Settings(), "artifacts": ArtifactStore("/nowhere"), "source": Source("sample")}
        run = Run(engine=engine, window=WINDOW, **parts)
        with run.step("encode bench") as progress:
            progress.made_by = ENCODER
        score_similarity(run, MODEL, "bench", is_searched=False)
    else:
        score_at_once(engine)
    print(json.dumps({"mb": (read_peak() - before) / 1e6, "s": time.perf_counter() - start, "before": before / 1e6}))


def read_peak() -> int:
    """The most bytes that this process ever had in memory."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def write_shares(engine: Engine, n: int, n_topics: int) -> None:
    shares = np.random.default_rng(3).dirichlet(np.full(n_topics, 0.2), n).round(6)
    with engine.begin() as conn:
        conn.execute(text(TOPICS), {"n": n_topics})
        for start in range(0, n, 5_000):
            rows = enumerate(shares[start : start + 5_000], start)
            bound = [
                {"id": f"sample:{number:06d}", "shares": row.tolist(), "main": int(row.argmax()) + 1}
                for number, row in rows
            ]
            conn.execute(text(SHARE), bound)


def read_scores(engine: Engine) -> NDArray[np.float64]:
    """The scores that are stored, in the order of the ids; they are deleted, for the next way."""
    with engine.begin() as conn:
        values = conn.scalars(text("SELECT value FROM petitions.petition_score ORDER BY petition_id"))
        read = np.fromiter(values, np.float64)
        conn.execute(text("TRUNCATE petitions.petition_score"))
    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=97_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--topics", type=int, default=9)
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)  # and the URL: one way, in a process of its own
    options = parser.parse_args()
    if options.way:
        measure(*options.way)
        return
    server = start_server()
    url = server.get_uri(driver="psycopg")
    engine = open_engine(url)
    upgrade(engine)
    load(engine, make_vectors(options.rows, options.width), n_tokens=1)
    write_shares(engine, options.rows, options.topics)
    found, scores = {}, {}
    print(f"{options.rows} petitions, vectors of {options.width}, {options.topics} topics", flush=True)
    for way in ("at once", "streamed"):
        command = [sys.executable, __file__, "--way", way, url]
        found[way] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        scores[way] = read_scores(engine)
        print(
            f"  {way:9} peak {found[way]['mb']:7.0f} MB over {found[way]['before']:.0f}  {found[way]['s']:6.1f} s",
            flush=True,
        )
    largest = np.abs(scores["at once"] - scores["streamed"]).max()
    print(f"  streamed / at once: {found['streamed']['mb'] / found['at once']['mb']:.3f} of the memory", end=", ")
    print(f"{found['streamed']['s'] / found['at once']['s']:.2f} of the time; largest difference {largest:.1e}")
    engine.dispose()
    server.cleanup()


if __name__ == "__main__":
    main()
