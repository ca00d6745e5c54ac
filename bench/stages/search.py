"""The ten nearest of n petitions: ours beside an exact scan, NumPy and rank-bm25.

Vectors and words are those of bench/search_speed.py: a mixture of gaussians, 768 wide, and words with the frequencies
of Zipf. One question after another, over one connection; a peer that scans has all in memory.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import Arguments, Contestant, Stage

K = 10
VECTORS = "SELECT petition_id FROM petitions.search_petitions(CAST(:v AS vector), 10)"
EXACT = "SELECT petition_id FROM petitions.petition_embedding ORDER BY embedding <=> CAST(:v AS vector) LIMIT 10"
WORDS = "SELECT petition_id FROM petitions.bm25_petitions(NULL, :words, 10, NULL, NULL, NULL, NULL, NULL)"
Call = Callable[[int], dict[str, Any]]


@contextmanager
def start(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """A server with all petitions, their vectors and words published, and the same as files."""
    import numpy as np
    import search_speed
    from sqlalchemy import text

    from petitions.store.database import open_engine, upgrade
    from petitions.store.vectors import ensure_index

    vectors = search_speed.make_vectors(size["stored"])
    server = search_speed.start_server()
    engine = open_engine(server.get_uri(driver="psycopg"))
    try:
        upgrade(engine)
        tokens = search_speed.load(engine, vectors)
        with engine.begin() as conn:
            ensure_index(conn, search_speed.ENCODER)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
        rng = np.random.default_rng(2)
        asked = rng.choice(len(vectors), size["n"], replace=False).tolist()
        questions = [[number, rng.choice(tokens[number], 5, replace=False).tolist()] for number in asked]
        np.save(folder / "vectors.npy", vectors)
        (folder / "tokens.json").write_text(json.dumps(tokens), encoding="utf-8")
        (folder / "asked.json").write_text(json.dumps(questions), encoding="utf-8")
        yield {**size, "folder": str(folder), "url": engine.url.render_as_string(hide_password=False)}
    finally:
        engine.dispose()
        server.cleanup()


def _read(arguments: Arguments) -> tuple[Any, list[tuple[int, list[str]]]]:
    import numpy as np

    folder = Path(arguments["folder"])
    return np.load(folder / "vectors.npy"), json.loads((folder / "asked.json").read_text("utf-8"))


def _rank(vectors: Any, vector: Any) -> list[int]:
    """The ten nearest, exactly."""
    import numpy as np

    similarity = vectors @ vector
    nearest = np.argpartition(-similarity, K)[:K]
    ranked: list[int] = nearest[np.argsort(-similarity[nearest])].tolist()
    return ranked


def make_database(arguments: Arguments) -> Call:
    from pgvector import Vector
    from sqlalchemy import text

    from petitions.store.database import open_engine

    vectors, asked = _read(arguments)
    wanted = [set(_rank(vectors, vectors[number])) for number, _ in asked]
    conn = open_engine(arguments["url"]).connect()
    if arguments["is_exact"]:
        conn.execute(text("SET enable_indexscan = off"))
    query = text(EXACT if arguments["is_exact"] else VECTORS)
    given = [{"v": Vector(vectors[number]).to_text()} for number, _ in asked]

    def call(_: int) -> dict[str, Any]:
        found = [{int(item[7:]) for item in conn.execute(query, one).scalars()} for one in given]
        hits = sum(len(one & right) for one, right in zip(found, wanted, strict=True))
        return {"recall@10": round(hits / K / len(asked), 4)}

    call(0)
    return call


def make_numpy(arguments: Arguments) -> Call:
    vectors, asked = _read(arguments)

    def call(_: int) -> dict[str, Any]:
        for number, _words in asked:
            _rank(vectors, vectors[number])
        return {"recall@10": 1.0}

    return call


def make_words(arguments: Arguments) -> Call:
    from sqlalchemy import text

    from petitions.store.database import open_engine

    _, asked = _read(arguments)
    conn = open_engine(arguments["url"]).connect()

    def call(_: int) -> dict[str, Any]:
        hits = 0
        for number, words in asked:
            found = conn.execute(text(WORDS), {"words": words}).scalars().all()
            hits += f"sample:{number:06d}" in found
        return {"finds its own": round(hits / len(asked), 3)}

    call(0)
    return call


def make_rank_bm25(arguments: Arguments) -> Call:
    import numpy as np
    from rank_bm25 import BM25Okapi

    _, asked = _read(arguments)
    model = BM25Okapi(json.loads(Path(arguments["folder"], "tokens.json").read_text("utf-8")))

    def call(_: int) -> dict[str, Any]:
        hits = 0
        for number, words in asked:
            scores = model.get_scores(words)
            hits += number in np.argpartition(-scores, K)[:K]
        return {"finds its own": round(int(hits) / len(asked), 3)}

    return call


MAKERS = {"database": make_database, "numpy": make_numpy, "words": make_words, "rank_bm25": make_rank_bm25}
SIZES = {"full": {"n": 100, "stored": 10_000, "rounds": 5}, "quick": {"n": 50, "stored": 1_000, "rounds": 3}}
STAGES = {
    "search-vectors": Stage(
        title="Search by vectors",
        module="search",
        unit="questions",
        contestants=(
            Contestant(name="ours, by its index", maker="database", arguments={"is_exact": False}),
            Contestant(name="exact scan in Postgres", maker="database", arguments={"is_exact": True}),
            Contestant(name="NumPy, all in memory", maker="numpy", environment="words"),
        ),
        sizes=SIZES,
        prepare=start,
        note="Among 10,000 petitions (1,000 in the quick run). The server's CPU and memory are not counted. NumPy has "
        "all vectors in the memory of one process and asks nobody; ours asks Postgres, where rights and filters hold.",
    ),
    "search-words": Stage(
        title="Search by words",
        module="search",
        unit="questions",
        contestants=(
            Contestant(name="ours: BM25F in Postgres", maker="words"),
            Contestant(name="rank-bm25, all in memory", maker="rank_bm25", environment="words"),
        ),
        sizes=SIZES,
        prepare=start,
        note="Five words of a petition, among as many. The server's CPU and memory are not counted.",
    ),
}
