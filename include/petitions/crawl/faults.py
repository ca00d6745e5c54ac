"""How one request can come to nothing: one try that failed, all tries that failed, a page that is none."""

import re

from petitions.crawl.answer import Answer
from petitions.errors import FetchError

_INTERSTITIAL_BYTES = 300
_INTERSTITIAL = re.compile(rb"window\.location\.href\s*=\s*[\"'][^\"']*[?&]wscckey=([\w-]+)[\"']")


class Fault(Exception):
    """One try that failed: why, whether the site blocks us, and for how long it wants to be left alone."""

    def __init__(
        self, reason: str, *, is_block: bool = False, rest_s: float = 0.0, answer: Answer | None = None
    ) -> None:
        super().__init__(reason)
        self.is_block, self.rest_s, self.answer = is_block, rest_s, answer


class UnansweredError(FetchError):
    """One request that had no answer; `answer` is what came at the last try, where anything came.

    `is_steady`: each try failed in the same way.
    """

    def __init__(self, message: str, *, n_tries: int = 1, is_steady: bool = True, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.n_tries, self.is_steady, self.answer = n_tries, is_steady, answer


def find_interstitial_key(answer: Answer) -> str:
    """The key that a page of a few bytes wants to be asked again with, or nothing."""
    found = _INTERSTITIAL.search(answer.body) if len(answer.body) < _INTERSTITIAL_BYTES else None
    return found.group(1).decode() if found else ""
