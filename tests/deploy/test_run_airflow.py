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
def test_airflow_listens_on_the_loopback_alone_and_keeps_its_password(tmp_path):
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    (tmp_path / "dags").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(["airflow", "db", "migrate"], env=environ, capture_output=True, check=True, timeout=600)
    log = tmp_path / "up.log"
    with log.open("wb") as out:
        up = subprocess.Popen([sys.executable, SCRIPT, "--port", str(port)], env=environ, stdout=out, stderr=out)
    try:
        us = psutil.Process(up.pid)

        def listening() -> set[tuple[str, int]]:
            found = [sock for one in us.children(recursive=True) for sock in one.net_connections("inet")]
            return {(sock.laddr.ip, sock.laddr.port) for sock in found if sock.status == psutil.CONN_LISTEN}

        passwords = tmp_path / "simple_auth_manager_passwords.json.generated"
        wait_for(lambda: passwords.exists() and listening(), 600)
        wait_for(lambda: len(us.children()) == 4)
        time.sleep(20)  # those of logs came a little later
        assert listening() == {("127.0.0.1", port)}, log.read_text()[-3000:]
        assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
        assert f"password in {passwords}" in log.read_text()
    finally:
        up.terminate()
        up.wait(60)
    assert "ended with" not in log.read_text()
