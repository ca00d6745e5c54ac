"""One installation as an operator has it: a copy of the checkout, its .env, its secrets, its Compose project."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from base_images import ROOT

from airflow_api import AirflowApi

HERE = Path(__file__).parent
SHARED = ROOT.parent / "shared"
OPERATIONS = ROOT / "docs" / "operations.md"
AIRFLOW_UID = os.getuid() or 1000
COMMAND_S = 900
PSQL = 'PGPASSWORD=$(cat /run/secrets/postgres_password) psql -h 127.0.0.1 -U postgres -Atd "$0" -c "$1"'


class Installation:
    """A project in the engine; all that is done to it is done by `docker compose` in its folder."""

    def __init__(self, folder: Path, project: str, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.project = project
        self.port = find_free_port()
        copy_checkout(folder)
        self.make_secrets()
        self._environment = {
            "AIRFLOW_UID": str(AIRFLOW_UID),
            "AIRFLOW_PORT": str(self.port),
            "COMPOSE_PROJECT_NAME": project,
            "COMPOSE_FILE": f"docker-compose.yaml:{HERE / 'site.yaml'}",
            "ENGINE_SHARED": str(SHARED),
            "ENGINE_HERE": str(HERE),
        } | dict(variables)
        self.set()

    def set(self, **variables: str) -> None:
        """Set variables of .env, where a later line counts."""
        self._environment |= variables
        example = (self.folder / ".env.example").read_text(encoding="utf-8")
        lines = "".join(f"{name}={value}\n" for name, value in self._environment.items())
        (self.folder / ".env").write_text(example + lines, encoding="utf-8")

    def make_secrets(self) -> None:
        """By the script that operators run; who is root hands them to the user of the containers."""
        self.shell("python3 deploy/make_secrets.py > .make_secrets.log")
        for path in (self.folder / ".local").rglob("*"):
            if os.geteuid() == 0:
                os.chown(path, AIRFLOW_UID, -1)

    def secret(self, name: str) -> str:
        """What a file of .local/secrets holds."""
        return (self.folder / ".local" / "secrets" / name).read_text(encoding="utf-8")

    def shell(self, script: str, timeout_s: float = COMMAND_S) -> str:
        """Run lines of a shell in the folder; gives what they print.

        Raises:
            RuntimeError: one of them failed; the message ends as its errors do.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        if done.returncode:
            raise RuntimeError(f"{script}\nended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout.strip()

    def compose(self, *words: str, timeout_s: float = COMMAND_S) -> str:
        """Run `docker compose`."""
        return self.shell(shlex.join(["docker", "compose", *words]), timeout_s)

    def up(self, *services: str, scale: int = 1) -> None:
        """Bring it up and wait until all of it is healthy."""
        words = ["up", "--detach", "--wait", "--wait-timeout", str(COMMAND_S - 60), "--scale", f"tpu-worker={scale}"]
        self.compose(*words, *services)

    def down(self, *, with_volumes: bool = False) -> None:
        """Take it down; its volumes stay unless they are named."""
        self.compose("down", "--timeout", "30", *(["--volumes", "--remove-orphans"] if with_volumes else []))

    def inside(self, service: str, *command: str, index: int = 1) -> str:
        """Run a command in a container of a service."""
        return self.compose("exec", "-T", "--index", str(index), service, *command)

    def sql(self, query: str, database: str = "petitions") -> str:
        """Ask Postgres as its administrator, as docs/operations.md does."""
        return self.inside("postgres", "sh", "-c", PSQL, database, query)

    def containers(self) -> list[dict[str, Any]]:
        """All containers of the project, as `docker inspect` tells them."""
        ids = self.compose("ps", "--all", "--quiet").split()
        told: list[dict[str, Any]] = json.loads(self.shell(shlex.join(["docker", "inspect", *ids])))
        return told

    def api(self) -> AirflowApi:
        """Airflow's API by the password of this moment."""
        return AirflowApi(f"http://127.0.0.1:{self.port}", json.loads(self.secret("airflow_passwords"))["admin"])

    def tell_trouble(self) -> str:
        """What an operator would look at."""
        return "\n".join(self._try(*words) for words in (["ps", "--all"], ["logs", "--no-color", "--tail", "30"]))

    def _try(self, *words: str) -> str:
        command = ["docker", "compose", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr


def copy_checkout(folder: Path) -> None:
    """Copy the checkout as it stands, what is not committed too."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def read_commands(heading: str, number: int, project: str) -> str:
    """A block of commands in docs/operations.md, so that what is documented is what is run.

    Args:
        heading: the title of its section.
        number: which block of the section, from 0.
        project: the name of the Compose project, in the place of the documented one.
    """
    text = OPERATIONS.read_text(encoding="utf-8")
    section = re.split(r"^##+ ", text.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"(?:^    .*\n(?:^\n(?=    ))?)+", section, re.MULTILINE)
    lines = [line[4:] for line in blocks[number].splitlines()]
    return "\n".join(lines).replace("petition-topics_", f"{project}_")


def find_free_port() -> int:
    """8080 where nobody listens there, else another."""
    for port in (8080, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise RuntimeError("no free port")
