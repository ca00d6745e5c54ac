"""Many requests at once, each asked again until its answer can be read."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from tenacity import Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from petitions.crawl.answer import Answer
from petitions.crawl.fault_log import FaultLog
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.limiter import Clock
from petitions.crawl.policy import RetryPolicy
from petitions.sources.site import Request

T = TypeVar("T")

MOST_UNREAD = 3  # requests that could not be read in any try, and no other between them: those after are tried once


class Asker:
    """Asks a fetcher from `most_at_once` threads of a pool; garbage is asked for again before it counts."""

    def __init__(
        self, fetcher: Fetcher, pool: Executor, *, most_at_once: int, policy: RetryPolicy, clock: Clock = time
    ) -> None:
        self._fetcher, self._pool, self.most_at_once = fetcher, pool, most_at_once
        self._retrying = Retrying(
            stop=stop_after_attempt(policy.parse_tries),
            wait=wait_exponential_jitter(policy.first_pause_s, policy.longest_pause_s),
            sleep=clock.sleep,
            retry=retry_if_result(FaultLog(MOST_UNREAD * policy.parse_tries).may_heal),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def ask_all(
        self, requests: Sequence[Request], readers: Sequence[Callable[[Answer], T]]
    ) -> Iterator[tuple[Answer, T]]:
        """Ask for all at once; gives the answers in order, each with what its reader found in it.

        Raises:
            FetchError: a request had no answer in the tries that the policy allows.
        """
        return self._pool.map(self._ask, requests, readers)

    def _ask(self, request: Request, read: Callable[[Answer], T]) -> tuple[Answer, T]:
        def ask_once() -> tuple[Answer, T]:
            answer = self._fetcher.fetch(request)
            return answer, read(answer)

        found: tuple[Answer, T] = self._retrying.copy()(ask_once)  # a copy a call: threads must not share its counts
        return found
