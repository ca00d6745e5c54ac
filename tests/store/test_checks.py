"""The checks find what they are for, and Airflow's operator stores the rows that the package stores."""

import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, RUN, WINDOW, make_petitions, write_all
from petitions.records import Source
from petitions.store.checks import plan_checks
from petitions.store.parts import Part
from petitions.store.petitions import read_texts, read_unseen
from petitions.store.publishing import publish
from petitions.store.runs import (
    StepResult,
    begin_run,
    fail_step,
    read_checks,
    read_failure,
    read_made_by,
    record_step,
    write_checks,
)
from petitions.store.tables import petition_tokens
from rows import run_checks

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PETITIONS = make_petitions(12)
SCORES = {BERT: ("next_sentence",), ELMO: ()}
TOKENS = text("""
    INSERT INTO petitions.petition_tokens (petition_id, tokenizer, tokens, content_hash)
    SELECT p.petition_id, m.tokenizer, '{}', p.content_hash FROM petitions.petition AS p
    CROSS JOIN petitions.topic_model AS m
    ON CONFLICT (petition_id, tokenizer) DO UPDATE SET content_hash = excluded.content_hash
""")
PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture
def written(conn):
    write_all(conn, PETITIONS)
    conn.execute(TOKENS)
    return conn


def find_failed(conn) -> set[str]:
    return {item.name for item in run_checks(conn, Source("sample"), WINDOW, "fit-1", SCORES) if not item.passed}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("UPDATE petitions.petition SET body = ' '", "share_of_empty_bodies"),
        ("UPDATE petitions.petition SET category = '' WHERE source_id LIKE '%1'", "petitions_with_empty_fields"),
        ("UPDATE petitions.petition SET ends_on = begins_on + 400", "petitions_out_of_range"),
        (
            "UPDATE petitions.petition SET status = 'open', first_seen_at = first_seen_at - interval '3 days',"
            " changed_at = changed_at - interval '3 days', last_seen_at = last_seen_at - interval '3 days'",
            "days_since_open_petitions_were_seen",
        ),
        ("UPDATE petitions.petition_tokens SET content_hash = 'gone'", "tokens_missing"),
        ("UPDATE petitions.topic SET share = share / 2", "topic_total_error"),
        ("UPDATE petitions.petition_keyword SET content_hash = 'gone'", f"keywords_of_older_texts {BERT}"),
    ],
)
def test_a_fault_fails_its_check_and_no_other(written, change, name):
    before = find_failed(written)
    assert name not in before
    written.execute(text(change))
    assert name in find_failed(written)


def test_a_window_with_half_of_its_petitions_gone_is_not_published(written):
    publish(written, "fit-1", [BERT], at=MONDAY)
    assert "volume_against_published" not in find_failed(written)
    written.execute(text("UPDATE petitions.petition SET status = 'hidden' WHERE right(source_id, 3)::int % 3 > 0"))
    assert "volume_against_published" in find_failed(written)


def test_airflow_and_the_package_store_the_same_rows(engine, database_url, monkeypatch):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setattr(sys, "path", [*sys.path, str(PLUGINS)])
    from airflow.sdk.exceptions import AirflowFailException
    from petition_operators import PetitionCheckOperator

    with engine.begin() as conn:
        write_all(conn, PETITIONS)
        begin_run(conn, Source("sample"), WINDOW, at=MONDAY)
        planned = plan_checks(conn, Source("sample"), WINDOW, "fit-1", SCORES)
        run_id = begin_run(conn, Source("sample"), WINDOW, at=MONDAY)
        by_package = run_checks(conn, Source("sample"), WINDOW, "fit-1", SCORES)
        write_checks(conn, run_id, by_package, at=MONDAY)
        stored = read_checks(conn, run_id)
        conn.execute(text("DELETE FROM petitions.check_result"))
    failed = set()
    for item in planned:
        least, most = item.rule.at_least, item.rule.at_most
        task = PetitionCheckOperator(
            task_id="check", check=item.name, petition_run=run_id, values=json.loads(json.dumps(dict(item.values))),
            sql=item.rule.sql, min_threshold="-inf" if least is None else str(least),
            max_threshold="inf" if most is None else str(most),
        )  # fmt: skip
        try:
            task.execute({})
        except AirflowFailException:
            failed.add(item.name)
    with engine.connect() as conn:
        assert repr(read_checks(conn, run_id)) == repr(stored)  # NaN is not equal to itself
    assert failed == {item.name for item in stored if not item.passed}


def test_each_petition_is_in_one_part_and_an_own_failure_is_remembered(written):
    parts = [Part(number=number, n_parts=8) for number in range(8)]
    version = {"tokenizer": "of another kind"}
    read = [
        {
            item.petition_id
            for item in read_unseen(written, Source("sample"), WINDOW, petition_tokens, version, 99, part)
        }
        for part in parts
    ]
    assert sum(map(len, read)) == len(set().union(*read)) == len(read_texts(written, Source("sample"), WINDOW))
    for part in parts[:2]:
        record_step(written, RUN, "encode bert", StepResult(rows_in=3, rows_out=2, seconds=1, made_by=BERT), part)
    record_step(written, RUN, "encode bert", StepResult(rows_in=0, rows_out=0, seconds=1, made_by=BERT), parts[1])
    fail_step(written, RUN, "encode bert", "WeightsError: damaged", parts[2], at=MONDAY)
    step = written.scalar(text("SELECT steps -> 'encode bert' FROM petitions.pipeline_run"))
    assert (step["rows_in"], step["rows_out"], step["seconds"]) == (3, 2, 2)
    assert read_made_by(written, RUN)["encode bert"] == BERT
    assert read_failure(written, RUN, "encode bert", parts[2]) == "WeightsError"
    record_step(written, RUN, "encode bert", StepResult(rows_in=1, rows_out=1, seconds=1, made_by=BERT), parts[2])
    assert read_failure(written, RUN, "encode bert", parts[2]) is None
