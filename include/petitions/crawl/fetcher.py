"""Requests to one site: in, a Request; out, the Answer with its bytes, after as many tries as the policy allows.

Tries and pauses are tenacity's, since one pause here depends on the answer (Retry-After, a block), is shared by all
threads through the limiter, and must be told to the operator; urllib3's Retry can do none of the three.

An answer counts as a fault and is asked for again: no connection, a timeout, a body shorter than its Content-Length,
403 (both sites' block), 408, 429, 5xx, an interstitial page that comes twice. 404 and 410 are answers.
"""

import logging
import re
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3
from protego import Protego
from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from petitions.crawl.answer import Answer
from petitions.crawl.limiter import Clock, Limiter
from petitions.crawl.policy import MAX_BODY_BYTES, RetryPolicy
from petitions.errors import ConfigError, FetchError
from petitions.sources.site import Request

logger = logging.getLogger(__name__)

PRODUCT = "petition-topics"
USER_AGENT = "Mozilla/5.0 (compatible; petition-topics/0.1{contact})"  # the Assembly answers 400 without "Mozilla/5.0"
MOST_HOPS = 3
ROBOTS_TRIES = 3
_CHUNK_BYTES = 65_536
_ANSWERED = frozenset({200, 404, 410})
_TRANSIENT = frozenset({408, 429})
_INTERSTITIAL_BYTES = 300
_INTERSTITIAL = re.compile(rb"window\.location\.href\s*=\s*[\"'][^\"']*[?&]wscckey=([\w-]+)[\"']")


