"""The pace of a crawl: one limiter, shared by all threads that ask one site."""

import threading
from typing import Protocol

# Requests are spaced a little wider than asked for, so that what the network shifts does not squeeze one more
# into a second at the server.
SLACK = 1.05


class Clock(Protocol):
    """What the crawl reads and waits by; the module `time` is one."""

    def monotonic(self, /) -> float:
        """Seconds that never run backwards."""

    def time(self, /) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


class Limiter:
    """Lets requests pass one at a time, evenly spaced; time that went unused is never made up for."""

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spacing_s = SLACK / requests_per_second
        self._free_at = clock.monotonic()

    def wait(self) -> None:
        """Block until the next request may be sent."""
        while True:
            with self._lock:
                now = self._clock.monotonic()
                pause = self._free_at - now
                if pause <= 0:
                    self._free_at = now + self._spacing_s
                    return
            self._clock.sleep(pause)

    def hold(self, seconds: float) -> None:
        """Let no request of any thread pass for so long: the site asked for a rest."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock.monotonic() + seconds)

    def slow_down(self, spacing_s: float) -> None:
        """Space requests at least so widely from now on (Crawl-delay)."""
        with self._lock:
            self._spacing_s = max(self._spacing_s, spacing_s)
