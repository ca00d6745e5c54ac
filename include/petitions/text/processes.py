"""Texts come in; what processes of this machine answer to each goes out, in the order of the texts.

Each process is a fresh interpreter that reads and writes lines of JSON. `multiprocessing` will not do: a task of a
Celery worker is a daemonic process, which may have no children of it. Threads will not do: Mecab's binding holds the
lock of the interpreter while it tags.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import IO, Any, cast

from petitions.errors import TransientError

TEXTS_A_LINE = 32
Child = subprocess.Popen[bytes]


def map_in_processes(program: str, texts: Sequence[str], n_processes: int) -> list[Any]:
    """What `program`, which calls `answer_lines`, answers to each text.

    Raises:
        TransientError: a process ended before it answered, as when the machine ran out of memory.
    """
    lines = [texts[start : start + TEXTS_A_LINE] for start in range(0, len(texts), TEXTS_A_LINE)]
    idle: SimpleQueue[Child] = SimpleQueue()

    def ask_idle(line: Sequence[str]) -> list[Any]:
        child = idle.get()
        try:
            return _ask(child, line)
        finally:
            idle.put(child)

    with ExitStack() as stack:
        for _ in range(n_processes):
            idle.put(stack.enter_context(start_process(program)))
        pool = stack.enter_context(ThreadPoolExecutor(n_processes))  # its threads only wait
        return [answer for answers in pool.map(ask_idle, lines) for answer in answers]


def answer_lines(answer: Callable[[str], Any]) -> None:
    """Answer each text of each line of the standard input, until it ends: when the parent wants no more, or is gone."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quietly, where nobody is left to be answered
    for line in sys.stdin.buffer:
        answers = [answer(text) for text in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(answers).encode() + b"\n")
        sys.stdout.buffer.flush()


@contextmanager
def start_process(program: str) -> Iterator[Child]:
    """A process that runs `program` with the path of this one; Ctrl-C at the terminal is for this one alone."""
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-P", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        process_group=0,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()  # closes the pipes, broken or not


def _ask(child: Child, texts: Sequence[str]) -> list[Any]:
    to_child, from_child = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
    try:
        to_child.write(json.dumps(texts).encode() + b"\n")  # ASCII, so that half a surrogate pair passes
        to_child.flush()
        line = from_child.readline()
    except BrokenPipeError:
        line = b""
    if not line:
        raise TransientError(f"a process that tokenizes ended with the status {child.wait()}: is there memory enough?")
    answers: list[Any] = json.loads(line)
    return answers
