"""One run of the DAG petition_topics for `make run` and `make demo`: `airflow dags test` into a log.

Airflow takes Ctrl-C and SIGTERM for a failure of the task at work, and tries that again. Here it runs in a session of
its own, out of reach of the terminal: Ctrl-C, SIGTERM and SIGHUP come to this script, which ends all of it, gently at
first, and tells Airflow (end_run.py). Needs the Python of an Airflow, and its `airflow` in the PATH.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

DAG = "petition_topics"
END_RUN = Path(__file__).with_name("end_run.py")
ERROR = re.compile(r"^[A-Za-z_.]+Error: .*", re.MULTILINE)
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)  # the first ends a crawl, the second Airflow's wait after it
PATIENCE_S = 3  # after each of these
LOOK_S = 0.2
STOPPED = "stopped; what was crawled is kept, the same command goes on from there"
Process = subprocess.Popen[bytes]


def end(process: Process) -> None:
    """End a process and all of its group."""
    for number in ENDING:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
            break
    with suppress(ProcessLookupError):  # what it started, and left
        os.killpg(process.pid, signal.SIGKILL)


def main(conf: str, log: Path) -> int:
    """Run it until it ends or is asked to; a failure is told by the last error in the log."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as it is in the background, or under nohup
            signal.signal(number, lambda number, _: asked.append(number))
    command, began = ["airflow", "dags", "test", DAG, "--conf", conf], datetime.now(UTC)
    with log.open("wb") as out:
        run = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)  # noqa: S603 - our own
        while run.poll() is None and not asked:
            time.sleep(LOOK_S)
        if asked:
            end(run)
            _say(STOPPED)
            tell = [sys.executable, END_RUN, DAG, conf, began.isoformat()]
            told = subprocess.run(tell, stdout=out, stderr=out, start_new_session=True, check=False)  # noqa: S603 - our own
            if told.returncode:
                _say(f"Airflow could not be told, see {log}: its scheduler may go on with this run")
            return 128 + asked[0]
    errors = ERROR.findall(log.read_text(encoding="utf-8", errors="replace"))
    if run.returncode and errors:
        _say(errors[-1])
    return int(run.returncode != 0)


def _say(line: str) -> None:
    with suppress(OSError):  # the terminal was closed
        print(line, flush=True)  # noqa: T201 a script speaks


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
