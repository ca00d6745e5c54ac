"""What docker-compose.yaml and the Dockerfile promise, read from the files."""

import re
import stat
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from compose import COMPOSE, IN_IMAGE, ROOT, Compose, interpolate

from petitions.settings import Settings
from petitions.sources.registry import SOURCES

FILE = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES = FILE["services"]
TPU_OVERRIDE = ROOT / "deploy" / "compose.tpu.yaml"


def environment(name: str) -> dict[str, str]:
    return SERVICES[name].get("environment", {})


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_limited_hardened_and_watched(name):
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert 0 <= float(interpolate(limits["cpus"], {})) <= 1 and limits["memory"]  # an engine with one core takes it
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == ("999:999" if name in ("postgres", "redis") else "${AIRFLOW_UID:-50000}:0")
    if name == "airflow-init":
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert {"test", "interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()


def test_a_user_that_the_image_does_not_know_has_a_name():
    """Airflow asks for it, and fails where there is none."""
    assert all(environment(name)["USER"] for name in SERVICES if name not in ("postgres", "redis"))


def test_each_image_is_built_by_one_service():
    built = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(built) == [
        "${PETITIONS_IMAGE:-petition-topics:latest}",
        "${PETITIONS_TPU_IMAGE:-petition-topics:tpu}",
    ]
    ours = {service["image"] for service in SERVICES.values() if "petition-topics" in service["image"]}
    assert ours == set(built)


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "healthcheck" in service])
def test_a_health_check_does_not_start_airflow(name):
    """That takes longer than a small host gives it, and keeps the host busy."""
    told = " ".join(SERVICES[name]["healthcheck"]["test"])
    assert not re.search(r"airflow (jobs|version)|\bairflow\.", told), told


def test_the_password_of_the_broker_is_in_no_command_line():
    told = " ".join(SERVICES["worker"]["healthcheck"]["test"])
    assert told.startswith("CMD-SHELL CELERY_BROKER_URL=$$(cat /run/secrets/broker_url) celery inspect ping")


def test_without_a_tpu_nothing_is_asked_of_a_cloud_and_nothing_for_one_is_installed():
    assert environment("tpu-worker")["TPU_SKIP_MDS_QUERY"] == "1"
    (changed,) = yaml.safe_load(TPU_OVERRIDE.read_text(encoding="utf-8"))["services"].values()
    assert changed["environment"]["TPU_SKIP_MDS_QUERY"] is None
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert "\nPETITIONS_TPU_TARGET=default\n" in example
    assert interpolate(SERVICES["tpu-worker"]["build"]["target"], {}) == "default"


def test_git_and_the_image_leave_out_what_the_documents_tell_one_to_make():
    for name in (".env", "petitions.dump", "airflow.dump", "roles.dump", "artifacts.tar.gz", ".local/secrets/pgpass"):
        command = ["git", "-C", ROOT, "check-ignore", "--quiet", "--no-index", name]
        assert subprocess.run(command).returncode == 0, name
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert left_out[1] == "*" and {"**/.env", "**/*.dump", "**/artifacts.tar.gz"} <= set(left_out)


def test_what_a_dead_scheduler_had_queued_is_queued_again():
    """It may never have come to Redis: without a retry it fails as if no worker had taken it."""
    assert int(environment("airflow-scheduler")["AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES"]) >= 1


def test_only_the_page_is_reached_from_outside_and_from_this_machine_alone():
    opened = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert opened == {"airflow-apiserver": ["127.0.0.1:${AIRFLOW_PORT:-8080}:8080"]}
    assert FILE["networks"]["backend"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["backend"]


def test_the_page_reads_the_weights_of_the_workers_and_writes_none():
    volumes = SERVICES["airflow-apiserver"]["volumes"]
    assert {"hub:/opt/airflow/hub:ro", "artifacts:/opt/airflow/artifacts:ro"} <= set(volumes)
    assert "hub:/opt/airflow/hub" in SERVICES["tpu-worker"]["volumes"]


def test_no_secret_stands_in_the_file():
    assert not re.search(r"://[^/\s\"]*:[^/@\s\"]+@", COMPOSE.read_text(encoding="utf-8")), "a password in a URL"
    for secret in FILE["secrets"].values():
        assert secret["file"].startswith(".local/")
    used = {name for service in SERVICES.values() for name in service["secrets"]}
    assert used == set(FILE["secrets"])
    for name, service in SERVICES.items():
        told = " ".join(
            [*service["command"], *environment(name).values(), *service.get("healthcheck", {}).get("test", [])]
        )
        assert set(re.findall(r"/run/secrets/([\w.]+)", told)) <= set(service["secrets"]), name
    holders = [name for name, service in SERVICES.items() if "pgpass_admin" in service["secrets"]]
    assert holders == ["airflow-init"]


def test_every_setting_of_the_project_can_be_given(tmp_path):
    """By .env, where the file passes it on, or in settings.env, which the script writes with what is told there."""
    make = [sys.executable, ROOT / "deploy" / "make_secrets.py", "--folder", tmp_path]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    told = re.findall(r"^# (PETITIONS_\w+)=", (tmp_path / "settings.env").read_text(encoding="utf-8"), re.MULTILINE)
    names = {
        f"PETITIONS_{setting.name.upper()}" for setting in fields(Settings) if not setting.name.startswith("site_")
    }
    names |= {f"PETITIONS_{source.upper()}_URL" for source, entry in SOURCES.items() if entry.url}
    for name in ("worker", "tpu-worker"):
        assert environment(name).keys() & names == names - set(told)
        assert SERVICES[name]["env_file"] == ".local/secrets/settings.env"


def test_the_secrets_are_made_once_and_for_their_owner_alone(tmp_path):
    script = [sys.executable, ROOT / "deploy" / "make_secrets.py", "--folder", tmp_path / "secrets"]
    (tmp_path / "secrets").mkdir(mode=0o755)
    subprocess.run(script, check=True, stdout=subprocess.DEVNULL)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == {*FILE["secrets"], "settings.env"}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "secrets").iterdir()}
    of_others = {name for service in ("postgres", "redis") for name in SERVICES[service]["secrets"]}
    assert modes == {name: 0o644 if name in of_others else 0o600 for name in made}  # those of other users
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700  # a file of it is reached by its mount alone
    (tmp_path / "secrets" / "jwt_secret").unlink()
    again = subprocess.run(script, check=True, capture_output=True, text=True)
    assert "made jwt_secret\n" in again.stdout
    kept = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert {name for name in made if made[name] != kept[name]} == {"jwt_secret"}


