"""deploy/run_dag.py over commands `airflow` of our own; over Airflow see tests/end_to_end/test_airflow_run.py."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from readme_lines import MAKE, make_checkout, name_settings
from stopped_runs import CTRL_C, KEPT, SOON_S, end_left, heed_signals, run_at_terminal, wait_for, wait_for_end

SCRIPT = Path(__file__).parents[2] / "deploy" / "run_dag.py"
FAILING = "echo $@; echo a.FirstError: no; echo 'petitions.LastError: it is so' >&2; exit 3"
UNTOLD = "Airflow could not be told, see {}: its scheduler may go on with this run"
PASSING = "echo a.FirstError: tried again"
GENTLE = "sleep 600 & echo started; wait"
DEAF = f"trap '' TERM INT; {GENTLE}"


def write_command(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def start(folder: Path, airflow: str) -> "subprocess.Popen[str]":
    write_command(folder / "airflow", airflow)
    environ = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    environ["AIRFLOW_HOME"] = str(folder / "home")  # without a database
    line = [sys.executable, SCRIPT, '{"source": "sample"}', folder / "log"]
    return subprocess.Popen(line, env=environ, text=True, stdout=subprocess.PIPE, preexec_fn=heed_signals)


def has_started(log: Path) -> bool:
    return log.exists() and "started" in log.read_text()


def test_the_last_error_of_the_log_is_told_and_the_status_is_not_0(tmp_path):
    run = start(tmp_path, FAILING)

    assert (run.communicate(timeout=30)[0], run.returncode) == ("petitions.LastError: it is so\n", 1)
    first = (tmp_path / "log").read_text().splitlines()[0]
    assert first == 'dags test petition_topics --conf {"source": "sample"}'


def test_a_run_that_ends_well_says_nothing(tmp_path):
    run = start(tmp_path, PASSING)

    assert (run.communicate(timeout=30)[0], run.returncode) == ("", 0)


@pytest.mark.slow
@pytest.mark.parametrize(("airflow", "sent"), [(GENTLE, signal.SIGHUP), (DEAF, signal.SIGTERM)], ids=["heeds", "deaf"])
def test_all_is_ended_whether_it_heeds_or_not(tmp_path, airflow, sent):
    run, log = start(tmp_path, airflow), tmp_path / "log"
    wait_for(lambda: has_started(log), log)

    run.send_signal(sent)

    assert (run.communicate(timeout=SOON_S)[0], run.returncode) == (f"{KEPT}\n{UNTOLD.format(log)}\n", 128 + sent)
    assert end_left(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("to", ["make", "the shell of the recipe", "the terminal"])
@pytest.mark.parametrize("target", ["run", "demo"])
def test_make_is_ended_with_all_that_it_started(tmp_path, to, target):
    checkout, commands = make_checkout(tmp_path / "checkout"), tmp_path / "bin"
    (checkout / ".local/airflow").mkdir(parents=True)
    (checkout / ".local/airflow/migrated").touch()
    commands.mkdir()
    write_command(commands / "airflow", GENTLE)
    write_command(commands / "petitions", "true")
    log = checkout / ".local/run-sample.log"
    source = "SOURCE=sample" if target == "run" else ""

    line = f"{MAKE} make BIN={commands} {target} {source}"
    with run_at_terminal(line, checkout, name_settings(checkout)) as (shell, terminal):
        wait_for(lambda: has_started(log), log)
        if to == "the terminal":
            os.write(terminal, CTRL_C)
        else:
            make = next(one for one in [shell, *shell.children()] if one.name() == "make")
            (make if to == "make" else make.children()[0]).terminate()
        told, status = wait_for_end(shell, terminal)
    left = end_left(checkout)
    assert (told.count(KEPT), status == 0, left) == (1, False, []), told
