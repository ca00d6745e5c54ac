"""The DAG that trains weights: how it parses, and a real run over invented petitions in Postgres."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from invented import MONDAY, make_petitions
from petitions.encoders.tokenizer_files import TRIED
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import upsert_petitions

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.postgres]

LOAD = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(dag_folder=sys.argv[1])
brought = sorted(set(sys.modules) - before)
tasks = {task.task_id: {"owner": task.owner, "retries": task.retries, "queue": task.queue, "pool": task.pool,
         "hours": task.execution_timeout.total_seconds() / 3600, "doc": task.doc_md,
         "outlets": [outlet.name for outlet in task.outlets]} for task in bag.dags["petition_models"].tasks}
print("@@" + json.dumps({"errors": bag.import_errors, "brought": brought, "tasks": tasks}))
"""


@pytest.fixture(scope="module")
def environ(tmp_path_factory) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")},
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PYTHONPATH": str(ROOT / "include"),
    }


def run(environ: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def test_it_parses_light_and_trains_on_the_tpu_queue(environ):
    path = str(ROOT / "dags" / "petition_models.py")
    parsed = json.loads(run(environ, sys.executable, "-c", LOAD, path).rsplit("@@", 1)[1].splitlines()[0])
    assert parsed["errors"] == {}
    assert {"tensorflow", "gensim", "psycopg", "petitions.pipeline"}.isdisjoint(parsed["brought"])
    train = parsed["tasks"]["train"]
    assert (train["queue"], train["pool"], train["outlets"]) == ("tpu", "tpu", ["petition_weights"])
    for task in parsed["tasks"].values():
        assert task["owner"] == "petitions"
        assert task["retries"] == 1
        assert 0 < task["hours"] <= 12
        assert task["doc"]


def test_a_run_leaves_new_weights_with_their_cards_in_the_artifact_store(environ, engine, database_url, tmp_path):
    known = "\n".join(TRIED)  # a tokenizer that lacks their letters is refused as no Korean one
    with engine.begin() as conn:
        long = [replace(item, body=f"{item.title}. {item.body}\n" * 12 + known) for item in make_petitions(80)]
        upsert_petitions(conn, long, seen_at=MONDAY)
    environ = environ | {
        "PETITIONS_DATABASE_URL": database_url,
        "PETITIONS_ARTIFACTS": str(tmp_path / "artifacts"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    }
    airflow = str(Path(sys.executable).parent / "airflow")
    conf = {"encoder": "both", "minutes": 0.02, "source": "sample", "until": "2024-07-01", "months": 3}
    run(environ, airflow, "db", "migrate")
    run(environ, airflow, "pools", "set", "tpu", "1", "for the test")
    log = run(environ, airflow, "dags", "test", "petition_models", "--conf", json.dumps(conf))
    store = ArtifactStore(str(tmp_path / "artifacts"))
    names = store.list("weights")
    elmo, bert = sorted({name.rsplit("/", 1)[0] for name in names}, reverse=True)
    for folder, config, told, quality in (
        (bert, "config.json", "masked words, held out", "BertQuality"),
        (elmo, "options.json", "perplexity, held out", "{'step': "),
    ):
        kept = {name.rsplit("/", 1)[1] for name in names if name.startswith(folder)}
        assert kept >= {"model.safetensors", config, "README.md"}
        assert told in store.read(f"{folder}/README.md").decode()
        assert f"{folder} from 80 petitions, held out: {quality}" in log

    from petitions.encoders.bert_encoder import load_bert
    from petitions.encoders.elmo_encoder import load_elmo

    assert load_bert(str(tmp_path / "artifacts" / bert)).embed(["건널목"]).shape == (1, 256)
    assert load_elmo(str(tmp_path / "artifacts" / elmo)).embed([["건널목"]]).shape[0] == 1
