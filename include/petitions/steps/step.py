"""What every step of a run does besides its work: its lock, its record in `pipeline_run`, and its line in the log."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from petitions.errors import DatabaseDownError, PermanentError, TransientError
from petitions.records import Source, Window
from petitions.store import runs
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import PetitionText, count_shown

logger = logging.getLogger(__name__)

FEWEST_PARTS, MOST_PARTS = 8, 64


@dataclass(slots=True)
class Progress:
    """What a step has read and written so far, and the version of what did it."""

    rows_in: int = 0
    rows_out: int = 0
    made_by: str = ""


Report = Callable[[str, Part, runs.StepResult], None]  # told of each step, or part of one, that is done


def report_nothing(step: str, part: Part, result: runs.StepResult) -> None:
    """The report of whoever has nobody to tell."""


@contextmanager
def hold_step(
    engine: Engine,
    source: Source,
    window: Window,
    step: str,
    clock: Callable[[], datetime],
    part: Part = WHOLE,
    report: Report = report_nothing,
) -> Iterator[Progress]:
    """Hold the lock of a step, or of its part, time it, record how it went, log one line of it, and report it.

    Raises:
        TransientError: another process is at it.
    """
    progress, started = Progress(), time.monotonic()
    run_id = runs.name_run(source, window)
    name = step if part == WHOLE else f"{step} {part}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        # Released with the connection, so that a killed step leaves no lock behind.
        held = text("SELECT pg_try_advisory_lock(hashtext('petitions.step'), hashtext(:step))")
        if not lock.scalar(held, {"step": f"{run_id} {name}"}):
            raise TransientError(f"another process is at the step {name} of the run {run_id}")
        try:
            with engine.begin() as conn:
                runs.begin_run(conn, source, window, at=clock())
            yield progress
            result = runs.StepResult(
                rows_in=progress.rows_in,
                rows_out=progress.rows_out,
                seconds=time.monotonic() - started,
                made_by=progress.made_by,
            )
            with engine.begin() as conn:
                runs.record_step(conn, run_id, step, result, part)
        except Exception as error:
            with suppress(DatabaseDownError), engine.begin() as conn:
                runs.fail_step(conn, run_id, step, f"{type(error).__name__}: {error}", part, at=clock())
            raise
        finally:
            lock.execute(text("SELECT pg_advisory_unlock_all()"))
    logger.info("%s %s: %d rows in, %d rows out, %.1f s", run_id, name, result.rows_in, result.rows_out, result.seconds)
    report(step, part, result)


def read_chunks(
    engine: Engine, read: Callable[[Connection], list[PetitionText]], progress: Progress
) -> Iterator[list[PetitionText]]:
    """Read what is not done yet, chunk by chunk; a chunk counts as done when the caller asks for the next."""
    while True:
        with engine.connect() as conn:
            chunk = read(conn)
        if not chunk:
            return
        yield chunk
        progress.rows_in += len(chunk)
        progress.rows_out += len(chunk)
        logger.info("%d petitions done", progress.rows_out)


def begin_parts(
    engine: Engine, source: Source, window: Window, step: str, clock: Callable[[], datetime], size: int
) -> int:
    """Begin a step that workers share, in 8 to 64 parts of about `size` petitions; returns how many parts.

    It is forgotten which parts have failed before.
    """
    with engine.begin() as conn:
        run_id = runs.begin_run(conn, source, window, at=clock())
        runs.forget_failures(conn, run_id, step)
        n_petitions = count_shown(conn, source, window)
    return min(max(-(-n_petitions // size), FEWEST_PARTS), MOST_PARTS)


def refuse_part(engine: Engine, run_id: str, step: str, part: Part) -> None:
    """Refuse a part of a step that was tried by another worker, and failed: it would fail here too.

    Raises:
        PermanentError: its last try ended in an error; a worker that was killed leaves none.
    """
    with engine.connect() as conn:
        failure = runs.read_failure(conn, run_id, step, part)
    if failure:
        raise PermanentError(f"{step} {part} of {run_id} failed by {failure}: not tried again")
