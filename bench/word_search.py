"""How true and how fast search by words is: `bm25_petitions` beside exact BM25F over the same words, in one run.

    PYTHONPATH=include:bench python bench/word_search.py FOLDER [--rows 3000 100000]

FOLDER holds petitions as lines of JSON with title and content, such as the Blue House's. More petitions than it has are
composed of its own titles and sentences, so that words stay as common as they are. Exact BM25F is scipy over all
petitions with the mean lengths of the corpus. A question is one common word or two (of the 300 that most petitions
have), one rare one or two (in 3 to 30 petitions), three of both and of those between, or all words of a title. Prints
overlap@10 (an equal score counts as found), p50 and p95 of the time of the server on a processor and at the client, in
ms; the same times of `similar_petitions`, of which k is what search asks for. The words are written without their
index, which is made after them. An embedded server of its own is made and deleted.
"""

import argparse
import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from search_speed import FIT, WINDOW, make_petition, start_server
from sqlalchemy import Connection, Engine, TextClause, text

from petitions.records import Source
from petitions.store.database import open_engine, upgrade
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.words import PetitionWords, upsert_words
from petitions.text.bm25 import weigh_words
from petitions.text.search_words import split_many

K, QUESTIONS = 10, 100
SIMILAR = text("SELECT petition_id FROM petitions.similar_petitions(:id)")
ASK = text("SELECT petition_id, score FROM petitions.bm25_petitions(NULL, :words, 10, NULL, NULL, NULL, NULL, NULL)")
FILTERED = text(
    "SELECT petition_id, score FROM petitions.bm25_petitions(NULL, :words, 10, '가', NULL, NULL, NULL, NULL)"
)
_SENTENCE = re.compile(r"(?<=[.?!])\s+|\n+")
Words = list[str]


def read_petitions(folder: Path) -> list[tuple[Words, list[Words]]]:
    """The words of each title, and of each sentence below it."""
    rows = [
        json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    titles = split_many([row["title"] for row in rows])
    sentences = [[part for part in _SENTENCE.split(row["content"]) if part] for row in rows]
    split = iter(split_many([part for parts in sentences for part in parts]))
    return [(title, [next(split) for _ in parts]) for title, parts in zip(titles, sentences, strict=True)]


def compose(petitions: Sequence[tuple[Words, list[Words]]], n: int) -> list[tuple[Words, Words]]:
    """N titles and bodies: the petitions themselves, then titles over sentences of three of them, one its own."""
    rng = np.random.default_rng(0)
    made = [(title, [word for part in parts for word in part]) for title, parts in petitions[:n]]
    while len(made) < n:
        chosen = rng.integers(0, len(petitions), 3)
        title, own = petitions[chosen[0]]
        pool = own + petitions[chosen[1]][1] + petitions[chosen[2]][1]
        kept = rng.permutation(len(pool))[: max(len(own), 3)]
        made.append((title, [word for place in kept for word in pool[place]]))
    return made


class Exact:
    """Exact BM25F over all petitions."""

    def __init__(self, made: Sequence[tuple[Words, Words]]) -> None:
        lengths = np.mean([(len(title), len(body)) for title, body in made], axis=0)
        print(f"mean words of title and body {lengths.round(1)}", flush=True)
        self.places: dict[str, int] = {}
        indices, values, starts = [], [], [0]
        for title, body in made:
            for word, weight in weigh_words(title, body, *lengths).items():
                indices.append(self.places.setdefault(word, len(self.places)))
                values.append(weight)
            starts.append(len(indices))
        shape = (len(made), len(self.places))
        rows = csr_matrix((np.array(values), np.array(indices, np.int32), np.array(starts)), shape=shape)
        self.matrix = rows.tocsc()
        self.counts = np.diff(self.matrix.indptr)

    def score(self, words: Sequence[str]) -> NDArray[np.float64]:
        """The score of each petition."""
        n = self.matrix.shape[0]
        total = np.zeros(n)
        for place in {self.places[word] for word in words if word in self.places}:
            column = slice(self.matrix.indptr[place], self.matrix.indptr[place + 1])
            count = self.counts[place]
            total[self.matrix.indices[column]] += self.matrix.data[column] * np.log1p((n - count + 0.5) / (count + 0.5))
        return total


def make_questions(exact: Exact, made: Sequence[tuple[Words, Words]]) -> dict[str, list[Words]]:
    rng = np.random.default_rng(1)
    words = np.array(list(exact.places))
    common = words[np.argsort(-exact.counts)[:300]]
    rare = words[(exact.counts >= 3) & (exact.counts <= 30)]
    between = words[(exact.counts > 30) & (exact.counts < np.sort(exact.counts)[-300])]

    def draw(*pools: NDArray[np.str_]) -> Words:
        return [str(rng.choice(pool)) for pool in pools]

    return {
        "common": [draw(*[common] * (1 + n % 2)) for n in range(QUESTIONS)],
        "rare": [draw(*[rare] * (1 + n % 2)) for n in range(QUESTIONS)],
        "between": [draw(*[between] * (1 + n % 2)) for n in range(QUESTIONS)],
        "mixed": [draw(common, between, rare) if n % 2 else draw(common, common, between) for n in range(QUESTIONS)],
        "title": [made[number][0] for number in rng.integers(0, len(made), QUESTIONS)],
    }


def load(engine: Engine, made: Sequence[tuple[Words, Words]]) -> None:
    n = len(made)
    with engine.begin() as conn:
        upsert_petitions(conn, (make_petition(number, n) for number in range(n)), seen_at=datetime.now(UTC))
        texts = read_texts(conn, Source("sample"), WINDOW)
        index = conn.scalar(text("SELECT pg_get_indexdef('petitions.petition_words_levels_idx'::regclass)"))
        conn.exec_driver_sql("DROP INDEX petitions.petition_words_levels_idx")
        start = time.perf_counter()
        for first in range(0, n, 5000):
            upsert_words(
                conn,
                (
                    PetitionWords(
                        petition_id=item.petition_id,
                        tokenizer="bench",
                        content_hash=item.content_hash,
                        weights=weigh_words(title, body),
                    )
                    for item, (title, body) in zip(texts[first : first + 5000], made[first : first + 5000], strict=True)
                ),
            )
        conn.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
        conn.exec_driver_sql(index)
        print(f"words of {n} written in {time.perf_counter() - start:.1f} s")
        conn.exec_driver_sql(FIT)
    with engine.begin() as conn:
        start = time.perf_counter()
        conn.execute(text("SELECT petitions.count_words()"))
        print(f"counted in {time.perf_counter() - start:.1f} s")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))
        sizes = conn.execute(
            text(
                "SELECT pg_table_size('petitions.petition_words') / 1e6, "
                "pg_indexes_size('petitions.petition_words') / 1e6,"
                " pg_total_relation_size('petitions.word_level') / 1e6"
            )
        ).one()
        print("MB of table, indexes, counts:", *(f"{size:.0f}" for size in sizes), flush=True)


