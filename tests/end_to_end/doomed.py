"""Run one step of a pipeline in a process of its own and kill it, without warning, at a chosen SQL statement.

    Doomed(environ).run("crawl", 3, "bluehouse", "2019-09-01", 1)

The statement counts from 1 those that the step sends; 0 never kills. A step that was not killed tells how many it
sent. The processes are forked from a server that has imported what all steps need, which is a third of their time.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import event

from petitions.pipeline import Pipeline

LIMIT_S = 300
STEPS = ("crawl", "tokenize", "find_copies", "fit_topics", "encode", "score", "label", "check", "publish")
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__, "pytest", *(f"petitions.steps.{step}" for step in STEPS)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a step ended: as `subprocess` has it, below 0 for a signal."""

    returncode: int
    n_statements: int  # 0 where it did not come to its end
    stderr: str


class Doomed:
    """Runs steps, each in a process of its own, under settings that stand in the environment."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ, self._told = dict(environ), folder / "told"
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, step: str, fatal: int, source: str, until: str, months: int) -> Ended:
        """Run a step to its end, or to its statement number `fatal`."""
        self._told.write_text("", encoding="utf-8")
        arguments = (self._environ, self._told, step, fatal, source, until, months)
        process = CONTEXT.Process(target=run_step, args=arguments)
        process.start()
        process.join(LIMIT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{step} took more than {LIMIT_S} s: {self._told.read_text('utf-8')[-3000:]}")
        told = self._told.read_text(encoding="utf-8")
        n_statements = int(told.rpartition("statements: ")[2]) if process.exitcode == 0 else 0
        return Ended(returncode=process.exitcode, n_statements=n_statements, stderr=told)


def run_step(
    environ: Mapping[str, str], told: Path, step: str, fatal: int, source: str, until: str, months: int
) -> None:
    """Run one step in this process, which writes what it has to say to a file."""
    with told.open("ab", buffering=0) as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    for name in [name for name in os.environ if name.startswith("PETITIONS_")]:
        del os.environ[name]
    os.environ.update(environ)
    pipeline = Pipeline.open(source=source, until=date.fromisoformat(until), months=months)
    sent = 0

    def count(conn, cursor, statement, parameters, context, executemany):
        nonlocal sent
        sent += 1
        if sent == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(pipeline.engine, "before_cursor_execute", count)
    event.listen(pipeline.engine, "commit", lambda conn: count(conn, None, "COMMIT", None, None, False))
    if step in ("score", "check", "publish"):
        getattr(pipeline, step)(pipeline.read_model_id())
    else:
        getattr(pipeline, step)()
    sys.stderr.flush()
    print(f"statements: {sent}", flush=True)
