"""What the threads that ask a site tell each other of it: its blocks (403), and how well it answers."""

import threading
import time


class BlockCount:
    """How many times in a row the site blocked us, whichever thread met it.

    Requests that were on their way when a block began meet it too; they tell nothing new, good or bad.
    """

    def __init__(self) -> None:
        self.n_in_row, self._latest_at, self._lock = 0, 0.0, threading.Lock()

    def note(self, sent_at: float, is_block: bool) -> bool:
        """Take in the answer to a request that was sent at that time.monotonic(); False where it tells nothing."""
        with self._lock:
            if sent_at < self._latest_at:
                return False
            self.n_in_row = self.n_in_row + 1 if is_block else 0
            if is_block:
                self._latest_at = time.monotonic()
            return True


class Tally:
    """How many tries found an answer, and how many a fault, since the crawl began."""

    def __init__(self) -> None:
        self._n_answers, self._n_faults, self._lock = 0, 0, threading.Lock()

    def note(self, *, is_fault: bool) -> None:
        """Take in one try."""
        with self._lock:
            self._n_answers, self._n_faults = self._n_answers + (not is_fault), self._n_faults + is_fault

    def read(self) -> tuple[int, int]:
        """Answers and faults so far."""
        with self._lock:
            return self._n_answers, self._n_faults
