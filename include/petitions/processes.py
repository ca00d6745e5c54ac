"""Python programs of ours in processes of their own.

`multiprocessing` will not do: a task of a Celery worker is a daemonic process, which may have no children of it, its
workers outlive a parent that is killed, and Ctrl-C at the terminal reaches them as well.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

Child = subprocess.Popen[bytes]


@contextmanager
def start_process(program: str) -> Iterator[Child]:
    """A process that runs `program` with the path of this one; it is killed at the end of the block.

    Ctrl-C at the terminal is for the process that starts it alone.
    """
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


def open_pipes(child: Child) -> tuple[IO[bytes], IO[bytes]]:
    """What goes to a child, and what comes from it."""
    return cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
