"""The DAG over the stand-in, on the services of docker-compose.yaml: which worker ran what, and what landed."""

import json
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from cluster import QUICK, Cluster, run_cluster
from stand_in import BLUEHOUSE_DATA, read_rows, run_stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(1200)]
N_PETITIONS = 400  # more than the tokenizer takes in one process
UNTIL = "2019-09-01"
PATIENCE_S = 900
COUNTS = """
SELECT (SELECT count(*) FROM petitions.petition) AS petitions,
       (SELECT count(*) FROM petitions.petition_embedding) AS embeddings,
       (SELECT count(*) FROM petitions.current_petition) AS published,
       (SELECT count(*) FROM petitions.current_petition WHERE next_sentence IS NULL OR topic_similarity IS NULL)
           AS unscored,
       (SELECT count(*) FROM petitions.current_topic) AS topics,
       (SELECT count(*) FROM petitions.topic_model WHERE published_at IS NOT NULL) AS fits,
       (SELECT count(*) FROM petitions.check_result WHERE NOT passed) AS failed_checks
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    source = BLUEHOUSE_DATA / "2019-08.jsonl"
    if not source.exists():
        pytest.skip(f"{source} is absent: the run needs real petitions")
    few = tmp_path_factory.mktemp("data") / "few.jsonl"
    few.write_text("\n".join(source.read_text(encoding="utf-8").splitlines()[-N_PETITIONS:]) + "\n", encoding="utf-8")
    return few


def trigger(cluster: Cluster) -> str:
    """Trigger the run before the DAG is unpaused, so that it stands before the night that Airflow adds then."""
    conf = {"source": "bluehouse", "until": UNTIL, "months": 1}
    body = {"logical_date": None, "conf": conf, "dag_run_id": "by_hand"}
    run = cluster.call_api("POST", "/api/v2/dags/petition_topics/dagRuns", body)
    cluster.call_api("PATCH", "/api/v2/dags/petition_topics", {"is_paused": False})
    return str(run["dag_run_id"])


def wait_for_run(cluster: Cluster, run_id: str) -> list[dict]:
    path = f"/api/v2/dags/petition_topics/dagRuns/{run_id}"
    deadline = time.monotonic() + PATIENCE_S
    while (state := cluster.call_api("GET", path)["state"]) in ("queued", "running"):
        assert time.monotonic() < deadline, f"the run is {state} after {PATIENCE_S} s"
        time.sleep(2)
    tasks = cluster.call_api("GET", f"{path}/taskInstances?limit=500")["task_instances"]
    assert state == "success", [(task["task_id"], task["map_index"], task["state"]) for task in tasks]
    return tasks


def test_the_encoders_run_on_the_worker_of_queue_tpu_alone_and_all_lands_in_postgres(data):
    with run_stand_in("bluehouse", data, today=UNTIL) as site:
        variables = {
            "PETITIONS_SOURCE": "bluehouse",
            "PETITIONS_BLUEHOUSE_URL": site.url,
            "PETITIONS_REQUESTS_PER_SECOND": "2000",
            "PETITIONS_CONNECTIONS": "4",
        }
        with run_cluster(variables, QUICK) as cluster:
            tasks = wait_for_run(cluster, trigger(cluster))
            check_workers(cluster, tasks)
            check_rows(cluster, len(read_rows(data)))
            check_connections(cluster)
            processes = [process for name in cluster.services for process in cluster.processes(name)]
    assert not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not cluster.folder.exists()


def check_workers(cluster: Cluster, tasks: list[dict]) -> None:
    ran = [task for task in tasks if task["state"] == "success"]
    on_tpu = [task for task in ran if task["queue"] == "tpu"]
    assert {task["task_id"] for task in on_tpu} == {"ask_tpu", "encode"}
    assert {task["hostname"] for task in on_tpu} == {"tpu-worker"}
    assert {task["hostname"] for task in ran if task["queue"] != "tpu"} == {"worker"}
    for name, is_tpu in (("tpu-worker", True), ("worker", False)):
        log = cluster.log(name)
        for task in ran:
            assert (task["id"] in log) == ((task["queue"] == "tpu") == is_tpu), (name, task["task_id"])


def check_connections(cluster: Cluster) -> None:
    """What the operator wrote into connections.json is Airflow's after an init, and again after a changed one."""
    path = cluster.folder / "secrets" / "connections.json"
    for host in ("mail.example.org", "post.example.org"):
        path.write_text(json.dumps({"smtp_default": {"conn_type": "smtp", "host": host}}), encoding="utf-8")
        cluster.start("airflow-init")
        cluster.wait_finished("airflow-init")
        assert cluster.call_api("GET", "/api/v2/connections/smtp_default")["host"] == host


def check_rows(cluster: Cluster, n_petitions: int) -> None:
    engine = create_engine(cluster.database_url("petition_owner", "petitions"))
    with engine.connect() as conn:
        found = dict(conn.execute(text(COUNTS)).mappings().one())
    engine.dispose()
    assert found == {
        "petitions": n_petitions, "embeddings": 2 * n_petitions, "published": n_petitions, "unscored": 0,
        "topics": 9, "fits": 1, "failed_checks": 0,
    }  # fmt: skip
