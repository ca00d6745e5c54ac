"""The nights of `night.py` through an Airflow of its own: its services and runs, and when tasks began and ended."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from night_run import Line, Night

from stand_in import StandIn

BIN = Path(sys.executable).parent
PATIENCE_S = 5400
TASKS = """
SELECT task_id, count(*), sum(state = 'success'), min(queued_dttm), min(start_date), max(end_date), sum(duration),
       sum(max(0, (julianday(start_date) - julianday(queued_dttm)) * 86400))
FROM task_instance WHERE run_id = ? AND start_date IS NOT NULL GROUP BY task_id ORDER BY min(start_date)
"""


def measure_airflow(environ: dict[str, str], site: StandIn, name: str, until: str) -> Night:
    """One night through the Airflow of `run_airflow`, over the stand-in, whose clock is set to it."""
    site.control("clock", today=until)
    with _open_metadata(environ) as db:
        run_id = f"night_{db.execute('SELECT count(*) FROM dag_run').fetchone()[0]}"
    conf = json.dumps({"source": "bluehouse", "until": until, "months": 3})
    _airflow(environ, "dags", "trigger", "petition_topics", "--run-id", run_id, "--conf", conf)
    began, ended = wait_for(environ, run_id)
    with _open_metadata(environ) as db:
        rows = db.execute(TASKS, (run_id,)).fetchall()
    lines = [
        Line(name=task, n=n, queued_s=queued or 0, ran_s=ran or 0,
             told=f"from {_seconds(began, start):.0f} to {_seconds(began, end):.0f} s")
        for task, n, _, _, start, end, ran, queued in rows
    ]  # fmt: skip
    return Night(name=name, seconds=_seconds(began, ended), cpu_s=0, lines=lines)


@contextmanager
def run_airflow(environ: dict[str, str]) -> Iterator[None]:
    """The services of an Airflow, ended with the block."""
    home = Path(environ["AIRFLOW_HOME"])
    home.mkdir()
    _airflow(environ, "db", "migrate")
    for pool, n in (("petition_sites", "1"), ("tpu", "1"), ("tpu_fallback", "2")):
        _airflow(environ, "pools", "set", pool, n, "of the measurement")
    started = []
    try:
        for service in ("api-server", "dag-processor", "scheduler"):
            with (home / f"{service}.log").open("wb") as log:
                command = [BIN / "airflow", service]
                started.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True))
        deadline = time.monotonic() + 300
        while subprocess.run(
            [BIN / "airflow", "dags", "unpause", "petition_topics"], env=environ, capture_output=True
        ).returncode or not _count_dags(environ):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the DAG is not there after 300 s, see {home}")
            time.sleep(3)
        yield
    finally:
        for process in reversed(started):
            os.killpg(process.pid, 15)
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)


def wait_for(environ: dict[str, str], run_id: str) -> tuple[str, str]:
    """Wait for a run to end well; gives when it was queued and when it ended."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with _open_metadata(environ) as db:
            asked = "SELECT state, queued_at, end_date FROM dag_run WHERE run_id = ?"
            state, queued, ended = db.execute(asked, (run_id,)).fetchone()
        if state == "success":
            return queued, ended
        if state == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"{run_id} is {state}: logs in {environ['AIRFLOW_HOME']}")
        time.sleep(1)


def _airflow(environ: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([BIN / "airflow", *arguments], env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"airflow {' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-2000:]}")


@contextmanager
def _open_metadata(environ: dict[str, str]) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(Path(environ["AIRFLOW_HOME"]) / "airflow.db", timeout=30)
    try:
        yield db
    finally:
        db.close()


def _count_dags(environ: dict[str, str]) -> int:
    with _open_metadata(environ) as db:
        found: int = db.execute(
            "SELECT count(*) FROM dag WHERE dag_id = 'petition_topics' AND NOT is_paused"
        ).fetchone()[0]
    return found


def _seconds(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
