"""The whole DAG by README's commands, over real petitions from stand-ins and over the sample, and what landed."""

import itertools
import json
import os
import sqlite3
import threading
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from crawl.site_server import Page, serve
from petitions.text.normalize import normalize_text
from readme_lines import MAKE, find_lines, make_checkout, name_settings, run_line
from rows import read_versions
from stand_in import ASSEMBLY_DATA, BLUEHOUSE_DATA, read_rows, run_stand_in
from stopped_runs import CTRL_C, KEPT, end_left, run_at_terminal, wait_for, wait_for_end

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
N_PETITIONS = 120
N_LIVE = 60
UNTIL, DAY_BEFORE = "2019-09-01", "2019-08-31"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The last few hundred petitions of August 2019, answered ones and open ones among them."""
    source = BLUEHOUSE_DATA / "2019-08.jsonl"
    if not source.exists():
        pytest.skip(f"{source} is absent: the run needs real petitions")
    lines = source.read_text(encoding="utf-8").splitlines()
    few = tmp_path_factory.mktemp("data") / "few.jsonl"
    few.write_text("\n".join(lines[-N_PETITIONS:]) + "\n", encoding="utf-8")
    return few


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    return make_checkout(tmp_path_factory.mktemp("checkout"))


def test_a_run_over_real_petitions_lands_in_postgres_and_a_second_changes_no_row(
    data, checkout, engine, database_url, tmp_path
):
    records = {row["id"]: row for row in read_rows(data)}
    with run_stand_in("bluehouse", data, today=UNTIL) as site:
        settings = {
            "PETITIONS_DATABASE_URL": database_url,
            "PETITIONS_BLUEHOUSE_URL": site.url,
            "PETITIONS_ARTIFACTS": str(tmp_path / "artifacts"),
            "PETITIONS_REQUESTS_PER_SECOND": "2000",
            "PETITIONS_CONNECTIONS": "4",
        }
        line, log = find_lines("make run SOURCE=bluehouse"), checkout / ".local/run-bluehouse.log"
        done = run_line(line, checkout, **settings)
        assert done.returncode == 0, done.stdout[-4000:] + log.read_text("utf-8")[-4000:]
        check_tasks(checkout, {"encode_fallback"})
        check_petitions(engine, records)
        check_topics(engine)
        check_scores(engine)
        assert_nothing_is_logged_of_a_petition(done.stdout + done.stderr + log.read_text("utf-8"), records)

        before = read_versions(engine)
        site.control("reset")
        again = run_line(line, checkout, **settings)
        assert again.returncode == 0, again.stdout[-4000:] + log.read_text("utf-8")[-4000:]
        asked = site.control("stats")["requests"]
        check_tasks(checkout, {"ask_tpu", "encode", "encode_fallback"})
        after = read_versions(engine)

        by_hand = run_line(line.replace(UNTIL, DAY_BEFORE), checkout, **settings)
        assert by_hand.returncode == 0, by_hand.stdout[-4000:] + log.read_text("utf-8")[-4000:]
        told = run_line(find_lines("make psql"), checkout, "SELECT count(*) FROM current_petition;", **settings)
        assert told.stdout.split()[2] == str(N_PETITIONS), told.stdout + told.stderr
    check_published(engine, DAY_BEFORE)
    assert {name for name in before if before[name] != after[name]} == {"pipeline_step", "crawl_progress", "site_pace"}
    n_open = sum(row["end"] >= UNTIL for row in records.values())
    n_lists = -(-len(records) // 7) + 5
    assert asked <= n_open + n_lists, "an ended petition that is stored was asked for again"


def check_tasks(checkout: Path, skipped: set[str]) -> None:
    """The tasks of the last run: one process each where few petitions are new, and none that would load an encoder."""
    query = """SELECT task_id, map_index, state FROM task_instance
               WHERE run_id = (SELECT run_id FROM dag_run ORDER BY id DESC LIMIT 1)"""
    with closing(sqlite3.connect(checkout / ".local/airflow/airflow.db")) as db:
        rows = db.execute(query).fetchall()
    assert {task for task, _, state in rows if state == "skipped"} == skipped
    assert {state for task, _, state in rows if task not in skipped} == {"success"}
    assert len(rows) == len({task for task, *_ in rows}) == 11


def check_published(engine, until: str) -> None:
    """A run by hand is published also in the place of a later window."""
    with engine.connect() as conn:
        query = "SELECT DISTINCT m.until FROM petitions.current_topic JOIN petitions.topic_model AS m USING (model_id)"
        assert [str(day) for day in conn.execute(text(query)).scalars()] == [until]


def check_petitions(engine, records) -> None:
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT * FROM petitions.petition")).mappings().all()
    assert {row["source_id"] for row in rows} == set(records)
    for row in rows:
        record = records[row["source_id"]]
        assert (str(row["begins_on"]), str(row["ends_on"])) == (record["begin"], record["end"])
        assert row["category"] == record["category"]
        assert row["title"].split() == record["title"].split()
        written = record["content"] or f"청원의 본문입니다. {record['title']}"
        assert "".join(row["body"].split()) == "".join(normalize_text(written).text.split())
        days = (date.fromisoformat(UNTIL) - date.fromisoformat(record["begin"])).days + 1
        assert row["n_agreements"] == int(record["num_agree"] * min(1.0, days / 30))
        is_open, is_answered = record["end"] >= UNTIL, record["status"] in {"브리핑", "답변완료"}
        assert row["status"] == ("open" if is_open else "answered" if is_answered else "ended")
        assert row["is_moderated"] == ("관리자에 의해 수정되었습니다" in record["content"])
        assert "관리자에 의해 수정되었습니다" not in row["body"]


def check_topics(engine) -> None:
    with engine.connect() as conn:
        topics = conn.execute(text("SELECT * FROM petitions.current_topic ORDER BY topic_id")).mappings().all()
        shares = conn.execute(
            text("SELECT sum(share) FROM petitions.petition_topic GROUP BY petition_id")
        ).scalars().all()  # fmt: skip
        terms = conn.execute(
            text("SELECT count(*) FROM petitions.topic_term GROUP BY topic_id")
        ).scalars().all()  # fmt: skip
        model = conn.execute(text("SELECT * FROM petitions.topic_model")).mappings().one()
    assert [row["topic_id"] for row in topics] == list(range(1, 10))
    assert sum(row["share"] for row in topics) == pytest.approx(1, abs=1e-3)
    assert len(set(itertools.chain(*(row["top_terms"] for row in topics)))) > 45
    assert terms == [20] * 9
    assert len(shares) == N_PETITIONS
    assert all(share == pytest.approx(1, abs=1e-3) for share in shares)
    assert model["n_petitions"] == N_PETITIONS
    assert -1 < model["npmi"] < 1
    assert 0 < model["c_v"] < 1
    assert model["published_at"] is not None


def check_scores(engine) -> None:
    with engine.connect() as conn:
        count = conn.execute(
            text("""
            SELECT count(*) AS n, count(next_sentence) AS n_next, count(topic_similarity) AS n_similarity,
                   count(*) FILTER (WHERE cardinality(keywords) > 0) AS n_keywords, avg(next_sentence) AS next_sentence
            FROM petitions.current_petition""")
        ).mappings().one()  # fmt: skip
        encoders = conn.execute(
            text("""SELECT encoder, count(*), min(vector_norm(embedding)), max(vector_norm(embedding))
                 FROM petitions.petition_embedding GROUP BY encoder ORDER BY encoder""")
        ).all()  # fmt: skip
        checks = conn.execute(text("SELECT name, passed FROM petitions.check_result")).all()
    assert (count["n"], count["n_next"], count["n_similarity"]) == (N_PETITIONS,) * 3
    assert count["n_keywords"] >= 0.9 * N_PETITIONS
    assert count["next_sentence"] > 0.5, "the body of a petition follows its title"
    assert [name.partition("@")[0] for name, *_ in encoders] == ["elmo-small", "sentence-small"]
    for _, n, shortest, longest in encoders:
        assert n == N_PETITIONS
        assert (shortest, longest) == (pytest.approx(1, abs=1e-4), pytest.approx(1, abs=1e-4))
    assert len(checks) > 10
    assert all(passed for _, passed in checks)


def assert_nothing_is_logged_of_a_petition(log: str, records) -> None:
    for record in records.values():
        if len(record["title"]) >= 12:
            assert record["title"] not in log


@pytest.fixture
def settings(database_url, tmp_path) -> dict[str, str]:
    return {"PETITIONS_DATABASE_URL": database_url, "PETITIONS_ARTIFACTS": str(tmp_path / "artifacts")}


def read_one(engine, query: str) -> object:
    with engine.connect() as conn:
        return conn.execute(text(query)).scalar_one()


def test_make_demo_runs_the_dag_and_shows_what_it_found(checkout, settings, engine):
    done = run_line(find_lines("make demo"), checkout, MONTHS="1", **settings)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    n = read_one(engine, "SELECT count(*) FROM petitions.current_petition WHERE source = 'sample'")
    assert 100 < n < 500
    for name in read_one(engine, "SELECT array_agg(label) FROM petitions.current_topic"):
        assert name in done.stdout


def test_live_petitions_come_from_the_site_that_is_named(checkout, settings, engine, tmp_path):
    line = find_lines("make run SOURCE=assembly")
    until = date.fromisoformat(line.partition("UNTIL=")[2])
    source = ASSEMBLY_DATA / "2020-01_2024-07.jsonl"
    if not source.exists():
        pytest.skip(f"{source} is absent: the run needs real petitions")
    rows = [json.loads(row) for row in source.read_text(encoding="utf-8").splitlines()[-N_LIVE:]]
    for number, row in enumerate(rows):  # of the weeks that the line asks for
        begin = until - timedelta(days=1 + number)
        row |= {"begin": str(begin), "end": str(begin + timedelta(days=30))}
    data = tmp_path / "moved.jsonl"
    data.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")

    with run_stand_in("assembly", data, today=str(until)) as site:
        pace = {"PETITIONS_REQUESTS_PER_SECOND": "2000", "PETITIONS_CONNECTIONS": "4"}
        done = run_line(line, checkout, PETITIONS_ASSEMBLY_URL=site.url, **pace, **settings)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert read_one(engine, "SELECT count(*) FROM petitions.current_petition") == N_LIVE


def test_ctrl_c_ends_a_run_that_waits_for_its_site(checkout, settings):
    is_over = threading.Event()

    def answer(path: str, nth: int) -> Page:
        is_over.wait(120)
        return Page(status=404)

    line, log = f"{MAKE}{find_lines('make run SOURCE=assembly')}", checkout / ".local/run-assembly.log"
    with serve(answer) as site:
        environ = name_settings(checkout, PETITIONS_ASSEMBLY_URL=site.url, **settings)
        with run_at_terminal(line, checkout, environ) as (shell, terminal):
            wait_for(lambda: any(path != "/robots.txt" for path, _ in site.asked), log)
            os.write(terminal, CTRL_C)
            told, status = wait_for_end(shell, terminal)
        left = end_left(checkout)
        is_over.set()
    assert (told.count(KEPT), status == 0, left) == (1, False, []), told
    # A scheduler has nothing to go on with.
    with closing(sqlite3.connect(checkout / ".local/airflow/airflow.db")) as db:
        run_id, state = db.execute("SELECT run_id, state FROM dag_run ORDER BY id DESC LIMIT 1").fetchone()
        states = {state for (state,) in db.execute("SELECT state FROM task_instance WHERE run_id = ?", (run_id,))}
    assert (state, states) == ("failed", {"failed"})


def test_without_a_hub_the_doctor_names_the_weights_and_nothing_runs(checkout, settings):
    script = f"{find_lines('export PETITIONS_')}\n{find_lines('petitions doctor')}"

    done = run_line(
        script.replace("<commit>", "0" * 40),
        checkout,
        HF_HUB_OFFLINE="1",
        HF_HOME=str(checkout / ".local/hub"),
        PETITIONS_SOURCE="sample",
        **settings,
    )

    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert f"klue/bert-base@{'0' * 40} is no folder here, and the model hub cannot be reached" in " ".join(told.split())
    assert "Traceback" not in told
    assert "Running the DAG" not in told
