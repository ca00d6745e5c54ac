"""Publishing as readers see it: never a mixture of two fits or nothing, and the latest window stays."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from invented import (
    BERT,
    ELMO,
    MONDAY,
    RUN,
    WINDOW,
    make_model,
    make_petitions,
    make_shares,
    make_topics,
    write_all,
    write_checks,
    write_fit,
)
from petitions.errors import CheckFailedError
from petitions.records import Source, Window
from petitions.store.publishing import publish, publish_checked
from petitions.store.runs import StepResult, begin_run, record_step
from petitions.store.topic_reads import read_published
from petitions.store.topics import write_topic_model

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PETITIONS = make_petitions(12)
STEPS = ("encode bert", "encode elmo")
# One statement sees one moment: what each view shows, and of which fit.
SEEN = text("""
    SELECT (SELECT array_agg(DISTINCT model_id) FROM petitions.current_topic),
        (SELECT array_agg(DISTINCT label) FROM petitions.current_topic),
        (SELECT array_agg(DISTINCT t.label) FROM petitions.topic_trend AS t
            JOIN petitions.current_topic USING (topic_id)),
        (SELECT count(*) FROM petitions.current_petition), (SELECT count(*) FROM petitions.topic_trend)
""")


def write_two_fits(engine) -> None:
    """Two fits of the same petitions, whose topics have other labels."""
    with engine.begin() as conn:
        write_all(conn, PETITIONS, "fit-1")
        write_all(conn, PETITIONS, "fit-2", mark="!")
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)


def test_a_reader_during_fifty_publishes_sees_one_whole_fit_each_time(engine):
    write_two_fits(engine)
    with engine.connect() as conn:
        whole = {tuple(map(str, conn.execute(SEEN).one()))}
    with engine.begin() as conn:
        publish(conn, "fit-2", [BERT, ELMO], at=MONDAY + timedelta(hours=1))
    with engine.connect() as conn:
        whole.add(tuple(map(str, conn.execute(SEEN).one())))
    assert len(whole) == 2
    seen, moved, is_done = set(), [], threading.Event()

    def read_on() -> None:
        with (
            engine.connect() as at_once,
            engine.connect().execution_options(isolation_level="REPEATABLE READ") as in_a_transaction,
        ):
            while not is_done.is_set():
                with at_once.begin():
                    seen.add(tuple(map(str, at_once.execute(SEEN).one())))
                with in_a_transaction.begin():
                    both = [tuple(map(str, in_a_transaction.execute(SEEN).one())) for _ in range(2)]
                    seen.update(both)
                    moved.append(both[0] != both[1])

    reader = threading.Thread(target=read_on)
    reader.start()
    for turn in range(50):
        with engine.begin() as conn:
            publish(conn, f"fit-{turn % 2 + 1}", [BERT, ELMO], at=MONDAY + timedelta(hours=2 + turn))
    is_done.set()
    reader.join()
    assert seen <= whole
    assert moved and not any(moved)


def do_steps(conn, run_id: str, *names: str) -> None:
    """Both encoders of a run have done their step."""
    for step, name in zip(STEPS, names, strict=True):
        record_step(conn, run_id, step, StepResult(rows_in=0, rows_out=0, seconds=0, made_by=name), at=MONDAY)


def write_checked(conn, window: Window, model_id: str) -> None:
    """A fit of a window that has passed its checks."""
    run_id = begin_run(conn, Source("sample"), window)
    do_steps(conn, run_id, BERT, ELMO)
    model = replace(make_model(model_id), run_id=run_id, window=window)
    ids = [item.petition_id for item in PETITIONS]
    write_topic_model(conn, model, make_topics(), [], ids, make_shares(len(ids)))
    write_checks(conn, model_id, (BERT, ELMO))


def test_a_backfill_in_any_order_leaves_readers_the_latest_window(conn):
    write_all(conn, PETITIONS)
    nights = [Window(since=WINDOW.since, until=WINDOW.until - timedelta(days=days)) for days in (3, 1, 4, 2)]
    shown = []
    for place, window in enumerate(nights):
        write_checked(conn, window, f"night-{place}")
        publish_checked(conn, f"night-{place}", STEPS, at=MONDAY + timedelta(hours=place), is_by_hand=False)
        shown.append(read_published(conn, Source("sample")).model_id)
    assert shown == ["night-0", "night-1", "night-1", "night-1"]
    publish_checked(conn, "night-2", STEPS, at=MONDAY + timedelta(days=1))
    assert read_published(conn, Source("sample")).model_id == "night-2", "an operator may go back"


@pytest.fixture
def checked(conn):
    """A fit that has passed its checks, and another one of the same run."""
    write_all(conn, PETITIONS, "fit-1")
    do_steps(conn, RUN, BERT, ELMO)
    write_checks(conn, "fit-1", (BERT, ELMO))
    write_fit(conn, PETITIONS, "fit-2")
    return conn


def test_a_fit_is_not_published_on_the_checks_of_another_one_of_its_run(checked):
    with pytest.raises(CheckFailedError, match="fit-2 is unchecked"):
        publish_checked(checked, "fit-2", STEPS, at=MONDAY)
    assert publish_checked(checked, "fit-1", STEPS, at=MONDAY)


def test_a_later_fit_that_failed_its_checks_does_not_bar_the_way_back(checked):
    write_checks(checked, "fit-2", (BERT, ELMO), failed="topic_diversity")
    with pytest.raises(CheckFailedError, match="fit-2 has not passed its checks: topic_diversity is 1, must be"):
        publish_checked(checked, "fit-2", STEPS, at=MONDAY)
    assert publish_checked(checked, "fit-1", STEPS, at=MONDAY)


def test_a_fit_without_one_of_its_checks_is_not_published(checked):
    checked.execute(text("DELETE FROM petitions.check_result WHERE name = 'tokens_missing'"))
    with pytest.raises(CheckFailedError, match="tokens_missing has not been checked"):
        publish_checked(checked, "fit-1", STEPS, at=MONDAY)


def test_a_fit_is_shown_with_the_encoders_that_it_was_checked_with_or_not_at_all(checked):
    do_steps(checked, RUN, "other@000000000000", ELMO)
    with pytest.raises(CheckFailedError, match="embeddings_missing other@000000000000 has not been checked"):
        publish_checked(checked, "fit-1", STEPS, at=MONDAY)
    publish(checked, "fit-1", [BERT, ELMO], at=MONDAY)
    publish(checked, "fit-2", [BERT, ELMO], at=MONDAY)
    assert publish_checked(checked, "fit-1", STEPS, at=MONDAY), "as readers saw it before"
    assert read_published(checked, Source("sample")).encoders == (BERT, ELMO)
