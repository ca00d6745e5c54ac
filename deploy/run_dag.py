"""One run of the DAG petition_topics for `make run` and `make demo`: `airflow dags test` into a log.

Airflow takes Ctrl-C and SIGTERM for a failure of the task at work, and tries that again. Here it runs in a session of
its own, out of reach of the terminal: Ctrl-C, SIGTERM and SIGHUP come to this script, which ends all of it, gently at
first, and tells Airflow (end_run.py). Needs nothing but Python and `airflow` in the PATH.
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
            with suppress(OSError):  # the terminal was closed
                print(STOPPED, flush=True)  # noqa: T201 a script speaks
            told = [sys.executable, END_RUN, DAG, conf, began.isoformat()]
            subprocess.run(told, stdout=out, stderr=out, start_new_session=True, check=False)  # noqa: S603 - our own
            return 128 + asked[0]
    errors = ERROR.findall(log.read_text(encoding="utf-8", errors="replace"))
    if run.returncode and errors:
        print(errors[-1])  # noqa: T201 a script speaks
    return int(run.returncode != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
