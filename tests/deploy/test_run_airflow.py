"""`make up`: on the loopback alone, its password for its owner, and what dies is started again."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from readme_lines import MAKE, find_lines, make_checkout, name_settings

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "run_airflow.py"
SLEEP = "import time; time.sleep(600)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); time.sleep(600)"
RUN = """
import signal, sys
sys.path.insert(0, sys.argv[1])
import run_airflow
signal.signal(signal.SIGTERM, run_airflow._leave)
commands = {"scheduler": [sys.executable, "-c", sys.argv[2]], "triggerer": [sys.executable, "-c", sys.argv[3]]}
run_airflow.supervise(commands, {}, (0.1, 0.1))
"""


def wait_for(read, patience_s: float = 60):
    deadline = time.monotonic() + patience_s
    while not (found := read()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def find_script(shell: psutil.Process) -> psutil.Process | None:
    """The process of run_airflow.py under the shell that runs `make up`."""
    return next(
        (one for one in shell.children(recursive=True) if one.cmdline()[1:2] == ["deploy/run_airflow.py"]), None
    )


@pytest.mark.slow
def test_what_dies_is_told_and_started_again_and_leaves_no_children(tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as out:
        told = subprocess.Popen([sys.executable, "-c", RUN, SCRIPT.parent, PARENT, SLEEP], stdout=out, stderr=out)
    try:
        us = psutil.Process(told.pid)
        first = wait_for(lambda: next((one for one in us.children() if one.children()), None))
        (worker,) = first.children()
        other = next(one for one in us.children() if one.pid != first.pid)
        os.kill(first.pid, signal.SIGKILL)
        again = wait_for(lambda: [one for one in us.children() if one.pid not in (first.pid, other.pid)])
        assert len(again) == 1 and other.is_running()
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE  # it would wait for ever
        assert "scheduler ended with -9: started again in 0.1 s" in log.read_text()
        left = us.children(recursive=True)
    finally:
        told.terminate()
        told.wait(30)
    assert psutil.wait_procs(left, timeout=10)[1] == []


def test_make_up_runs_it_on_the_loopback_unless_another_address_is_named():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^HOST \?= 127\.0\.0\.1$", makefile, re.MULTILINE)
    assert "python deploy/run_airflow.py --host $(HOST) --port $(PORT)" in makefile
    assert "airflow standalone" not in makefile


@pytest.mark.slow
@pytest.mark.postgres
def test_airflow_listens_on_the_loopback_alone_and_keeps_its_password(tmp_path, database_url):
    """`make up` of README.md, without DAGs; Airflow's database is made before, without the pools."""
    checkout, home = make_checkout(tmp_path / "checkout"), tmp_path / "airflow"
    (tmp_path / "dags").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = name_settings(
        checkout,
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(tmp_path / "plugins"),
        PETITIONS_DATABASE_URL=database_url,
        PORT=str(port),
    )
    subprocess.run(["airflow", "db", "migrate"], env=environ, capture_output=True, check=True, timeout=600)
    (checkout / ".local/airflow").mkdir(parents=True)
    (checkout / ".local/airflow/migrated").touch()
    log = tmp_path / "up.log"
    with log.open("wb") as out:
        line = f"{MAKE}{find_lines('make up')}"
        up = subprocess.Popen(["/bin/bash", "-c", line], cwd=checkout, env=environ, stdout=out, stderr=out)
    us = None
    try:
        us = wait_for(lambda: find_script(psutil.Process(up.pid)), 600)

        def listening() -> set[tuple[str, int]]:
            found = [sock for one in us.children(recursive=True) for sock in one.net_connections("inet")]
            return {(sock.laddr.ip, sock.laddr.port) for sock in found if sock.status == psutil.CONN_LISTEN}

        passwords = home / "simple_auth_manager_passwords.json.generated"
        wait_for(lambda: passwords.exists() and listening(), 600)
        wait_for(lambda: len(us.children()) == 4)
        time.sleep(20)  # those of logs came a little later
        assert listening() == {("127.0.0.1", port)}, log.read_text()[-3000:]
        assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
        assert f"password in {passwords}" in log.read_text()
    finally:
        (us or up).terminate()  # make and the shell end with it
        up.wait(60)
    assert "ended with" not in log.read_text()
