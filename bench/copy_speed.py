"""What the step find_copies takes at several sizes: first, on a night without news, and with 100 petitions more.

    PYTHONPATH=include python bench/copy_speed.py [--shared ../shared] [--sizes 3000 12000 48000 100000]

Petitions are made of the sentences of real ones of the Blue House, their words in another order; one in twenty is a
copy of an earlier one with a tenth of its sentences changed, and 1 % are of one campaign. An embedded server of its
own is made and deleted. Prints seconds of the clock and of a processor (of the step and of the server), pairs, what
reading the groups takes, the most memory (each size is a process of its own), and the exponents of growth.
"""

import argparse
import json
import math
import random
import resource
import time
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import psutil
from search_speed import WINDOW, start_server
from sqlalchemy import Engine, text

from petitions.records import Petition, Source, Status
from petitions.settings import Settings
from petitions.steps.find_copies import find_copies
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine, upgrade
from petitions.store.petitions import upsert_petitions

SAMPLE = Source("sample")
AT = datetime(2026, 1, 1, tzinfo=UTC)
LOAD = 5_000
MORE = 100  # petitions of the night after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    parser.add_argument("--sizes", type=int, nargs="+", default=[3_000, 12_000, 48_000, 100_000])
    args = parser.parse_args()
    told: list[dict[str, float]] = []
    for n in args.sizes:
        with get_context("spawn").Pool(1) as pool:
            told.append(pool.apply(measure_size, (args.shared / "data/bluehouse", n)))
        print(json.dumps(told[-1]), flush=True)
    for before, after in pairwise(told):
        grown = math.log(after["petitions"] / before["petitions"])
        names = [name for name in after if name.endswith("_processor_s")]
        print({name: round(math.log(after[name] / before[name]) / grown, 2) for name in names}, flush=True)


def measure_size(folder: Path, n: int) -> dict[str, float]:
    server = start_server()
    try:
        engine = open_engine(server.get_uri())
        upgrade(engine)
        bodies = make_bodies(read_bodies(folder), n + MORE)
        write_petitions(engine, bodies[:n], n + MORE)
        with engine.connect() as conn:
            conn.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE petitions.petition"))
        memory = get_memory()
        found = {"petitions": n, **measure(engine, bodies)}
        engine.dispose()
        return found | {"memory_before_mb": memory, "memory_mb": get_memory()}
    finally:
        server.cleanup()


def get_memory() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def get_processor(engine: Engine) -> float:
    """Seconds of a processor of this process, and of the server with the connections that are open and that were."""
    with engine.connect() as conn:
        backend = psutil.Process(conn.execute(text("SELECT pg_backend_pid()")).scalar_one())
    server = backend.parent()
    assert server
    spent = [server.cpu_times(), *(child.cpu_times() for child in server.children(recursive=True))]
    gone = server.cpu_times()
    return (
        time.process_time() + sum(each.user + each.system for each in spent) + gone.children_user + gone.children_system
    )


def read_bodies(folder: Path) -> list[list[str]]:
    """The sentences of each petition."""
    rows = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    return [body for row in rows if (body := row["content"].replace("?", ".").split("."))]


def make_bodies(real: list[list[str]], n: int) -> list[str]:
    rng = random.Random(0)
    sentences = [f"{sentence} {number}" for body in real for number, sentence in enumerate(body)]
    campaign, made = rng.sample(sentences, 20), list[list[str]]()
    for _ in range(n):
        kind = rng.random()
        if kind < 0.01 or (kind < 0.06 and made):
            body = list(campaign if kind < 0.01 else rng.choice(made))
            for place in rng.sample(range(len(body)), len(body) // 10):
                body[place] = rng.choice(sentences)
        else:
            body = [shuffle(rng, sentence) for sentence in rng.sample(sentences, len(rng.choice(real)))]
        made.append(body)
    return [". ".join(body) for body in made]


def shuffle(rng: random.Random, sentence: str) -> str:
    """The words of a sentence in another order, or it would stand in thirty of 100,000."""
    words = sentence.split()
    return " ".join(rng.sample(words, len(words)))


def write_petitions(engine: Engine, bodies: list[str], n_all: int, begin: int = 0) -> None:
    days = (WINDOW.until - WINDOW.since).days
    for start in range(0, len(bodies), LOAD):
        with engine.begin() as conn:
            upsert_petitions(
                conn,
                (
                    make_petition(number, body, WINDOW.since + timedelta(days=number * days // n_all))
                    for number, body in enumerate(bodies[start : start + LOAD], begin + start)
                ),
                seen_at=AT,
            )


def make_petition(number: int, body: str, begins_on: date) -> Petition:
    return Petition(
        source=SAMPLE,
        source_id=f"{number:06d}",
        title=f"{number}",
        purpose="",
        body=body,
        category="기타",
        status=Status.OPEN,
        n_agreements=0,
        begins_on=begins_on,
        ends_on=begins_on + timedelta(days=30),
        url=f"https://example.org/{number}",
    )


def measure(engine: Engine, bodies: list[str]) -> dict[str, float]:
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore("/nowhere"), source=SAMPLE, window=WINDOW)
    figures: dict[str, float] = {}
    for name in ("first", "quiet", "more"):
        if name == "more":
            write_petitions(engine, bodies[-MORE:], len(bodies), len(bodies) - MORE)
        spent, start = get_processor(engine), time.perf_counter()
        figures[f"{name}_pairs"] = find_copies(run)
        figures[f"{name}_s"] = round(time.perf_counter() - start, 2)
        figures[f"{name}_processor_s"] = round(get_processor(engine) - spent, 2)
    with engine.connect() as conn:
        start = time.perf_counter()
        conn.execute(text("SELECT group_id, count(*) FROM petitions.petition_copy GROUP BY group_id")).all()
        figures["read_s"] = round(time.perf_counter() - start, 3)
    return figures


if __name__ == "__main__":
    main()
