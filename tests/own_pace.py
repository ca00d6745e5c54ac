"""The pace of one process, by a clock of the test: in place of `petitions.store.pace`, which asks the database."""

import threading

from petitions.crawl.limiter import Clock
from petitions.crawl.spacing import Spacing


class Limiter:
    """Requests pass one at a time; time that went unused is never made up for."""

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spacing = Spacing(requests_per_second)
        self._free_at = clock.monotonic()

    def wait(self) -> None:
        """Block until the next request may be sent."""
        while True:
            with self._lock:
                now = self._clock.monotonic()
                left = self._free_at - now
                if left <= 0:
                    self._free_at = now + self._spacing.seconds
                    return
            self._clock.sleep(left)

    def hold(self, seconds: float) -> None:
        """Let no request of any thread pass for so long: the site asked for a rest."""
        with self._lock:
            self._spacing.note_rest(seconds)
            self._free_at = max(self._free_at, self._clock.monotonic() + seconds)

    def slow_down(self, spacing_s: float) -> None:
        """Space requests at least so widely from now on (Crawl-delay), the next one too."""
        with self._lock:
            self._spacing.slow_down(spacing_s)
            self._free_at = max(self._free_at, self._clock.monotonic() + spacing_s)

    def note(self, seconds: float, is_fault: bool) -> None:
        """Take in how long a try took and how it ended."""
        with self._lock:
            self._spacing.note(seconds, is_fault)
