"""The step fit_topics in a process of its own, while the one that began it encodes: neither reads the other's rows.

The fit samples on one core, after the imports of gensim and pyLDAvis; a thread would hold the lock of the interpreter
for as long. The process records its step as any other does, and takes no accelerator, which the encoders hold.
"""

import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from subprocess import TimeoutExpired

from petitions.crawl.stopping import end_on_sigterm
from petitions.errors import PetitionsError, TransientError
from petitions.garbage import collect_nothing_at_end, collect_seldom
from petitions.logs import log_to_stderr
from petitions.processes import Child, open_pipes, start_process
from petitions.steps.fit_topics import fit_topics
from petitions.steps.step import Run
from petitions.store.database import open_engine
from petitions.store.parts import WHOLE
from petitions.store.runs import StepResult

logger = logging.getLogger(__name__)

# While it imports, Ctrl-C ends it without a word.
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
from petitions.steps.fit_beside import answer_parent
answer_parent()
"""
_END_S = 5.0  # that it has to record that it was interrupted
_Answer = tuple[str, StepResult] | PetitionsError | OSError


@contextmanager
def fit_beside(run: Run) -> Iterator[Callable[[], str]]:
    """Begin to fit; gives what waits for the end and returns the model_id, as `fit_topics` does.

    Who leaves by an error waits for it too: a fit that is made is found by the next run, and one that failed is
    recorded. Ctrl-C and SIGTERM end both, and where this process is killed the other one ends as well.

    Args:
        run: whose clock is a function of a module.

    Raises:
        PetitionsError, OSError: what `fit_topics` raises, by the call of what is given.
        TransientError: the process ended without an answer, by the same call.
    """
    url = run.settings.database_url or run.engine.url.render_as_string(hide_password=False)
    settings = replace(run.settings, database_url=url, accelerator="cpu")
    level = logging.getLogger("petitions").getEffectiveLevel()
    with end_on_sigterm(), start_process(_PROGRAM) as child:
        with suppress(BrokenPipeError):  # told by the call
            to_child, _ = open_pipes(child)
            pickle.dump((level, settings, run.artifacts, run.source, run.window, run.clock), to_child)
            to_child.flush()
        try:
            try:
                yield partial(_receive, run, child)
            except Exception:
                if child.poll() is None:
                    logger.warning("waiting for the step fit_topics: what it makes is found by the next run")
                child.wait()
                raise
        except (KeyboardInterrupt, SystemExit):
            child.send_signal(signal.SIGINT)
            with suppress(TimeoutExpired):
                child.wait(_END_S)
            raise


def answer_parent() -> None:
    """Fit the topics of the run that stands on standard input; answer on standard output, and nothing else there."""
    collect_seldom()
    collect_nothing_at_end()
    level, settings, artifacts, source, window, clock = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()
    log_to_stderr(level)
    with os.fdopen(os.dup(1), "wb") as answers:
        with suppress(OSError):  # where standard error is closed
            os.dup2(2, 1)
        results: list[StepResult] = []
        answer: _Answer
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            run = Run(
                settings=settings,
                engine=open_engine(settings.database_url),
                artifacts=artifacts,
                source=source,
                window=window,
                clock=clock,
                report=lambda step, part, result: results.append(result),
            )
            answer = fit_topics(run), results[0]
        except (PetitionsError, OSError) as error:
            answer = error
        except KeyboardInterrupt:
            return
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is recorded
        pickle.dump(answer, answers)


def _end_with_parent() -> None:
    """End at once when the parent is gone; the step may be killed at any statement."""
    while os.read(0, 1):  # not by sys.stdin, whose lock the interpreter wants at its end
        pass
    os._exit(1)


def _receive(run: Run, child: Child) -> str:
    _, from_child = open_pipes(child)
    try:
        answer: _Answer = pickle.load(from_child)  # noqa: S301 - from our own program
    except EOFError:
        raise TransientError(
            f"the process of fit_topics ended with the status {child.wait()} and without an answer"
        ) from None
    child.wait()
    if isinstance(answer, Exception):
        raise answer
    model_id, result = answer
    run.report("fit_topics", WHOLE, result)
    return model_id