def ask(engine: Engine, kind: str, questions: Sequence[Words], exact: Exact, is_filtered: bool = False) -> None:
    """Ask all questions of a kind; print how many of the best are found, and the times."""
    asked = FILTERED if is_filtered else ASK
    with engine.connect() as conn:
        times, answers = ask_each(conn, asked, [{"words": words} for words in questions])
    overlaps = []
    for words, found in zip(questions, answers, strict=True):
        scores = exact.score(words)
        if is_filtered:
            scores[np.arange(len(scores)) % 10 != 0] = 0
        k = min(K, int((scores > 0).sum()))
        least = np.partition(scores, -k)[-k] if k else 0.0
        overlaps.append(sum(scores[int(name[7:])] >= least - 1e-6 for name in found) / k if k else 1.0)
    print(f"  {kind:16} overlap@10 {np.mean(overlaps):.4f}  {times}", flush=True)


def ask_similar(engine: Engine, n: int) -> None:
    numbers = np.random.default_rng(2).integers(0, n, QUESTIONS)
    with engine.connect() as conn:
        times, _ = ask_each(conn, SIMILAR, [{"id": f"sample:{number:06d}"} for number in numbers])
    print(f"  {'most like one':16} {'':17}  {times}", flush=True)


def ask_each(
    conn: Connection, query: TextClause, questions: Sequence[dict[str, object]]
) -> tuple[str, list[Sequence[str]]]:
    """The times, in words, and the ids that answer each question."""
    backend = conn.scalar(text("SELECT pg_backend_pid()"))
    spent, answers = [], []
    for number, bound in enumerate([*questions[:10], *questions]):  # the first ten warm the caches
        start = time.perf_counter(), read_processor(backend)
        found = conn.execute(query, bound).scalars().all()
        if number >= 10:
            spent.append((read_processor(backend) - start[1], time.perf_counter() - start[0]))
            answers.append(found)
    (cpu, client), (cpu95, client95) = np.percentile(spent, (50, 95), axis=0) * 1000
    return f"processor p50 {cpu:6.1f}  p95 {cpu95:6.1f}  client p50 {client:6.1f}  p95 {client95:6.1f} ms", answers


def read_processor(process: int) -> float:
    """Seconds that a process has been on a processor, to the microsecond: `read_cpu` counts in ticks."""
    return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[3_000, 100_000])
    options = parser.parse_args()
    petitions = read_petitions(options.folder)
    for rows in options.rows:
        made = compose(petitions, rows)
        exact = Exact(made)
        server = start_server()
        engine = open_engine(server.get_uri(driver="psycopg"))
        upgrade(engine)
        load(engine, made)
        questions = make_questions(exact, made)
        for kind, asked in questions.items():
            ask(engine, kind, asked, exact)
        for kind in ("common", "mixed", "title"):
            ask(engine, f"{kind} in 10 %", questions[kind], exact, is_filtered=True)
        ask_similar(engine, rows)
        engine.dispose()
        server.cleanup()


if __name__ == "__main__":
    main()
