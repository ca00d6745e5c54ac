"""Airflow on this machine for `make up`: its four services, on the loopback, each started again when it ends.

`airflow standalone` listens on all addresses, leaves the page's password readable to all, and goes on without a
scheduler that died. Ctrl-C or SIGTERM ends all. Needs nothing but Python and `airflow` in the PATH.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

PASSWORDS = "simple_auth_manager_passwords.json.generated"  # where Airflow's SimpleAuthManager keeps the one it makes
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOOK_S = 0.5
PAUSES_S = (1, 5, 15, 60)  # before a service is started again; the first again after one that lasted
LASTED_S = 120
PATIENCE_S = 20  # for all to end
Process = subprocess.Popen[bytes]


def list_commands(host: str, port: int) -> dict[str, list[str]]:
    """The services; those of logs are left out, which listen on all addresses: the files are on this machine."""
    return {
        "api-server": ["airflow", "api-server", "--host", host, "--port", str(port)],
        "scheduler": ["airflow", "scheduler", "--skip-serve-logs"],
        "dag-processor": ["airflow", "dag-processor"],
        "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
    }


def describe_environment(host: str, port: int) -> dict[str, str]:
    """Where tasks report, and links of notices lead."""
    at = f"[{host}]" if ":" in host else host
    near = {"0.0.0.0": "127.0.0.1", "[::]": "127.0.0.1"}.get(at, at)  # noqa: S104 - read, and not listened on
    return {
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{near}:{port}/execution/",
        "AIRFLOW__API__BASE_URL": os.environ.get("AIRFLOW__API__BASE_URL", f"http://{near}:{port}"),
    }


def supervise(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], pauses_s: Sequence[float]) -> None:
    """Run commands, and start each again that ends, until the block is left by an error, Ctrl-C or SIGTERM."""
    running: dict[str, tuple[Process, float]] = {}
    due = dict.fromkeys(commands, 0.0)
    failures = dict.fromkeys(commands, 0)
    try:
        while True:
            for name in [name for name, at in due.items() if time.monotonic() >= at]:
                del due[name]
                running[name] = (_start(commands[name], environment), time.monotonic())
            for name, (process, since) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[name]
                _kill(process)  # its children too: workers of a dead scheduler wait for ever
                failures[name] = 0 if time.monotonic() - since > LASTED_S else failures[name]
                pause = pauses_s[min(failures[name], len(pauses_s) - 1)]
                failures[name] += 1
                due[name] = time.monotonic() + pause
                tell(f"{name} ended with {process.returncode}: started again in {pause:g} s")
            time.sleep(LOOK_S)
    finally:
        _end([process for process, _ in running.values()])


def tell(message: str) -> None:
    """Say it among what the services say."""
    print(f"make up | {message}", flush=True)  # noqa: T201 a script speaks


def _start(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    """In a session of its own, so that all that it starts can be ended with it."""
    return subprocess.Popen(command, env=os.environ | environment, start_new_session=True)  # noqa: S603 - our own


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(processes: Sequence[Process]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + PATIENCE_S
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        _kill(process)
        process.wait()


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Keep what is written to its owner, say where the page is, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    asked = parser.parse_args()
    os.umask(0o077)
    passwords = Path(os.environ.get("AIRFLOW_HOME", Path.home() / "airflow")) / PASSWORDS
    if passwords.exists():
        passwords.chmod(0o600)
    if asked.host not in LOOPBACK:
        tell(f"{asked.host} may be reached by others, without TLS: all that they need is the password")
    tell(f"http://{asked.host}:{asked.port}, user admin, password in {passwords}; a new DAG is paused; Ctrl-C ends it")
    signal.signal(signal.SIGTERM, _leave)
    with suppress(KeyboardInterrupt):
        supervise(list_commands(asked.host, asked.port), describe_environment(asked.host, asked.port), PAUSES_S)
    tell("all has ended")


if __name__ == "__main__":
    sys.exit(main())
