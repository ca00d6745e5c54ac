"""The nights of `night.py` on the services of docker-compose.yaml, started as tests/cluster starts them: Celery, Redis.

One worker of the queue `default` with two tasks at once, one of the queue `tpu` with one, no accelerator.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from night_data import NEW_DAY
from night_run import Line, Night

from stand_in import StandIn

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "cluster"))  # whose modules import each other by name

from kills import copy_dags  # noqa: E402

from cluster import Cluster, run_cluster  # noqa: E402

PATIENCE_S = 5400
NIGHTLY = 'schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL)'
DAG = "/api/v2/dags/petition_topics"


@contextmanager
def run_night_cluster(site: StandIn) -> Iterator[Cluster]:
    """A cluster over the stand-in, its DAG switched on."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        dags = copy_dags(folder, {NIGHTLY: "schedule=None"})  # its own nights would run between ours
        variables = {
            "PETITIONS_SOURCE": "bluehouse",
            "PETITIONS_BLUEHOUSE_URL": site.url,
            "PETITIONS_REQUESTS_PER_SECOND": "500",
            "PETITIONS_VOLUME_SINCE": NEW_DAY,
        }
        with run_cluster(variables, {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}) as cluster:
            cluster.call_api("PATCH", DAG, {"is_paused": False})
            yield cluster


def measure_cluster(cluster: Cluster, site: StandIn, name: str, until: str) -> Night:
    """One night through the cluster, over the stand-in, whose clock is set to it."""
    site.control("clock", today=until)
    conf = {"source": "bluehouse", "until": until, "months": 3}
    run_id = cluster.call_api("POST", f"{DAG}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]
    deadline = time.monotonic() + PATIENCE_S
    while (run := cluster.call_api("GET", f"{DAG}/dagRuns/{run_id}"))["state"] in ("queued", "running"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{run_id} is {run['state']} after {PATIENCE_S} s")
        time.sleep(1)
    tasks = cluster.call_api("GET", f"{DAG}/dagRuns/{run_id}/taskInstances?limit=500")["task_instances"]
    if run["state"] != "success":
        states = [(task["task_id"], task["map_index"], task["state"]) for task in tasks]
        raise RuntimeError(f"{run_id} is {run['state']}: {states}")
    began = run["queued_at"]
    return Night(name=name, seconds=seconds_between(began, run["end_date"]), cpu_s=0, lines=_tell_tasks(tasks, began))


def _tell_tasks(tasks: Sequence[Mapping[str, Any]], began: str) -> list[Line]:
    """A line of each task that ran, in the order in which they began."""
    ran = sorted((task for task in tasks if task["duration"]), key=lambda task: str(task["start_date"]))
    lines = []
    for name in dict.fromkeys(task["task_id"] for task in ran):
        parts = [task for task in ran if task["task_id"] == name]
        start, end = parts[0]["start_date"], max(task["end_date"] for task in parts)
        queued = sum(max(0, seconds_between(task["queued_when"], task["start_date"])) for task in parts)
        told = f"from {seconds_between(began, start):.0f} to {seconds_between(began, end):.0f} s"
        ran_s = sum(task["duration"] for task in parts)
        lines.append(Line(name=name, n=len(parts), queued_s=queued, ran_s=ran_s, told=told))
    return lines


def seconds_between(began: str, ended: str) -> float:
    """Seconds between two moments as Airflow writes them."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
