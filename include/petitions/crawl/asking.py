"""Many requests at once, each asked again until its answer can be read.

One petition that has no answer does not end a crawl. When its tries have failed and the site answers for others, what
is given for it is the error; only where nothing is answered any more is that error raised.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from tenacity import Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from petitions.crawl.answer import Answer
from petitions.crawl.fault_log import FaultLog
from petitions.crawl.faults import UnansweredError
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.limiter import Clock
from petitions.crawl.policy import RetryPolicy
from petitions.errors import FetchError, SiteChangedError
from petitions.records import Hidden
from petitions.sources.site import Request

logger = logging.getLogger(__name__)

T = TypeVar("T")
Found = tuple[Answer, T]

FEWEST_ANSWERS, MOST_FAULTS = 3, 0.25  # to others meanwhile: so many, and so many faults for each, tell a healthy site


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[T]):
    """A request for one petition, and what reads its answer; an odd one brought no petition on an earlier night."""

    request: Request
    read: Callable[[Answer], T]
    is_odd: bool = False


MOST_UNREAD = 3  # requests that could not be read in any try, and no other between them: those after are tried once


class Asker:
    """Asks a fetcher from `most_at_once` threads of a pool; garbage is asked for again before it counts."""

    def __init__(
        self, fetcher: Fetcher, pool: Executor, *, most_at_once: int, policy: RetryPolicy, clock: Clock = time
    ) -> None:
        self._fetcher, self._pool, self.most_at_once = fetcher, pool, most_at_once
        self._policy, self._clock = policy, clock
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

    def ask_each(self, questions: Sequence[Question[T]], probe: Request) -> Iterator[Found[T] | UnansweredError]:
        """Ask for petitions; gives in order what was found, or why there was no answer though others had one.

        Args:
            questions: one a petition.
            probe: what the site answers as long as it is up, such as the first page of a list.

        Raises:
            FetchError: a petition had no answer in the tries that the policy allows, nor had anything else.
        """
        return self._pool.map(lambda question: self._ask_one(question, probe), questions)

    def _ask_one(self, question: Question[T], probe: Request) -> Found[T] | UnansweredError:
        """Ask in few tries; in all where the faults may be the site's, since they differ or others meet some too."""
        before = self._fetcher.tally.read()
        few = self._policy.odd_tries if question.is_odd else self._policy.aside_tries
        for most_tries in (min(few, self._policy.tries), self._policy.tries):
            try:
                return self._ask(question.request, question.read, most_tries)
            except UnansweredError as error:
                last = error
            except (FetchError, SiteChangedError) as error:  # it leads elsewhere
                last = UnansweredError(str(error), n_tries=1, is_steady=True)
            is_last = most_tries == self._policy.tries
            if (is_last or (last.is_steady and not self._is_ill(before, last.n_tries))) and self._answers(
                before, probe
            ):
                logger.warning("set aside, since the site answers for others: %s", last)
                return last
        raise last

    def _is_ill(self, before: tuple[int, int], n_own: int) -> bool:
        """Tell whether others met many faults meanwhile too: then more tries may help."""
        n_answers, n_faults = self._count_since(before)
        return n_answers >= FEWEST_ANSWERS and n_faults - n_own > MOST_FAULTS * n_answers

    def _answers(self, before: tuple[int, int], probe: Request) -> bool:
        """Tell whether others had answers meanwhile, or ask for what the site always answers."""
        if self._count_since(before)[0] >= FEWEST_ANSWERS:
            return True
        try:
            return self._fetcher.fetch(probe).status == 200
        except FetchError:
            return False

    def _count_since(self, before: tuple[int, int]) -> tuple[int, int]:
        (n_answers, n_faults), (answers_before, faults_before) = self._fetcher.tally.read(), before
        return n_answers - answers_before, n_faults - faults_before

    def _ask(self, request: Request, read: Callable[[Answer], T], most_tries: int | None = None) -> Found[T]:
        def ask_once() -> Found[T]:
            answer = self._fetcher.fetch(request, most_tries)
            return answer, read(answer)

        found: Found[T] = self._retrying.copy()(ask_once)  # a copy a call: threads must not share its counts
        for _ in range(self._policy.gone_tries - 1):
            if not _is_empty(found):
                break
            self._clock.sleep(self._policy.gone_pause_s)
            found = self._retrying.copy()(ask_once)
        return found


def _is_empty(outcome: tuple[Answer, object]) -> bool:
    """Tell whether an answer of status 200 says that there is nothing, which is believed as 404 is: the second time."""
    answer, found = outcome
    return isinstance(found, Hidden) and found.is_vanished and answer.status == 200
