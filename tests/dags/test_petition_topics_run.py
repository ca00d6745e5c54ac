"""The DAG as Airflow runs it, with steps that only tell what they were asked: what is skipped, and when."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RUN = """
import json, sys

import petition_tasks
from petitions.errors import PermanentError

asked = []

class Steps:
    '''A pipeline of no database: it has so many parts to do, and some of them fail on the queue tpu.'''

    def __init__(self, n_parts=0, is_failing=False):
        self.n_parts, self.is_failing = n_parts, is_failing

    def plan_encode(self):
        return self.n_parts

    def encode_texts(self, part):
        from airflow.sdk import get_current_context
        task = get_current_context()["ti"].task_id
        asked.append(f"{task} {part}")
        if self.is_failing and task == "encode" and part.number == 1:
            raise PermanentError("as it was told to")
        return 1

    def refuse_failed(self, part):
        asked.append(f"refuse_failed {part}")

    def fit_topics(self):
        return "fit-1"

    def publish(self, model_id, *, is_by_hand):
        asked.append(f"publish {model_id} by hand: {is_by_hand}")
        return True

    def __getattr__(self, step):
        def tell(*arguments):
            asked.append(" ".join([step, *map(str, arguments)]))
            return 0
        return tell

def run(**steps):
    asked.clear()
    petition_tasks._open = lambda: Steps(**steps)
    ran = DAG.test(run_conf={"until": "2026-07-01"})
    tasks = [(task.task_id, str(task.state)) for task in ran.get_task_instances()]
    return {"state": str(ran.state), "tasks": tasks, "asked": list(asked)}

import petition_topics
DAG = petition_topics.petition_topics()

if __name__ == "__main__":
    found = {"quiet": run(), "busy": run(n_parts=2), "failing": run(n_parts=2, is_failing=True)}
    print("@@" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    home = tmp_path_factory.mktemp("airflow")
    (home / "run.py").write_text(RUN, encoding="utf-8")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PYTHONPATH": f"{ROOT / 'include'}:{ROOT / 'plugins'}:{ROOT / 'dags'}",
    }
    airflow = str(Path(sys.executable).parent / "airflow")
    subprocess.run([airflow, "db", "migrate"], env=environ, capture_output=True, check=True, timeout=900)
    for pool in ("petition_sites", "tpu", "tpu_fallback"):
        subprocess.run(
            [airflow, "pools", "set", pool, "1", "-"], env=environ, capture_output=True, check=True, timeout=900
        )
    done = subprocess.run(
        [sys.executable, str(home / "run.py")], env=environ, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told: dict = json.loads(done.stdout.rsplit("@@", 1)[1].splitlines()[0])
    return told


def skipped(run: dict) -> set[str]:
    return {task for task, state in run["tasks"] if state == "skipped"}


def test_a_quiet_night_runs_no_task_that_would_load_an_encoder(found):
    quiet = found["quiet"]
    assert quiet["state"] == "success"
    assert skipped(quiet) == {"ask_tpu", "encode", "encode_fallback"}
    assert {state for task, state in quiet["tasks"] if task not in skipped(quiet)} == {"success"}
    assert len(quiet["tasks"]) == 11
    assert quiet["asked"][-3:] == ["score fit-1", "check fit-1", "publish fit-1 by hand: True"]


def test_each_part_is_one_task_and_the_fallback_is_skipped(found):
    busy = found["busy"]
    assert busy["state"] == "success"
    assert sorted(call for call in busy["asked"] if "encode" in call) == ["encode 1/2", "encode 2/2"]
    assert skipped(busy) == {"encode_fallback"}
    assert busy["asked"][-1] == "publish fit-1 by hand: True"


def test_a_part_that_ends_badly_on_the_queue_tpu_is_done_by_the_fallback(found):
    failing = found["failing"]
    assert ["encode", "failed"] in failing["tasks"]
    done = {call for call in failing["asked"] if "fallback" in call}
    assert done == {"encode_fallback 1/2", "encode_fallback 2/2"}
    assert "refuse_failed 2/2" in failing["asked"]
    assert failing["asked"][-1] == "publish fit-1 by hand: True"
