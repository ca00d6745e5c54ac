"""Answers that cannot be read: each kind of fault is told once, and where all fail nothing is asked for twice."""

import logging
import re
import threading

from petitions.crawl.answer import Answer
from petitions.errors import ParseError
from petitions.privacy import redact_error
from petitions.records import Reject

logger = logging.getLogger(__name__)


class FaultLog:
    """Of one crawl, for all of its threads."""

    def __init__(self, most_in_row: int) -> None:
        """Prepare one.

        Args:
            most_in_row: so many answers that cannot be read, without one between them that can, are no chance: the
                site has changed, and what is left to ask for is asked once.
        """
        self._most_in_row, self._lock = most_in_row, threading.Lock()
        self._n_in_row, self._told = 0, set[str]()

    def may_heal(self, outcome: tuple[Answer, object]) -> bool:
        """Take in an answer with what was found in it, and tell whether asking again may give what it should be."""
        answer, found = outcome
        fault = found.reason if isinstance(found, Reject) else str(found) if isinstance(found, ParseError) else ""
        if not fault:
            with self._lock:
                self._n_in_row = 0
            return False
        self._tell(answer.url, fault)
        with self._lock:
            self._n_in_row += 1
            n_in_row = self._n_in_row
        if n_in_row == self._most_in_row:
            logger.warning(
                "the last %d answers could not be read, and none between them: no more is asked for twice", n_in_row
            )
        return answer.status == 200 and not answer.is_cut and n_in_row < self._most_in_row

    def _tell(self, url: str, fault: str) -> None:
        """Tell of a fault whose like was not told before, without what was found in the answer."""
        told = redact_error(ParseError(fault))
        kind = re.sub(r"\d+", "0", told.replace(url, ""))
        with self._lock:
            is_new = kind not in self._told
            self._told.add(kind)
        if is_new:
            logger.warning("no petition, the first of its kind (asked for again, with growing pauses): %s", told)
