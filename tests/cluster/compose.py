"""docker-compose.yaml as this machine runs it: each service's own command, environment and health check.

What differs from containers is all here: names of hosts become 127.0.0.1, each port of a service a free one, and the
paths of images, volumes and secrets lie in the checkout or in the cluster's folder.
"""

import random
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yaml"
PORTS = {  # what listens in each container; the ports of logs and health are those of Airflow's defaults
    "postgres": [5432],
    "redis": [6379],
    "airflow-apiserver": [8080],
    "airflow-scheduler": [8974, 8793],
    "airflow-triggerer": [8794],
    "worker": [8793],
    "tpu-worker": [8793],
}
IN_IMAGE = ("dags", "plugins", "include", "deploy")  # what the Dockerfile copies to /opt/airflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service, ready to be started here."""

    name: str
    command: list[str]
    environment: dict[str, str]
    env_file: str  # empty: none
    health: list[str] | None  # a command
    patience_s: int  # start_period and all retries of the health check
    after: dict[str, str]  # the service that it waits for: the condition
    stop_signal: str


class Compose:
    """The file, its variables filled in, on this machine."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self._variables = variables
        self._file = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
        declared = [(name, port) for name, ports in PORTS.items() for port in ports]
        self._ports = dict(zip(declared, find_free_ports(), strict=False))

    def port(self, service: str, port: int) -> int:
        """The local port of a container's port."""
        return self._ports[service, port]

    def services(self) -> list[Service]:
        """All services, each after those that it waits for."""
        read = {name: self._read(name, told) for name, told in self._file["services"].items()}
        ordered: dict[str, Service] = {}
        while len(ordered) < len(read):
            ready = [name for name, told in read.items() if name not in ordered and told.after.keys() <= ordered.keys()]
            ordered.update((name, read[name]) for name in ready)
            assert ready, "a circle of depends_on"
        return list(ordered.values())

    def volumes(self) -> list[str]:
        """The names of all volumes."""
        return list(self._file["volumes"])

    def localize(self, service: str, text: str) -> str:
        """A text of a service with the hosts, ports and paths of this machine."""
        for (host, port), local in self._ports.items():
            text = re.sub(rf"(?<![\w.-]){host}:{port}\b", f"127.0.0.1:{local}", text)
        for (owner, port), local in self._ports.items():
            if owner == service:
                text = re.sub(rf"(?<![\w.]){port}\b", str(local), text)
        paths = self._paths(service)
        longest_first = "|".join(sorted(map(re.escape, paths), key=len, reverse=True))
        return re.sub(rf"(?<![\w/.-])({longest_first})(?![\w-])", lambda found: str(paths[found[0]]), text)

    def _paths(self, service: str) -> dict[str, Path]:
        told = self._file["services"][service]
        volumes = [volume.split(":") for volume in told.get("volumes", [])]
        own = self._folder / "services" / service
        return {
            "/run/secrets": self._folder / "secrets",
            **{path: self._folder / "volumes" / name for name, path, *_ in volumes},
            **{f"/opt/airflow/{name}": ROOT / name for name in IN_IMAGE},
            "/opt/airflow": own,
            "/tmp": own / "tmp",
        }

    def _read(self, name: str, told: dict[str, Any]) -> Service:
        health = told.get("healthcheck")
        return Service(
            name=name,
            command=[self._fill(name, word) for word in told["command"]],
            environment={key: self._fill(name, value) for key, value in told.get("environment", {}).items()},
            env_file=told.get("env_file", "").replace(".local/secrets", str(self._folder / "secrets")),
            health=self._read_health(name, health["test"]) if health else None,
            patience_s=seconds(health["start_period"]) + health["retries"] * seconds(health["interval"])
            if health
            else 0,
            after={other: how["condition"] for other, how in told.get("depends_on", {}).items()},
            stop_signal=told.get("stop_signal", "SIGTERM"),
        )

    def _read_health(self, name: str, test: list[str]) -> list[str]:
        kind, *words = [self._fill(name, word) for word in test]
        return ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words

    def _fill(self, service: str, text: str) -> str:
        return self.localize(service, interpolate(text, self._variables))


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in `${NAME:-default}` and `${NAME}`, and read `$$` as `$`: what our file uses of the specification."""

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return variables.get(found["name"]) or found["default"] or ""

    return re.sub(r"\$\$|\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}", fill, text)


def seconds(text: str) -> int:
    """Read a duration such as 30s or 5m."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def find_free_ports() -> Iterator[int]:
    """Ports that nobody listens on, none twice.

    They lie below those that the kernel gives to clients (Linux: from 32768): none is taken before its service starts.
    """
    for port in random.sample(range(20_000, 32_768), 12_768):
        if is_free(port):
            yield port


def is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
