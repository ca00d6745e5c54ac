"""A real DAG run with metrics and lineage on: what a collector gets, and what the dashboard asks for."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))
pytestmark = pytest.mark.slow

RUN = """
import sys

import pendulum
from airflow.sdk import dag, task
from petition_telemetry import name_tables, send_figures

@dag(schedule=None, start_date=pendulum.datetime(2026, 1, 1))
def petition_night():
    @task(inlets=name_tables("petition"), outlets=name_tables("petition_tokens"))
    def tokenize():
        send_figures("tokenize", rows_in=12, rows_out=11, seconds=1.5)

    tokenize()

night = petition_night()
if __name__ == "__main__":
    if sys.argv[1] == "scheduler":  # it tells how long a run took, and begins like this
        from airflow._shared.observability.metrics import stats
        from airflow.observability.metrics import stats_utils

        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    night.test()
"""


class Collector(BaseHTTPRequestHandler):
    """Takes OTLP over HTTP, as an OpenTelemetry collector or Prometheus does."""

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        tags = {item.key: item.value.string_value for item in point.attributes}
                        value = getattr(point, "as_double", 0.0) or getattr(point, "as_int", 0)
                        self.server.seen.append((metric.name, metric.unit, metric.WhichOneof("data"), tags, value))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> tuple[list, list[dict]]:
    """Points of metrics (name, unit, kind, tags, value), and OpenLineage events, of one run."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "petition_night.py").write_text(RUN, encoding="utf-8")
    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    collector.seen = []
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__METRICS__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "airflow",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "petitions",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": str(home / "lineage.json"), "append": True}
        ),
        "PETITIONS_DATABASE_URL": "postgresql+psycopg://writer:hidden@db.example.org:6543/petitions",
        "PYTHONPATH": str(ROOT / "include"),
    }
    airflow = str(Path(sys.executable).parent / "airflow")
    subprocess.run([airflow, "db", "migrate"], env=environ, capture_output=True, check=True, timeout=300)
    for process in ("task", "scheduler"):  # one OpenTelemetry a process, as in production
        run = [sys.executable, str(home / "petition_night.py"), process]
        done = subprocess.run(run, env=environ, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    collector.shutdown()
    collector.server_close()
    lines = (home / "lineage.json").read_text(encoding="utf-8").splitlines()
    return collector.seen, [json.loads(line) for line in lines]


def name_in_prometheus(name: str, unit: str, kind: str) -> str:
    """As Prometheus' OTLP receiver translates it."""
    name = name.replace(".", "_") + {"ms": "_milliseconds"}.get(unit, "")
    return f"{name}_total" if kind == "sum" else name


def test_a_task_sends_rows_and_seconds_of_its_step(told):
    points = {name: (kind, tags, value) for name, _, kind, tags, value in told[0] if ".petitions." in name}
    tags = {"dag_id": "petition_night", "step": "tokenize", "part": "all"}
    assert points == {
        "airflow.petitions.rows_in": ("gauge", tags, 12),
        "airflow.petitions.rows_out": ("gauge", tags, 11),
        "airflow.petitions.seconds": ("gauge", tags, 1.5),
    }


def test_lineage_names_the_tables_without_the_password(told):
    event = next(event for event in told[1] if event["eventType"] == "COMPLETE" and event["job"]["name"].count("."))
    place = "postgres://db.example.org:6543"
    assert [(item["namespace"], item["name"]) for item in event["inputs"]] == [(place, "petitions.petitions.petition")]
    assert [item["name"] for item in event["outputs"]] == ["petitions.petitions.petition_tokens"]
    assert "hidden" not in json.dumps(told[1])


def test_the_dashboard_asks_for_metrics_that_airflow_sends(told):
    import airflow._shared.observability.metrics as metrics

    listed = yaml.safe_load((Path(metrics.__file__).parent / "metrics_template.yaml").read_text(encoding="utf-8"))
    registered = {
        name_in_prometheus(
            f"airflow.{item['name']}",
            "ms" if item["type"] == "timer" else "",
            "sum" if item["type"] == "counter" else item["type"],
        )
        for item in listed["metrics"]
    }
    sent = {name_in_prometheus(name, unit, kind) for name, unit, kind, _, _ in told[0]}
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"] if "expr" in target]
    asked = {name for text in expressions for name in re.findall(r"\bairflow_\w+", text)}
    assert asked - sent - registered == set()
    assert {"airflow_dagrun_duration_success_milliseconds", "airflow_petitions_rows_out"} <= asked & sent


@pytest.mark.postgres
def test_a_reader_may_ask_what_the_dashboard_asks_of_the_database(conn):
    from sqlalchemy import text

    questions = [target["rawSql"] for panel in DASHBOARD["panels"] for target in panel["targets"] if "rawSql" in target]
    assert len(questions) == 2
    conn.execute(text("SET LOCAL ROLE petition_reader"))
    for question in questions:
        assert conn.execute(text(question)).all() == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://user:hid/den@db:6543/results?sslmode=require", "postgres://db:6543/results"),
        ("postgresql+psycopg://user:hid:den@db/results", "postgres://db:5432/results"),
        ("postgresql://db:6543/results?application_name=a%40b", "postgres://db:6543/results"),
        ("postgresql://user:hidden@[::1]:6543/results", "postgres://::1:6543/results"),
        ("postgresql://user:hidden@/results?host=/run/postgresql", "postgres://localhost:5432/results"),
        ("postgresql://user:hi@dden:6/5@db/results", "postgres://localhost:5432/postgres"),
        ("postgresql://user:hidden@db:notaport/results", "postgres://localhost:5432/postgres"),
        ("user:hidden@db", "postgres://localhost:5432/postgres"),
        ("", "postgres://localhost:5432/postgres"),
    ],
)
def test_an_address_of_any_password_breaks_no_dag_file_and_is_named_without_it(monkeypatch, url, place):
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    from petition_telemetry import name_tables

    monkeypatch.setenv("PETITIONS_DATABASE_URL", url)
    (table,) = name_tables("petition")
    assert f"{table.cluster}/{table.database}" == place
