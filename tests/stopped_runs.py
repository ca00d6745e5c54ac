"""A command in a terminal of its own, to be stopped there, and what it leaves running."""

import os
import pty
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

KEPT = "stopped; what was crawled is kept, the same command goes on from there"
SOON_S = 30  # on a busy machine; six seconds where nothing is heeded, and those of Airflow's import
CTRL_C = b"\x03"


def heed_signals() -> None:
    """Take in a child what a terminal sends: who started the tests in the background had them ignore it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def run_at_terminal(script: str, folder: Path, environ: dict[str, str]) -> Iterator[tuple[psutil.Process, int]]:
    """Run a script of the shell there; gives the process of the shell, and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        heed_signals()
        os.chdir(folder)
        os.execve("/bin/bash", ["/bin/bash", "-c", script], environ)
    try:
        yield psutil.Process(pid), terminal
    finally:
        os.close(terminal)  # SIGHUP to what is left


def wait_for_end(shell: psutil.Process, terminal: int) -> tuple[str, int]:
    """What is written in the terminal until the shell has ended, soon, and the status of that."""
    deadline = time.monotonic() + SOON_S
    while shell.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.1)
    told = b""
    with suppress(OSError):  # the terminal of a shell that has ended
        while some := os.read(terminal, 65_536):
            told += some
    return told.decode(), os.waitstatus_to_exitcode(os.waitpid(shell.pid, 0)[1])


def wait_for(read: Callable[[], object], log: Path, patience_s: float = 120) -> None:
    """Wait until `read` gives something."""
    deadline = time.monotonic() + patience_s
    while not read():
        assert time.monotonic() < deadline, log.read_text("utf-8")[-3000:] if log.exists() else "no log"
        time.sleep(0.1)


def end_left(home: Path) -> list[str]:
    """The commands that still run with that home, which are killed."""
    left = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if one.environ().get("HOME") == str(home) and one.status() != psutil.STATUS_ZOMBIE:
                left.append(" ".join(one.cmdline()))
                one.kill()
    return left
