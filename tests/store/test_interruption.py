"""Killed at any statement and run again, a run leaves what an undisturbed one leaves; readers see whole fits alone."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest
from sqlalchemy import Engine, event, text

from invented import BERT, MONDAY, WINDOW, make_petitions, make_vectors, write_all, write_fit
from petitions.records import Source
from petitions.store import upsert
from petitions.store.database import open_engine
from petitions.store.petitions import read_texts, record_agreements, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.scores import Score, upsert_scores
from petitions.store.tables import metadata
from petitions.store.tokens import PetitionTokens, read_untokenized, upsert_tokens
from petitions.store.upsert import Counts
from petitions.store.vectors import read_unencoded, upsert_embeddings

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(12)
CHUNK = 4
SAMPLE = Source("sample")


def run_steps(engine: Engine) -> None:
    """Crawl, tokenize, fit, encode and publish, one transaction a chunk, as the pipeline does."""
    for start in range(0, 12, CHUNK):
        with engine.begin() as conn:
            upsert_petitions(conn, PETITIONS[start : start + CHUNK], seen_at=MONDAY)
            record_agreements(conn, PETITIONS[start : start + CHUNK], seen_on=MONDAY.date())
    tokenize(engine)
    with engine.begin() as conn:
        write_fit(conn, PETITIONS)
    vectors = dict(zip((item.petition_id for item in PETITIONS), make_vectors(12), strict=True))
    for _ in range(0, 12, CHUNK):
        with engine.begin() as conn:
            texts = read_unencoded(conn, SAMPLE, WINDOW, BERT, CHUNK)
            if texts:
                upsert_embeddings(conn, BERT, texts, np.stack([vectors[item.petition_id] for item in texts]))
    with engine.begin() as conn:
        publish(conn, "fit-1", [BERT], at=MONDAY)


def tokenize(engine: Engine) -> None:
    while True:
        with engine.begin() as conn:
            texts = read_untokenized(conn, SAMPLE, WINDOW, "mecab-1", CHUNK)
            if not texts:
                return
            upsert_tokens(
                conn,
                [
                    PetitionTokens(
                        petition_id=item.petition_id,
                        tokenizer="mecab-1",
                        content_hash=item.content_hash,
                        tokens=item.title.split(),
                    )
                    for item in texts
                ],
            )


def dump(engine: Engine) -> dict[str, list]:
    with engine.connect() as conn:
        return {
            table.name: conn.execute(text(f"SELECT t::text FROM {table.fullname} AS t ORDER BY 1")).all()
            for table in metadata.sorted_tables
        }


def empty(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text(f"TRUNCATE {', '.join(table.fullname for table in metadata.sorted_tables)}"))


def run_killed(url: str, kill_at: int, what: str) -> bool:
    """Run the steps in a child that kills itself at its n-th statement or COPY row; whether it got that far."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL)
        return status != 0
    status = 1
    try:
        done = count(1)

        def maybe_die(*_args) -> None:
            if next(done) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        engine = open_engine(url)
        if what == "row":
            upsert._refuse_wrapped = maybe_die
        else:
            event.listen(engine, "before_cursor_execute", maybe_die)
            event.listen(engine, "commit", maybe_die)
        run_steps(engine)
        status = 0
    finally:
        os._exit(status)


@pytest.mark.parametrize(("what", "step"), [("statement", 3), ("row", 5)])
def test_killed_anywhere_and_run_again_the_rows_are_those_of_an_undisturbed_run(database_url, what, step):
    engine = open_engine(database_url)
    run_steps(engine)
    undisturbed = dump(engine)
    assert len(undisturbed["petition_embedding"]) == 12
    kills = 0
    for kill_at in count(1, step):
        empty(engine)
        if not run_killed(database_url, kill_at, what):
            break
        kills += 1
        left = {name: len(rows) for name, rows in dump(engine).items()}
        for name in ("petition", "petition_agreement", "petition_tokens", "petition_embedding"):
            assert left[name] % CHUNK == 0, f"half a chunk of {name} after {what} {kill_at}"
        fit = [left[name] for name in ("topic_model", "topic", "topic_term", "petition_topic")]
        assert fit in ([0, 0, 0, 0], [1, 3, 9, 36]), f"half a fit after {what} {kill_at}"
        run_steps(engine)
        assert dump(engine) == undisturbed
    assert kills > 12
    engine.dispose()


