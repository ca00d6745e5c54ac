"""What the step find_copies takes at 3,000 and 100,000 petitions: the first time, and on a night without new ones.

    PYTHONPATH=include python bench/copy_speed.py [--shared ../shared] [--sizes 3000 100000]

Petitions are made of the sentences of real ones of the Blue House, their words in another order; one in twenty is a
copy of an earlier one with a tenth of its sentences changed, and 1 % are of one campaign. An embedded server of its
own is made and deleted. Prints seconds, pairs, and what reading the groups takes.
"""

import argparse
import json
import random
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    parser.add_argument("--sizes", type=int, nargs="+", default=[3_000, 100_000])
    args = parser.parse_args()
    bodies = read_bodies(args.shared / "data/bluehouse")
    for n in args.sizes:
        server = start_server()
        try:
            engine = open_engine(server.get_uri())
            upgrade(engine)
            write_petitions(engine, make_bodies(bodies, n))
            print(json.dumps({"petitions": n, **measure(engine)}), flush=True)
            engine.dispose()
        finally:
            server.cleanup()


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


def write_petitions(engine: Engine, bodies: list[str]) -> None:
    days = (WINDOW.until - WINDOW.since).days
    for start in range(0, len(bodies), LOAD):
        with engine.begin() as conn:
            upsert_petitions(
                conn,
                (
                    make_petition(number, body, WINDOW.since + timedelta(days=number * days // len(bodies)))
                    for number, body in enumerate(bodies[start : start + LOAD], start)
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


def measure(engine: Engine) -> dict[str, float]:
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore("/nowhere"), source=SAMPLE, window=WINDOW)
    figures: dict[str, float] = {}
    for name in ("first_s", "again_s"):
        start = time.perf_counter()
        figures["pairs"] = find_copies(run)
        figures[name] = round(time.perf_counter() - start, 2)
    with engine.connect() as conn:
        start = time.perf_counter()
        conn.execute(text("SELECT group_id, count(*) FROM petitions.petition_copy GROUP BY group_id")).all()
        figures["read_s"] = round(time.perf_counter() - start, 3)
    return figures


if __name__ == "__main__":
    main()
