"""Texts come in; what processes of this machine answer to each goes out, in the order of the texts.

Each process is a fresh interpreter that reads and writes lines of JSON. Threads will not do: Mecab's binding holds the
lock of the interpreter while it tags.
"""

import json
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

from petitions.errors import TransientError
from petitions.processes import Child, open_pipes, start_process

TEXTS_A_LINE = 32


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


def _ask(child: Child, texts: Sequence[str]) -> list[Any]:
    to_child, from_child = open_pipes(child)
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
