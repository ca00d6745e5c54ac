"""Airflow's REST API as its administrator asks it, of the services of tests/cluster and of tests/engine.

api = AirflowApi("http://127.0.0.1:8080", password)
api.trigger({"source": "bluehouse", "until": "2019-09-01", "months": 1}, "by_hand")
tasks = api.wait_for_run("by_hand", patience_s=900)
"""

import json
import time
from collections import Counter
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

DAG = "/api/v2/dags/petition_topics"
CALL_S = 60  # a small host that is busy answers late


class AirflowApi:
    """Calls with a token, which the first of them asks for."""

    def __init__(self, url: str, password: str) -> None:
        self.url = url
        self._password = password
        self._token = ""

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the API; gives what its JSON says."""
        return json.loads(self.read(method, path, body) or "null")

    def read(self, method: str, path: str, body: object = None) -> str:
        """Call the API, or ask for a page; gives the text of the answer."""
        if not self._token:
            login = {"username": "admin", "password": self._password}
            self._token = json.loads(self._send("POST", "/auth/token", login, {}))["access_token"]
        return self._send(method, path, body, {"Authorization": f"Bearer {self._token}"})

    def trigger(self, conf: dict[str, object], run_id: str) -> str:
        """Trigger the run before the DAG is unpaused, so that it stands before the night that Airflow adds then."""
        body = {"logical_date": None, "conf": conf, "dag_run_id": run_id}
        run = self.call("POST", f"{DAG}/dagRuns", body)
        self.call("PATCH", DAG, {"is_paused": False})
        return str(run["dag_run_id"])

    def read_tasks(self, run_id: str) -> list[dict[str, Any]]:
        """The tasks of a run."""
        tasks: list[dict[str, Any]] = self.call("GET", f"{DAG}/dagRuns/{run_id}/taskInstances?limit=500")[
            "task_instances"
        ]
        return tasks

    def read_state(self, run_id: str) -> str:
        """The state of a run."""
        return str(self.call("GET", f"{DAG}/dagRuns/{run_id}")["state"])

    def wait_for_run(self, run_id: str, patience_s: float, pause_s: float = 2) -> list[dict[str, Any]]:
        """Wait until a run has ended well; gives its tasks."""
        deadline = time.monotonic() + patience_s
        while (state := self.read_state(run_id)) in ("queued", "running"):
            assert time.monotonic() < deadline, (
                f"the run is {state} after {patience_s} s: {tell(self.read_tasks(run_id))}"
            )
            time.sleep(pause_s)
        tasks = self.read_tasks(run_id)
        assert state == "success", f"the run is {state}: {tell(tasks)}"
        return tasks

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> str:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json", **headers}, method=method)
        try:
            with urlopen(request, timeout=CALL_S) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error


def tell(tasks: list[dict[str, Any]]) -> str:
    """How many tasks are in which state, and which have failed."""
    states = Counter(task["state"] for task in tasks)
    failed = [task["task_id"] for task in tasks if task["state"] in ("failed", "upstream_failed")]
    return f"{dict(states)}, failed: {failed}"
