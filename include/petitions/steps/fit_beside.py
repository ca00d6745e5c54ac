"""The step fit_topics in a process of its own, while the one that began it encodes: neither reads the other's rows.

The fit samples on one core, after the imports of gensim and pyLDAvis; a thread would hold the lock of the interpreter
for as long.
"""

import atexit
import gc
import logging
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, cast

from petitions.errors import PetitionsError, TransientError
from petitions.logs import log_to_stderr
from petitions.steps.fit_topics import fit_topics
from petitions.steps.step import Run, tell_failure
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine
from petitions.store.parts import WHOLE
from petitions.store.runs import StepResult
from petitions.text.processes import Child, start_process

_STEP = "fit_topics"
_PROGRAM = "from petitions.steps.fit_beside import answer_parent; answer_parent()"
_Answer = tuple[str, StepResult] | PetitionsError


@contextmanager
def fit_beside(run: Run) -> Iterator[Callable[[], str]]:
    """Begin to fit; gives what waits for the end and returns the model_id, as `fit_topics` does.

    Whoever leaves by an error waits for it too: a fit that is made is found by the next run. Ctrl-C ends both. Where
    this process is killed, the other one ends its step, and itself.

    Raises:
        PetitionsError: what `fit_topics` raises, by the call of what is given.
        TransientError: the process ended without an answer, by the same call.
    """
    with start_process(_PROGRAM) as child:
        with suppress(BrokenPipeError):  # told by the call
            level = logging.getLogger("petitions").getEffectiveLevel()
            pickle.dump((level, run.settings, run.source, run.window, run.clock), cast(IO[bytes], child.stdin))
            cast(IO[bytes], child.stdin).flush()
        try:
            yield partial(_wait, run, child)
        except Exception:
            child.wait()
            raise
        except BaseException:
            if child.poll() is not None:
                raise
            child.kill()
            child.wait()
            with tell_failure(run, _STEP):
                raise


def answer_parent() -> None:
    """Fit the topics of the run that stands on standard input; answer on standard output, and nothing else there."""
    atexit.register(gc.freeze)  # as petitions.cli
    level, settings, source, window, clock = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent
    log_to_stderr(level)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        results: list[StepResult] = []
        answer: _Answer
        try:
            run = Run(
                settings=settings,
                engine=open_engine(settings.database_url),
                artifacts=ArtifactStore(settings.artifacts),
                source=source,
                window=window,
                clock=clock,
                report=lambda step, part, result: results.append(result),
            )
            answer = fit_topics(run), results[0]
        except PetitionsError as error:
            answer = error
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quietly, where nobody is left to be answered
        pickle.dump(answer, answers)


def _wait(run: Run, child: Child) -> str:
    try:
        answer: _Answer = pickle.load(cast(IO[bytes], child.stdout))  # noqa: S301 - from our own program
    except EOFError:
        with tell_failure(run, _STEP):
            raise TransientError(
                f"the process of {_STEP} ended with the status {child.wait()}: is there memory enough?"
            ) from None
    if isinstance(answer, PetitionsError):
        raise answer
    child.wait()
    model_id, result = answer
    run.report(_STEP, WHOLE, result)
    return model_id
