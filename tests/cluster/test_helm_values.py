"""What deploy/helm-values.yaml promises, read from the file; no cluster and no chart were at hand."""

import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pluggy
import pytest
import yaml
from airflow import policies
from compose import COMPOSE, ROOT

from petitions.settings import PREFIX, Settings

pytestmark = pytest.mark.slow
PATH = ROOT / "deploy" / "helm-values.yaml"
TEXT = PATH.read_text(encoding="utf-8")
VALUES = yaml.safe_load(TEXT)
DAGS = "".join(path.read_text(encoding="utf-8") for name in ("dags", "plugins") for path in (ROOT / name).glob("*.py"))


def read_policy() -> ModuleType:
    module = ModuleType("airflow_local_settings")
    exec(compile(VALUES["airflowLocalSettings"], PATH, "exec"), module.__dict__)
    return module


def pools(text: str) -> set[str]:
    return set(re.findall(r"airflow pools set (\w+)", text))


def find_environment(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, dict):
        own = [part] if {"name"} < part.keys() <= {"name", "value", "valueFrom"} else []
        return own + [found for value in part.values() for found in find_environment(value)]
    return [found for value in part for found in find_environment(value)] if isinstance(part, list) else []


def test_each_setting_in_the_values_is_known():
    named = set(re.findall(rf"{PREFIX}\w+", TEXT))
    assert "PETITIONS_DATABASE_URL" in named
    assert named <= {PREFIX + field.name.upper() for field in fields(Settings)}


def test_the_plain_settings_can_be():
    told = {item["name"]: item["value"] for item in find_environment(VALUES) if "value" in item}
    settings = Settings.from_env({name: value for name, value in told.items() if name.startswith(PREFIX)})
    assert settings.artifacts.startswith("gs://"), "a folder of one pod is lost with it"


def test_the_pools_are_those_of_the_compose_file_and_of_the_dags():
    made = pools(" ".join(VALUES["migrateDatabaseJob"]["args"]))
    assert made == pools(COMPOSE.read_text(encoding="utf-8"))
    assert made == set(re.findall(r"""["']?pool["']?[=:] ?["'](\w+)["']""", DAGS))


def test_no_secret_stands_in_the_values_and_the_page_only_reads():
    assert not re.search(r"://[^/\s\"]*:[^/@\s\"]+@", TEXT), "a password in a URL"
    logins = {
        name: item["valueFrom"]["secretKeyRef"]["key"]
        for name in ("workers", "apiServer", "migrateDatabaseJob")
        for item in VALUES[name]["env"]
    }
    assert logins == {"workers": "pipeline", "apiServer": "page", "migrateDatabaseJob": "owner"}


def test_the_policy_survives_the_template_engine_of_the_chart():
    assert "{{" not in VALUES["airflowLocalSettings"]


@pytest.mark.parametrize("queue", ["tpu", "default"])
def test_only_tasks_of_the_queue_tpu_get_the_pod_with_a_tpu(queue, monkeypatch):
    generator = ModuleType("pod_generator")  # of a provider that is in the image for Kubernetes alone
    generator.PodGenerator = SimpleNamespace(deserialize_model_dict=lambda pod: pod)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow.providers.cncf.kubernetes.pod_generator", generator)
    for parent in ("airflow.providers.cncf", "airflow.providers.cncf.kubernetes"):
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    manager = pluggy.PluginManager(policies.local_settings_hookspec.project_name)
    manager.add_hookspecs(policies)
    policies.make_plugin_from_local_settings(manager, read_policy(), {"task_instance_mutation_hook"})
    task = SimpleNamespace(queue=queue, executor_config={})
    manager.hook.task_instance_mutation_hook(task_instance=task, dag_run=None)
    if queue == "default":
        assert task.executor_config == {}
        return
    spec = task.executor_config["pod_override"]["spec"]
    assert set(spec["nodeSelector"]) == {"cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"}
    (container,) = spec["containers"]
    assert container["name"] == "base", "another name would be a second container"
    assert container["resources"]["limits"]["google.com/tpu"] == container["resources"]["requests"]["google.com/tpu"]
    assert container["env"] == [{"name": "PETITIONS_ACCELERATOR", "value": "tpu"}]
    assert f'"queue": "{queue}"' in DAGS


def test_the_document_tells_of_each_secret():
    told = Path(ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    secrets = {VALUES["data"]["metadataSecretName"], VALUES["fernetKeySecretName"], VALUES["jwtSecretName"]}
    secrets |= {VALUES["apiSecretKeySecretName"], *re.findall(r"secretKeyRef: \{name: ([\w-]+)", TEXT)}
    for secret in secrets:
        assert f"create secret generic {secret} " in told
