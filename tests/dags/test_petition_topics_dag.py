"""The DAG file as Airflow sees it: it parses clean, light and alike every time, and every task can be operated."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from petitions.errors import ConfigError

ROOT = Path(__file__).parents[2]
HEAVY = {
    "tensorflow", "keras", "transformers", "gensim", "mecab_ko", "psycopg", "requests", "bs4", "petitions.pipeline",
}  # fmt: skip

LOAD = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(dag_folder=sys.argv[1])
brought = sorted(set(sys.modules) - before)
from airflow.serialization.serialized_objects import DagSerialization
dags = {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()}
tasks = {task.task_id: {"owner": task.owner, "retries": task.retries, "timeout": task.execution_timeout.total_seconds(),
         "doc": task.doc_md, "queue": task.queue, "pool": task.pool, "upstream": sorted(task.upstream_task_ids),
         "outlets": [outlet.name for outlet in task.outlets if outlet.name], "rule": task.trigger_rule.value,
         "is_told": bool(task.has_on_failure_callback)}
         for task in bag.dags["petition_topics"].tasks} if bag.dags else {}
found = {"errors": bag.import_errors, "brought": brought, "dags": dags, "tasks": tasks}
print("\\n@@" + json.dumps(found, default=str, sort_keys=True))
"""


ON_TPU = {"ask_tpu", "encode"}
MOST_TASKS = 12  # more do not fit one screen


def load_dags(home: Path) -> dict:
    """Parse dags/ in a fresh interpreter, as the dag-processor does."""
    environ = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(ROOT / "include"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PETITIONS_NOTIFY_EMAIL": "nobody@example.org",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(ROOT / "dags")], env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rsplit("@@", 1)[1])


@pytest.fixture(scope="module")
def parsed(tmp_path_factory) -> dict:
    return load_dags(tmp_path_factory.mktemp("airflow"))


def test_the_dag_folder_has_no_import_error(parsed):
    assert parsed["errors"] == {}
    assert "petition_topics" in parsed["dags"]


def test_parsing_imports_nothing_heavy(parsed):
    assert HEAVY.isdisjoint(parsed["brought"])


@pytest.mark.slow
def test_two_parses_serialize_alike(parsed, tmp_path):
    assert load_dags(tmp_path)["dags"] == parsed["dags"]


def test_every_task_has_owner_retries_timeout_docs_and_a_notice_of_failure(parsed):
    once = {"ask_tpu"}  # trying again would change nothing
    for name, task in parsed["tasks"].items():
        assert task["owner"] == "petitions", name
        assert task["retries"] == (0 if name in once else 3), name
        assert 0 < task["timeout"] <= 8 * 3600, name
        assert task["doc"], name
        assert task["is_told"], name


def test_the_night_has_a_deadline(parsed):
    assert parsed["dags"]["petition_topics"]["dag"]["deadline"]


def test_the_steps_stand_in_the_order_of_the_design(parsed):
    upstream = {name: task["upstream"] for name, task in parsed["tasks"].items()}
    assert upstream == {
        "crawl": [],
        "tokenize": ["crawl"],
        "find_copies": ["crawl"],
        "fit_topics": ["tokenize"],
        "plan_encode": ["crawl"],
        "ask_tpu": ["plan_encode"],
        "encode": ["ask_tpu", "plan_encode"],
        "encode_fallback": ["encode", "plan_encode"],
        "score": ["encode_fallback", "fit_topics"],
        "check": ["find_copies", "fit_topics", "score"],
        "publish": ["check", "fit_topics"],
    }
    assert len(upstream) <= MOST_TASKS


def test_an_unserved_queue_is_found_by_its_probe_and_goes_around(parsed):
    rules = {name: task["rule"] for name, task in parsed["tasks"].items()}
    assert {name for name, rule in rules.items() if rule == "one_failed"} == {"encode_fallback"}
    assert {name for name, rule in rules.items() if rule == "none_failed"} == {"score"}
    assert parsed["tasks"]["encode_fallback"]["queue"] == "default"


def test_the_site_has_its_pool_and_the_encoders_the_tpu_queue(parsed):
    tasks = parsed["tasks"]
    assert tasks["crawl"]["pool"] == "petition_sites"
    assert {name for name, task in tasks.items() if task["queue"] == "tpu"} == ON_TPU
    assert {name for name, task in tasks.items() if task["pool"] == "tpu"} == ON_TPU
    on_default = {name for name, task in tasks.items() if task["pool"] == "tpu_fallback"}
    assert on_default == {"encode_fallback"}
    assert tasks["publish"]["outlets"] == ["petition_topics", "petitions.topic_model"]


def test_the_form_has_a_word_for_no_source_and_a_line_for_the_topics(parsed):
    """Airflow's form writes "null" for a value without a word, and makes a text area of several types."""
    params = {name: json.dumps(told) for name, told in dict(parsed["dags"]["petition_topics"]["dag"]["params"]).items()}
    assert '"null": "(the setting PETITIONS_SOURCE)"' in params["source"]
    assert "last night runs at once" in params["source"]
    assert '"examples"' in params["topics"] and '"type": ["null", "string", "integer"]' in params["topics"]


@pytest.mark.parametrize("conf", [{"sorce": "sample"}, {"until": "2024-07-01", "topic": 9}])
def test_a_parameter_that_is_not_listed_is_refused_by_name(monkeypatch, conf):
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    from petition_defaults import make_window_params, refuse_unknown

    known = [*make_window_params(months=3), "topics"]
    with pytest.raises(ConfigError, match="unknown parameter (sorce|topic); known: months, source, topics, until"):
        refuse_unknown(conf, known)
    refuse_unknown({"source": "sample", "until": "2024-07-01"}, known)
