"""What every step of a run is given, and does besides its work: its lock, its record, and its line in the log."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from petitions.errors import DatabaseDownError, PermanentError, TransientError
from petitions.records import PetitionText, Source, Window
from petitions.settings import Settings
from petitions.store import runs
from petitions.store.artifacts import ArtifactStore
from petitions.store.locks import name_holders
from petitions.store.parts import WHOLE, Part

logger = logging.getLogger(__name__)

_LOCK = "petitions.step"
MOST_PARTS = 64
CHUNK = 256  # petitions in one transaction of encode and score: a killed step loses the work on so many at most


@dataclass(slots=True)
class Progress:
    """What a step has read and written so far, and the version of what did it."""

    rows_in: int = 0
    rows_out: int = 0
    made_by: str = ""
    is_skipped: bool = False


class Read(Protocol):
    """What reads the next petitions that lack something, in the order of their ids, those after an id."""

    def __call__(self, conn: Connection, source: Source, window: Window, *, after: str) -> list[PetitionText]:
        """At most one chunk of them."""


Report = Callable[[str, Part, runs.StepResult], None]  # told of each step, or part of one, that is done


def report_nothing(step: str, part: Part, result: runs.StepResult) -> None:
    """The report of whoever has nobody to tell."""


def now() -> datetime:
    """The moment, in UTC; the only clock of the package, and tests give another."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: a source, a window, and where its rows and files go."""

    settings: Settings
    engine: Engine
    artifacts: ArtifactStore
    source: Source
    window: Window
    clock: Callable[[], datetime] = field(default=now)
    report: Report = field(default=report_nothing)

    @property
    def run_id(self) -> str:
        """The key of the run: source and window."""
        return runs.name_run(self.source, self.window)

    def step(self, name: str, part: Part = WHOLE) -> AbstractContextManager[Progress]:
        """Hold a step; see `hold_step`."""
        return hold_step(self, name, part)


@contextmanager
def hold_step(run: Run, step: str, part: Part = WHOLE) -> Iterator[Progress]:
    """Hold the lock of a step, or of its part, time it, record how it went, log one line of it, and report it.

    Raises:
        TransientError: another process is at it.
    """
    progress, started = Progress(), time.monotonic()
    run_id = run.run_id
    name = step if part == WHOLE else f"{step} {part}"
    with run.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        # Released with the connection, so that a killed step leaves no lock behind, nor one whose machine is lost.
        held = text("SELECT pg_try_advisory_lock(hashtext(:kind), hashtext(:step))")
        if not lock.scalar(held, {"kind": _LOCK, "step": f"{run_id} {name}"}):
            holder = name_holders(lock, _LOCK, f"{run_id} {name}")
            raise TransientError(f"another process is at the step {name} of the run {run_id}: {holder}")
        try:
            with tell_failure(run, step, part):
                with run.engine.begin() as conn:
                    runs.begin_step(conn, runs.begin_run(conn, run.source, run.window), step, part, at=run.clock())
                yield progress
                result = runs.StepResult(**asdict(progress), seconds=time.monotonic() - started)
                with run.engine.begin() as conn:
                    runs.record_step(conn, run_id, step, result, part, at=run.clock())
        finally:
            lock.execute(text("SELECT pg_advisory_unlock_all()"))
    logger.info("%s %s: %d rows in, %d rows out, %.1f s", run_id, name, result.rows_in, result.rows_out, result.seconds)
    run.report(step, part, result)


@contextmanager
def tell_failure(run: Run, step: str, part: Part = WHOLE) -> Iterator[None]:
    """Record what a step, or a part of it, ends by where that is an error, and let the error go on.

    Any error: Airflow ends a task that takes too long by one that is no Exception, and so does who presses Ctrl-C.
    """
    try:
        yield
    except BaseException as error:
        with suppress(DatabaseDownError), run.engine.begin() as conn:
            runs.begin_run(conn, run.source, run.window)
            runs.fail_step(conn, run.run_id, step, error, part, at=run.clock())
        raise


def read_chunks(run: Run, read: Read, progress: Progress) -> Iterator[list[PetitionText]]:
    """Read what is not done yet, chunk by chunk; a chunk counts as done when the caller asks for the next.

    Each chunk is looked for behind the one before, or the way to it would grow with what is done; at the end all is
    looked through once more, for what was edited meanwhile.
    """
    after = ""
    while True:
        with run.engine.connect() as conn:
            chunk = read(conn, run.source, run.window, after=after)
        if not chunk and not after:
            return
        if not chunk:
            after = ""
            continue
        after = chunk[-1].petition_id
        yield chunk
        progress.rows_in += len(chunk)
        progress.rows_out += len(chunk)
        logger.info("%d petitions done", progress.rows_out)


def read_made_by(run: Run, step: str) -> str:
    """Which version did an earlier step of the run, such as the encoder's name.

    Raises:
        ConfigError: it has not been done, or parts of it were done by another version than others.
    """
    with run.engine.connect() as conn:
        return runs.read_made_by(conn, run.run_id, step)


def begin_parts(run: Run, steps: Sequence[str], n_left: int) -> int:
    """Begin steps that workers share, by what is left to do; returns in how many parts: 0 where that is nothing.

    A part is about a chunk of petitions. It is forgotten which parts have failed before.
    """
    n_parts = min(-(-n_left // CHUNK), MOST_PARTS)
    with run.engine.begin() as conn:
        run_id = runs.begin_run(conn, run.source, run.window)
        for step in steps:
            runs.forget_failures(conn, run_id, step, max(n_parts, 1))
    return n_parts


def refuse_part(run: Run, step: str, part: Part) -> None:
    """Refuse a part of a step that was tried by another worker, and failed: it would fail here too.

    Raises:
        PermanentError: its last try ended in an error; a worker that was killed leaves none.
    """
    with run.engine.connect() as conn:
        failure = runs.read_failure(conn, run.run_id, step, part)
    if failure:
        raise PermanentError(f"{step} {part} of {run.run_id} failed by {failure}: not tried again")
