"""Requests to one site: in, a Request; out, the Answer with its bytes, after as many tries as the policy allows.

Tries and pauses are tenacity's, since one pause here depends on the answer (Retry-After, a block), is shared by all
threads and processes through the pace, and must be told to the operator; urllib3's Retry can do none of the three.

An answer counts as a fault and is asked for again: no connection, a timeout, a body that is not whole, 403 (both
sites' block), 408, 429, 5xx, an interstitial page that comes twice. 404 and 410 are answers once a second try, after
a pause, says the same: a site that is being deployed must not make a petition vanish. Another status, such as 400, is
no answer either, when the second try says it again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin

import requests
import urllib3
from protego import Protego
from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from petitions.addresses import Login
from petitions.crawl.answer import Answer
from petitions.crawl.blocks import BlockCount, Tally
from petitions.crawl.causes import find_cause
from petitions.crawl.faults import Fault, UnansweredError, find_interstitial_key
from petitions.crawl.limiter import Pace
from petitions.crawl.policy import RetryPolicy
from petitions.crawl.robots import PRODUCT, parse_rules, read_delay_s, require_allowed
from petitions.crawl.spacing import Clock
from petitions.crawl.transport import BoundedSession
from petitions.errors import ConfigError, FetchError, SiteChangedError
from petitions.sources.fields import shorten
from petitions.sources.site import Request

logger = logging.getLogger(__name__)

USER_AGENT = "Mozilla/5.0 (compatible; petition-topics/0.1{contact})"  # the Assembly answers 400 without "Mozilla/5.0"
MOST_HOPS = 3
LONG_PAUSE_S = 10.0  # whoever looks on is told why it is quiet
GONE = frozenset({404, 410})
SITE_ASKS, PROXY_ASKS = 401, 407
ROBOTS_BLOCKS = 3  # a robots.txt that answers so often with 403 is one that we may not see
_ANSWERED = GONE | {200}
_TRANSIENT = frozenset({408, 429})


def name_user_agent(contact: str) -> str:
    """The User-Agent of all requests: browser-like, with the project and whom to write to.

    Raises:
        ConfigError: `contact` has signs that a header cannot hold.
    """
    if not contact.isascii() or not contact.isprintable():
        raise ConfigError(f"PETITIONS_CONTACT must be an address in printable ASCII, got {contact!r}")
    return USER_AGENT.format(contact=f"; +{contact}" if contact else "")


class Fetcher:
    """Asks one site, from any number of threads; opens no more connections than there are callers at once.

    Close it after use.
    """

    def __init__(
        self,
        base_url: str,
        *,
        contact: str,
        limiter: Pace,
        policy: RetryPolicy,
        login: Login | None = None,
        clock: Clock = time,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url, self._pace, self._policy, self._clock, self._now = base_url, limiter, policy, clock, now
        self._user_agent, self._login = name_user_agent(contact), login
        try:
            self._robots_url = urljoin(base_url, "/robots.txt")
        except ValueError:
            raise ConfigError(f"{base_url}: this is no address that can be asked") from None
        self._idle: list[BoundedSession] = []
        self._robots_lock = threading.Lock()
        self._robots: Protego | None = None
        self._blocks, self.tally = BlockCount(), Tally()
        self._wait_fault = wait_exponential_jitter(
            policy.first_pause_s, policy.longest_pause_s, jitter=policy.first_pause_s
        )

    def fetch(self, request: Request, most_tries: int | None = None) -> Answer:
        """Ask until there is an answer: status 200, or 404 or 410 several times in a row.

        Args:
            request: what to ask.
            most_tries: fewer tries than the policy allows.

        Raises:
            UnansweredError: the last of the allowed tries failed too, or it was another status.
            FetchError: a redirect to another host.
            ConfigError: the site's robots.txt forbids the URL, or asks for a pace that no crawl can keep; or what
                hinders is a proxy, a certificate or an address, which no further try mends.
            SiteChangedError: a redirect to what is no address.
        """
        self.require_allowed(request.url)
        answer = self._retry(request, self._policy.block_tries, most_tries)
        for _ in range(self._policy.gone_tries - 1):
            if answer.status in (200, SITE_ASKS):
                break
            self._clock.sleep(self._policy.gone_pause_s)
            answer = self._retry(request, self._policy.block_tries, most_tries)
        if answer.status == SITE_ASKS:
            raise ConfigError(
                f"{request.url}: the site asks who we are: its address must hold user and password before the host"
            )
        if answer.status not in _ANSWERED:
            self.tally.note(is_fault=True)
            told = f"{request.url}: answered with status {answer.status}"
            raise UnansweredError(told, n_tries=1, is_steady=True, answer=answer)
        self.tally.note(is_fault=False)
        return answer

    def require_allowed(self, url: str) -> None:
        """Refuse what the site's robots.txt forbids; reads it, the first time.

        Raises:
            ConfigError: it forbids the URL, or asks for a pace that no crawl can keep.
            FetchError: it cannot be had.
        """
        with self._robots_lock:  # the first thread reads the rules, the others wait for them
            if self._robots is None:
                self._robots = self._read_robots()
        require_allowed(self._robots, self._robots_url, url)

    def close(self) -> None:
        """Close all connections; no thread may be fetching any more."""
        while self._idle:
            self._idle.pop().close()

    def _retry(self, request: Request, most_blocks: int, most_tries: int | None = None) -> Answer:
        stop_after_tries = stop_after_attempt(most_tries or self._policy.tries)
        retrying = Retrying(
            stop=lambda state: stop_after_tries(state) or self._blocks.n_in_row >= most_blocks,
            wait=self._pause_s,
            sleep=self._clock.sleep,
            retry=retry_if_exception_type(Fault),
        )
        reasons = set[str]()

        def try_once() -> Answer:
            try:
                return self._try(request)
            except Fault as fault:
                reasons.add(str(fault))
                self.tally.note(is_fault=True)
                raise

        try:
            return retrying(try_once)
        except RetryError as error:
            fault, n_tries = error.last_attempt.exception(), error.last_attempt.attempt_number
            answer = fault.answer if isinstance(fault, Fault) else None
            told = f"{request.url}: no answer in {n_tries} tries, the last one: {fault}"
            raise UnansweredError(told, n_tries=n_tries, is_steady=len(reasons) == 1, answer=answer) from fault

    def _pause_s(self, state: RetryCallState) -> float:
        """Seconds to wait after a fault, less those that the pace holds everybody anyway."""
        fault = state.outcome.exception() if state.outcome else None
        rest_s = fault.rest_s if isinstance(fault, Fault) else 0.0
        pause = max(0.0, self._wait_fault(state) - rest_s)
        level = logging.WARNING if pause + rest_s >= LONG_PAUSE_S else logging.INFO
        logger.log(level, "try %d failed (%s), next in %.1f s", state.attempt_number, fault, pause + rest_s)
        return pause

    def _try(self, request: Request) -> Answer:
        """Send once; follow an interstitial page once and redirects within the host."""
        url, is_keyed = request.url, False
        for _ in range(MOST_HOPS + 1):
            answer = self._send(request, url)
            key = find_interstitial_key(answer)
            if key and is_keyed:
                raise Fault("an interstitial page after an interstitial page")
            if key:
                is_keyed, url = True, f"{url}{'&' if '?' in url else '?'}wscckey={quote(key)}"
            elif 300 <= answer.status < 400:
                url = self._follow(request, url, answer.header("Location"))
            else:
                return answer
        raise Fault(f"more than {MOST_HOPS} redirects")

    def _follow(self, request: Request, url: str, location: str) -> str:
        """Where a redirect leads; what a site puts there is nothing to tell to readers."""
        try:
            target = urljoin(url, location)
            is_allowed = self._robots is None or self._robots.can_fetch(target, PRODUCT)
        except ValueError:  # a bracket that does not close, or another sign that no host has
            raise SiteChangedError(f"{request.url}: it leads to no address, found {shorten(location)}") from None
        if not is_allowed:
            raise ConfigError(f"robots.txt forbids where {request.url} leads, found {shorten(target)}")
        return target

    def _send(self, request: Request, url: str) -> Answer:
        """Wait for the turn, send, and tell the pace how it went; the network knows no injected clock."""
        self._pace.wait()
        self._clock.sleep(0.0)  # of a crawl that was ended meanwhile nothing more is sent
        if self._blocks.n_in_row >= self._policy.block_tries:  # another thread gave up: the site is left alone
            raise Fault("blocked", is_block=True)
        sent_at = time.monotonic()
        try:
            answer = self._exchange(request, url)
        except Fault as fault:
            self._rest(fault, sent_at)
            raise
        if answer.status == 200 and self._blocks.note(sent_at, is_block=False):
            self._pace.note(time.monotonic() - sent_at, is_fault=False)  # other statuses tell nothing of the load
        return answer

    def _rest(self, fault: Fault, sent_at: float) -> None:
        """Make everybody leave the site alone for as long as a fault asks for."""
        self._pace.note(time.monotonic() - sent_at, is_fault=True)
        if fault.is_block and self._blocks.note(sent_at, is_block=True):
            fault.rest_s = max(fault.rest_s, self._policy.block_pause_s * 2 ** (self._blocks.n_in_row - 1))
        fault.rest_s = min(fault.rest_s, self._policy.longest_block_s)
        if fault.rest_s:
            self._pace.hold(fault.rest_s)

    def _exchange(self, request: Request, url: str) -> Answer:
        sent = requests.Request(request.method, url, headers=dict(request.headers), data=request.form)
        try:
            with self._take_session() as session:
                response, body, is_cut = session.exchange(sent, self._policy.timeout_s)
        except FetchError as error:
            raise FetchError(f"{request.url}: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            cause = find_cause(error)
            if cause.is_lasting:
                raise ConfigError(f"{request.url}: {cause.told}") from error
            raise Fault(cause.told) from error
        status = response.status_code
        if status == PROXY_ASKS:
            raise ConfigError(f"{request.url}: the proxy asks who we are: HTTP_PROXY must hold name and password")
        answer = Answer(
            url=request.url,
            form=request.form,
            status=status,
            headers=tuple(response.headers.items()),
            body=body,
            is_cut=is_cut,
            fetched_at=self._now(),
        )
        if status == 403 or status in _TRANSIENT or status >= 500:
            rest_s = self._read_retry_after(response.headers.get("Retry-After", ""))
            raise Fault(f"status {status}", is_block=status == 403, rest_s=rest_s, answer=answer)
        return answer

    def _read_retry_after(self, value: str) -> float:
        """Seconds of a Retry-After header, given as seconds or as an HTTP date; 0 where there is none to be read."""
        if value.strip().isdecimal():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - self._clock.time())
        except (ValueError, OverflowError):
            return 0.0

    def _read_robots(self) -> Protego:
        """Read the site's rules; a site that has none, or hides them, allows all (RFC 9309, 2.3.1.3).

        One whose rules cannot be had, because it fails, allows nothing (2.3.1.4): then there is a FetchError.
        """
        url = self._robots_url
        try:
            answer = self._retry(Request(url=url), ROBOTS_BLOCKS)
        except FetchError as error:
            if not isinstance(error.__cause__, Fault) or not error.__cause__.is_block:
                raise
            logger.warning("%s is forbidden to us; taken as a site without rules", url)
            self._blocks = BlockCount()
            return Protego.parse("")
        rules = parse_rules(answer)
        if delay_s := read_delay_s(rules):
            self._pace.slow_down(delay_s)
        return rules

    @contextmanager
    def _take_session(self) -> Iterator[BoundedSession]:
        """A session that nobody else uses now: the one used last, whose connection is the warmest."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = BoundedSession(self._base_url, self._user_agent, self._login)
        try:
            yield session
        finally:
            self._idle.append(session)
