"""May the site be asked, and does it answer with a list? Judged for `petitions doctor`, before a first night fails."""

import time
from contextlib import closing

from petitions.errors import FetchError, ParseError, SiteChangedError
from petitions.records import Source, Window, korean_day
from petitions.settings import Settings
from petitions.sources.registry import SOURCES

SITE_TIMEOUT_S = 5
MOST_PATIENT_S = 15.0  # between the two requests
_WAYS_IN = (
    "a login or a waiting room may stand before it: look with a browser, and hand its answers in by "
    "`petitions crawl --replay FILE`"
)


class OwnPace:
    """The pace of a few requests of one thread, as wide as the settings and the site want it."""

    def __init__(self, requests_per_second: float) -> None:
        self.spacing_s, self._asked_at = 1.0 / requests_per_second, -float("inf")

    def wait(self) -> None:
        """Block until the next request may be sent."""
        time.sleep(max(0.0, self._asked_at + self.spacing_s - time.monotonic()))
        self._asked_at = time.monotonic()

    def hold(self, seconds: float) -> None:
        """Do nothing: after a block nothing more is asked."""

    def slow_down(self, spacing_s: float) -> None:
        """Space requests at least so widely from now on."""
        self.spacing_s = max(self.spacing_s, spacing_s)

    def note(self, seconds: float, is_fault: bool) -> None:
        """Do nothing: there is one try."""


def examine_site(settings: Settings) -> str:
    """Read robots.txt and page 1 of the first list, as the crawl would.

    Raises:
        ConfigError: robots.txt forbids what a crawl asks for; the message says what an operator can do.
        FetchError: the site does not answer.
        SiteChangedError: it answers with something that is no list.
    """
    source = Source(settings.source)
    if not SOURCES[source].url:
        return f"{source} needs none"
    from petitions.crawl.faults import Fault, UnansweredError

    try:
        told = _read_list(source, settings)
    except UnansweredError as error:
        if isinstance(error.__cause__, Fault):
            raise FetchError(f"{settings.site_url(source)} does not answer: {error.__cause__}") from error
        raise
    except (FetchError, SiteChangedError) as error:  # it leads elsewhere
        raise type(error)(f"{error}; {_WAYS_IN}") from error
    reach = "" if settings.contact else "; PETITIONS_CONTACT is empty: those who run the site cannot reach you"
    return told + reach


def _read_list(source: Source, settings: Settings) -> str:
    from petitions.crawl.fetcher import Fetcher
    from petitions.crawl.policy import RetryPolicy
    from petitions.crawl.reading import parse_answer
    from petitions.crawl.sites import open_site, require_site
    from petitions.steps.step import now

    require_site(source, settings)
    today = korean_day(now())
    site = open_site(source, Window.ending(today), settings, today)
    policy = RetryPolicy(tries=1, gone_tries=1, block_tries=1, timeout_s=SITE_TIMEOUT_S)
    pace, login = OwnPace(settings.requests_per_second), settings.site_logins.get(source)
    fetcher = Fetcher(site.base_url, contact=settings.contact, limiter=pace, policy=policy, login=login)
    with closing(fetcher):
        requests = [site.list_request(query, 1) for query in site.queries]
        for request in requests:
            fetcher.require_allowed(request.url)
        if pace.spacing_s > MOST_PATIENT_S:
            return f"{site.base_url} is to be asked every {pace.spacing_s:g} s alone; its list was not read"
        answer = fetcher.fetch(requests[0])
        try:
            listing = parse_answer(answer, site.parse_list)
        except ParseError as error:
            hint = f"; {_WAYS_IN}" if answer.body.lstrip()[:1] == b"<" else ""
            raise SiteChangedError(f"page 1 of the list is no list: {error}{hint}") from error
        for entry in listing.entries[:1]:
            fetcher.require_allowed(site.detail_request(entry.source_id).url)
    if not listing.n_rows:
        raise SiteChangedError(f"{site.base_url} answers, but page 1 of its list of open petitions is empty")
    return f"{site.base_url} answers, robots.txt allows it, page 1 of the list has {listing.n_rows} petitions"
