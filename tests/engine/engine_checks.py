"""What only containers show of an installation: who ran what, who reaches whom, what a process may do, what is kept."""

import socket
from collections.abc import Collection
from typing import Any

from installation import Installation

COUNTS = """
SELECT (SELECT count(*) FROM petitions.petition),
       (SELECT count(*) FROM petitions.petition_embedding),
       (SELECT count(*) FROM petitions.current_petition),
       (SELECT count(*) FROM petitions.current_petition WHERE next_sentence IS NULL OR topic_similarity IS NULL),
       (SELECT count(*) FROM petitions.current_topic),
       (SELECT count(*) FROM petitions.check_result WHERE NOT passed)
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'petitions'::regnamespace AND relkind = 'r' ORDER BY 1"
LABELS = "SELECT string_agg(topic_id || label, ', ' ORDER BY topic_id) FROM petitions.current_topic"
REACH = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
SHOW_RIGHTS = """
id -u
awk '/^CapEff|^NoNewPrivs/ {print $2}' /proc/1/status
for place in /etc /opt /usr; do touch $place/written 2>/dev/null && echo "writes $place" || true; done
"""
STORES = {"postgres": 5432, "redis": 6379}


def check_rows(installation: Installation, n_petitions: int) -> str:
    """Each petition is stored, has both vectors, is published and scored; the page shows a topic."""
    found = installation.sql(COUNTS)
    n = n_petitions
    assert found.startswith(f"{n}|{2 * n}|") and found.endswith("|9|0"), found
    assert found.split("|")[3] == "0", f"{found}: some are published without a score"
    label = installation.sql("SELECT label FROM petitions.current_topic ORDER BY topic_id LIMIT 1")
    page = installation.api().read("GET", "/topic-browser/")
    assert label in page, f"the topic browser does not show {label}"
    return f"petitions, vectors, published, unscored, topics, failed checks: {found}"


def read_kept(installation: Installation) -> list[str]:
    """What a restore or a restart must bring back: the rows of each table, and the published topics."""
    tables = installation.sql(TABLES).split()
    counted = [f"SELECT '{table} ' || count(*) FROM petitions.{table}" for table in tables]
    return [*installation.sql(" UNION ALL ".join(counted)).split("\n"), installation.sql(LABELS)]


def check_queues(installation: Installation, tasks: list[dict[str, Any]]) -> str:
    """The encoders ran on the containers of the queue `tpu`, all else on the worker."""
    names = {
        name: {each["Config"]["Hostname"] for each in installation.containers() if service_of(each) == name}
        for name in ("worker", "tpu-worker")
    }
    ran = [task for task in tasks if task["state"] == "success"]
    on_tpu = {task["hostname"] for task in ran if task["queue"] == "tpu"}
    assert {task["task_id"] for task in ran if task["queue"] == "tpu"} == {"ask_tpu", "encode"}
    assert on_tpu <= names["tpu-worker"], (on_tpu, names)
    assert {task["hostname"] for task in ran if task["queue"] != "tpu"} == names["worker"], names
    parts = sum(task["task_id"] == "encode" for task in ran)
    return f"{len(ran)} tasks, encode in {parts} parts on {len(on_tpu)} container(s) of the queue tpu"


def check_log(installation: Installation, run_id: str) -> None:
    """The page shows the log of a task that another container ran."""
    path = f"/api/v2/dags/petition_topics/dagRuns/{run_id}/taskInstances/crawl/logs/1"
    assert "petitions" in installation.api().read("GET", path)


def check_closed(installation: Installation) -> str:
    """Only the page is reached, by 127.0.0.1; Postgres and Redis by no container outside of their network."""
    containers = installation.containers()
    opened = {
        (service_of(each), port, door["HostIp"], int(door["HostPort"]))
        for each in containers
        for port, doors in each["NetworkSettings"]["Ports"].items()
        for door in doors or []
    }
    assert opened == {("airflow-apiserver", "8080/tcp", "127.0.0.1", installation.port)}, opened
    assert is_reached("127.0.0.1", installation.port)
    own = [place for place in installation.shell("hostname -I").split() if ":" not in place]
    assert not [place for place in own if is_reached(place, installation.port)], own
    for each in containers:
        if (name := service_of(each)) in STORES:
            (network,) = each["NetworkSettings"]["Networks"].values()
            door = (network["IPAddress"], str(STORES[name]))
            installation.inside("worker", "python", "-c", REACH, *door)
            try:
                installation.inside("site", "python", "-c", REACH, *door)
            except RuntimeError:
                continue
            raise AssertionError(f"{name} is reached by a container of the network default")
    return f"open: 127.0.0.1:{installation.port}, closed at {' '.join(own)}; no way to Postgres and Redis from outside"


def check_rights(installation: Installation, without: Collection[str] = ("site", "airflow-init")) -> str:
    """No container has a capability, another user's rights, or a root that can be written."""
    services = [each for each in installation.containers() if service_of(each) not in without]
    for each in services:
        name, host = service_of(each), each["HostConfig"]
        assert host["ReadonlyRootfs"] and not host["Privileged"] and host["CapDrop"] == ["ALL"], name
        assert each["State"]["Health"]["Status"] == "healthy", name
        user, effective, no_more, *written = installation.inside(name, "sh", "-c", SHOW_RIGHTS).split()
        assert user != "0" and int(effective, 16) == 0 and no_more == "1" and not written, (
            name,
            user,
            effective,
            written,
        )
    return f"{len(services)} containers: read-only, no capability, no root, healthy"


def restart_count(installation: Installation, service: str) -> int:
    """How often the engine has started containers of a service again."""
    return sum(each["RestartCount"] for each in installation.containers() if service_of(each) == service)


def service_of(container: dict[str, Any]) -> str:
    """Of which service a container is."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def is_reached(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), 3).close()
    except OSError:
        return False
    return True
