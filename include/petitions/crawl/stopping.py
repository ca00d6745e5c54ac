"""How a crawl is ended before its time: waits that a word ends, threads that nobody has to wait for, and SIGTERM.

A thread that asks a site may sleep for ten minutes, since the site wants to be left alone, or wait for half a minute
for a byte. Python waits at its end for the threads of its own pools; these it leaves. What one of them waits for, it
gives up at its next look at the clock, before anything is sent.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], None]

_LEAVE_AFTER_S = 1.0


class StoppedError(Exception):
    """The crawl is ended: who waited by its clock has nothing more to do."""


class StoppableClock:
    """The clock on the wall; all that waits by it ends when it is stopped, and nobody waits by it again."""

    def __init__(self) -> None:
        self._is_stopped = threading.Event()

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait; of no seconds it just looks.

        Raises:
            StoppedError: the clock was stopped, before or meanwhile.
        """
        if self._is_stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """End all waits."""
        self._is_stopped.set()


class CrawlThreads(Executor):
    """Threads for a block; where it ends by an error, the clock is stopped, and they are left after a second."""

    def __init__(self, n_threads: int, clock: StoppableClock) -> None:
        self._clock, self._jobs = clock, SimpleQueue[Job | None]()
        self._threads = [
            threading.Thread(target=self._work, name=f"crawl-{number}", daemon=True) for number in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a thread call it."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        self._jobs.put(run)
        return future

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.shutdown()
            return
        self._clock.stop()
        self.shutdown(wait=False)
        leave_at = time.monotonic() + _LEAVE_AFTER_S
        for thread in self._threads:
            thread.join(max(0.0, leave_at - time.monotonic()))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the threads end after what they were given."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()


@contextmanager
def end_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, with what has to be done at its end; without effect in another thread.

    Airflow sends it to a task that it ends, in which nothing would heed it, and kills the task five seconds later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before: Any = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