def test_a_second_run_writes_no_row(engine):
    run_steps(engine)
    versions = {table.name: text(f"SELECT xmin::text FROM {table.fullname}") for table in metadata.sorted_tables}
    with engine.connect() as conn:
        before = {name: conn.execute(query).all() for name, query in versions.items()}
    run_steps(engine)
    with engine.connect() as conn:
        assert {name: conn.execute(query).all() for name, query in versions.items()} == before


def test_two_runs_at_once_leave_the_rows_of_one(engine):
    run_steps(engine)
    undisturbed = dump(engine)
    empty(engine)
    with ThreadPoolExecutor() as pool:
        for run in [pool.submit(run_steps, engine) for _ in range(2)]:
            run.result()
    assert dump(engine) == undisturbed


def test_a_writer_that_meets_rows_of_another_waits_and_leaves_them_alone(engine):
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    def write_more() -> Counts:
        with engine.begin() as conn:
            return upsert_petitions(conn, PETITIONS[2:8], seen_at=MONDAY)

    with engine.connect() as conn, ThreadPoolExecutor() as pool:
        assert upsert_petitions(conn, PETITIONS[:4], seen_at=MONDAY) == Counts(inserted=4)
        other = pool.submit(write_more)
        with engine.connect() as watch:
            while not watch.scalar(waits):
                assert not other.done(), "the other did not wait"
                watch.rollback()
        conn.commit()
        assert other.result() == Counts(inserted=4, unchanged=2)


SEEN_AT_ONCE = text("""
    SELECT
        (SELECT count(*) FROM petitions.current_topic) AS n_topics,
        (SELECT array_agg(DISTINCT model_id) FROM petitions.current_topic) AS topic_models,
        (SELECT array_agg(DISTINCT label LIKE '%!') FROM petitions.current_topic) AS topic_marks,
        (SELECT array_agg(DISTINCT model_id) FROM petitions.topic_trend) AS trend_models,
        (SELECT count(*) FROM petitions.current_petition) AS n_petitions,
        (SELECT array_agg(DISTINCT (model_id, topic_label LIKE '%!', topic_similarity)::text)
         FROM petitions.current_petition) AS petitions
""")
WHOLE = {
    (3, ("fit-1",), (False,), ("fit-1",), 12, ("(fit-1,f,0.5)",)),
    (3, ("fit-2",), (True,), ("fit-2",), 12, ("(fit-2,t,0.9)",)),
}


def test_readers_see_one_whole_fit_at_every_moment_of_twenty_publishes(engine):
    with engine.begin() as conn:
        write_all(conn, PETITIONS)
        publish(conn, "fit-1", [BERT], at=MONDAY)
        write_fit(conn, PETITIONS, "fit-2", mark="!")
    stop = threading.Event()
    seen: list[tuple] = []

    def read() -> None:
        while not stop.is_set():
            with engine.connect() as conn:
                row = conn.execute(SEEN_AT_ONCE).one()
            seen.append(tuple(tuple(value) if isinstance(value, list) else value for value in row))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    # The scores of the next fit are written while readers look at this one.
    with engine.begin() as conn:
        texts = read_texts(conn, SAMPLE, WINDOW)
        assert len(texts) == 12
        similarity = {"encoder": BERT, "score": "topic_similarity", "value": 0.9, "model_id": "fit-2"}
        rows = [Score(petition_id=item.petition_id, content_hash=item.content_hash, **similarity) for item in texts]
        upsert_scores(conn, rows)
    for number in range(20):
        before = len(seen)
        with engine.begin() as conn:
            publish(conn, ("fit-2", "fit-1")[number % 2], [BERT], at=MONDAY)
        while len(seen) < before + 3 and any(reader.is_alive() for reader in readers):
            stop.wait(0.002)
    stop.set()
    for reader in readers:
        reader.join()
    assert set(seen) == WHOLE
    assert len(seen) >= 60