class _Fault(Exception):
    """One try that failed: why, whether the site blocks us, and for how long it wants to be left alone."""

    def __init__(self, reason: str, *, is_block: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.is_block, self.retry_after_s = is_block, retry_after_s


def name_user_agent(contact: str) -> str:
    """The User-Agent of all requests: browser-like, with the project and whom to write to.

    Raises:
        ConfigError: `contact` has signs that a header cannot hold.
    """
    if not contact.isascii() or not contact.isprintable():
        raise ConfigError(f"PETITIONS_CONTACT must be an address in printable ASCII, got {contact!r}")
    return USER_AGENT.format(contact=f"; +{contact}" if contact else "")


class Fetcher:
    """Asks one site, from any number of threads, each over a connection of its own; close it after use."""

    def __init__(
        self,
        base_url: str,
        *,
        contact: str,
        limiter: Limiter,
        policy: RetryPolicy,
        clock: Clock = time,
    ) -> None:
        self._base_url, self._limiter, self._policy, self._clock = base_url, limiter, policy, clock
        self._user_agent = name_user_agent(contact)
        self._local, self._sessions_lock, self._robots_lock = threading.local(), threading.Lock(), threading.Lock()
        self._sessions: list[requests.Session] = []
        self._robots: Protego | None = None
        self._wait_fault = wait_exponential_jitter(
            policy.first_pause_s, policy.longest_pause_s, jitter=policy.first_pause_s
        )

    def fetch(self, request: Request) -> Answer:
        """Ask until there is an answer: status 200, 404 or 410.

        Raises:
            FetchError: the last of the allowed tries failed too, another status, or a redirect to another host.
            ConfigError: the site's robots.txt forbids the URL.
        """
        with self._robots_lock:  # the first thread reads the rules, the others wait for them
            if self._robots is None:
                self._robots = self._read_robots()
        self._check_robots(request.url)
        answer = self._retry(request, self._policy.tries)
        if answer.status not in _ANSWERED:
            raise FetchError(f"{request.url}: answered with status {answer.status}")
        return answer

    def close(self) -> None:
        """Close all connections."""
        with self._sessions_lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def _retry(self, request: Request, tries: int) -> Answer:
        retrying = Retrying(
            stop=stop_after_attempt(tries),
            wait=self._pause_s,
            sleep=self._clock.sleep,
            retry=retry_if_exception_type(_Fault),
        )
        try:
            return retrying(self._try, request)
        except RetryError as error:
            fault = error.last_attempt.exception()
            raise FetchError(f"{request.url}: no answer in {tries} tries, the last one: {fault}") from fault

    def _pause_s(self, state: RetryCallState) -> float:
        """Seconds to wait after a fault; where the site asked for a rest, all threads wait."""
        fault = state.outcome.exception() if state.outcome else None
        pause = self._wait_fault(state)
        if isinstance(fault, _Fault):
            if fault.is_block:
                pause = min(self._policy.block_pause_s * 2 ** (state.attempt_number - 1), self._policy.longest_block_s)
            pause = max(pause, min(fault.retry_after_s, self._policy.longest_block_s))
            if fault.is_block or fault.retry_after_s:
                self._limiter.hold(pause)
        logger.info("try %d failed (%s), next in %.1f s", state.attempt_number, fault, pause)
        return pause

    def _try(self, request: Request) -> Answer:
        """Send once; follow an interstitial page once and redirects within the host."""
        url, is_keyed = request.url, False
        for _ in range(MOST_HOPS + 1):
            answer = self._send(request, url)
            key = _find_interstitial_key(answer)
            if key and is_keyed:
                raise _Fault("an interstitial page after an interstitial page")
            if key:
                is_keyed, url = True, f"{url}{'&' if '?' in url else '?'}wscckey={quote(key)}"
            elif 300 <= answer.status < 400:
                url = self._check_redirect(request.url, urljoin(url, answer.header("Location")))
            else:
                return answer
        raise _Fault(f"more than {MOST_HOPS} redirects")

    def _send(self, request: Request, url: str) -> Answer:
        self._limiter.wait()
        headers = {"User-Agent": self._user_agent, **dict(request.headers)}
        try:
            with self._session().request(
                request.method,
                url,
                data=request.form or None,
                headers=headers,
                timeout=self._policy.timeout_s,
                stream=True,
                allow_redirects=False,
            ) as response:
                body, is_cut = self._read_body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _Fault(f"{type(error).__name__} at {url}") from error
        status = response.status_code
        if status == 403 or status in _TRANSIENT or status >= 500:
            retry_after_s = self._read_retry_after(response.headers.get("Retry-After", ""))
            raise _Fault(f"status {status}", is_block=status == 403, retry_after_s=retry_after_s)
        return Answer(
            url=request.url,
            form=request.form,
            status=status,
            headers=tuple(response.headers.items()),
            body=body,
            is_cut=is_cut,
            fetched_at=datetime.fromtimestamp(self._clock.time(), UTC),
        )

    def _read_body(self, response: requests.Response) -> tuple[bytes, bool]:
        """Read the decompressed body, up to a size and a time: a drop a second must not hold a thread for ever."""
        chunks, size = [], 0
        deadline = time.monotonic() + self._policy.timeout_s * 2  # the network knows no injected clock
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                return b"".join(chunks)[:MAX_BODY_BYTES], True
            if time.monotonic() > deadline:
                raise _Fault(f"the body took over {self._policy.timeout_s * 2:.0f} s")
        return b"".join(chunks), False

    def _read_retry_after(self, value: str) -> float:
        """Seconds of a Retry-After header, given as seconds or as an HTTP date; 0 where there is none to be read."""
        if value.strip().isdigit():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - self._clock.time())
        except ValueError:
            return 0.0

    def _check_redirect(self, url: str, target: str) -> str:
        if _name_host(target) != _name_host(url):
            raise FetchError(f"{url}: redirects to another host, {urlsplit(target).netloc}")
        self._check_robots(target)
        return target

    def _check_robots(self, url: str) -> None:
        if self._robots is not None and not self._robots.can_fetch(url, PRODUCT):
            raise ConfigError(f"{urljoin(url, '/robots.txt')} forbids {url}")

    def _read_robots(self) -> Protego:
        """Read the site's rules; a site that has none, or hides them, allows all (RFC 9309, 2.3.1.3)."""
        url = urljoin(self._base_url, "/robots.txt")
        try:
            answer = self._retry(Request(url=url), ROBOTS_TRIES)
        except FetchError as error:
            if not isinstance(error.__cause__, _Fault) or not error.__cause__.is_block:
                raise
            logger.warning("%s is forbidden to us; taken as a site without rules", url)
            return Protego.parse("")
        rules = Protego.parse(answer.body.decode("utf-8", "replace") if answer.status == 200 else "")
        self._limiter.slow_down(float(rules.crawl_delay(PRODUCT) or 0.0))
        return rules

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            with self._sessions_lock:
                self._sessions.append(session)
        return session


def _find_interstitial_key(answer: Answer) -> str:
    """The key that a page of a few bytes wants to be asked again with, or nothing."""
    found = _INTERSTITIAL.search(answer.body) if len(answer.body) < _INTERSTITIAL_BYTES else None
    return found.group(1).decode() if found else ""


def _name_host(url: str) -> tuple[str | None, int | None]:
    """Host and port; http and https of one host count as the same."""
    parts = urlsplit(url)
    return parts.hostname, None if parts.port in (80, 443) else parts.port