def test_the_image_holds_what_the_services_name():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\w+) /opt/airflow/(\w+)$", dockerfile, re.MULTILINE)
    assert sorted(copied) == sorted((name, name) for name in IN_IMAGE)
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    wanted = {
        word
        for line in re.findall(r"^COPY (?:--chown=\S+ )?(?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for word in line.split()
    }
    assert wanted == let_through
    assert all((ROOT / name).exists() for name in wanted - {"plugins"})


def test_an_image_never_holds_a_tensorflow_that_it_does_not_use(tmp_path):
    """What is uninstalled in a later layer is still there in the earlier one: 1.9 GB."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "pip uninstall" not in dockerfile
    cuts = re.findall(r"(sed .*) /opt/airflow/requirements.txt > /tmp/(\w+).txt", dockerfile)
    parts = {
        name: subprocess.run(
            f"{cut} requirements.txt", shell=True, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        for cut, name in cuts
    }
    named = {name: re.findall(r"^([\w.-]+)(?:\[.*\])?==", text, re.MULTILINE) for name, text in parts.items()}
    assert named["tensorflow"] == ["tensorflow"] and sorted(named["build"]) == ["setuptools", "wheel"]
    whole = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)(?:\[.*\])?==", whole, re.MULTILINE)
    assert sorted(named["packages"] + named["tensorflow"]) == sorted(pinned)
    stages = re.split(r"^FROM \S+ AS (\w+)$", dockerfile, flags=re.MULTILINE)
    assert [name for name, text in zip(stages[1::2], stages[2::2], strict=True) if "tensorflow.txt" in text] == [
        "default"
    ]
    built_by_others = re.findall(
        r"pip install (?!.*(?:--no-build-isolation|build\.txt|tensorflow\.txt|-tpu\.txt))", dockerfile
    )
    assert not built_by_others, "what is built from source is built by the pinned setuptools"


def test_a_dead_task_leaves_the_only_slot_of_the_accelerator_within_two_minutes():
    """But not before the locks of a lost machine are free, which takes 70 seconds: the second try needs them."""
    assert 70 < int(environment("airflow-scheduler")["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"]) <= 120


def check_schema(file: Path) -> str:
    """What is wrong by the schema that check-jsonschema brings along, so that nothing is fetched."""
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def test_the_files_keep_to_the_compose_specification(tmp_path):
    assert check_schema(COMPOSE) == ""
    assert check_schema(TPU_OVERRIDE) == ""
    broken = tmp_path / "docker-compose.yaml"
    broken.write_text(COMPOSE.read_text(encoding="utf-8").replace("healthcheck:", "health_check:"), encoding="utf-8")
    assert "health_check" in check_schema(broken)


def test_the_override_for_a_tpu_changes_the_worker_that_is_there():
    (changed,) = yaml.safe_load(TPU_OVERRIDE.read_text(encoding="utf-8"))["services"].items()
    assert changed[0] == "tpu-worker" and changed[0] in SERVICES
    assert set(changed[1]["environment"]) <= set(environment("tpu-worker"))


def test_the_dockerfile_passes_hadolint():
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_variables_are_filled_in_as_compose_does():
    assert interpolate("${A:-x} ${B:-y} ${C} $$HOME $$(id)", {"A": "1", "B": ""}) == "1 y  $HOME $(id)"


def test_each_variable_of_the_file_is_told_in_the_example():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    told = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert all(re.fullmatch(r"\w+=\w*", line) for line in lines if line and not line.startswith("#"))
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text(encoding="utf-8")))
    assert told <= used
    assert used - told <= {
        "PETITIONS_IMAGE",
        "PETITIONS_TPU_IMAGE",
        "PETITIONS_ASSEMBLY_URL",
        "PETITIONS_BLUEHOUSE_URL",
    }


def test_hosts_ports_and_paths_become_those_of_this_machine(tmp_path):
    compose = Compose(tmp_path, {})
    redis, page = compose.port("redis", 6379), compose.port("airflow-apiserver", 8080)
    assert compose.localize("worker", "redis://:pw@redis:6379/0") == f"redis://:pw@127.0.0.1:{redis}/0"
    assert (
        compose.localize("worker", "http://airflow-apiserver:8080/execution/") == f"http://127.0.0.1:{page}/execution/"
    )
    assert compose.localize("redis", "--port 6379 --dir /data") == f"--port {redis} --dir {tmp_path}/volumes/redis"
    assert compose.localize("worker", "/opt/airflow/dags:/opt/airflow/logs") == f"{ROOT}/dags:{tmp_path}/volumes/logs"
    assert compose.localize("worker", "--pid /tmp/a.pid") == f"--pid {tmp_path}/services/worker/tmp/a.pid"
    assert compose.port("worker", 8793) != compose.port("tpu-worker", 8793)
    names = [service.name for service in compose.services()]
    assert (
        names.index("postgres") < names.index("airflow-init") < names.index("airflow-apiserver") < names.index("worker")
    )
