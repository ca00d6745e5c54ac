"""The rules of a site for those who crawl it (robots.txt, RFC 9309), and what to say where they forbid it."""

from protego import Protego

from petitions.crawl.answer import Answer
from petitions.errors import ConfigError

PRODUCT = "petition-topics"
ROBOTS_BYTES = 512_000  # what is read of robots.txt; RFC 9309, 2.5 asks for 500 KiB at least
LONGEST_CRAWL_DELAY_S = 3600.0
_WAYS_LEFT = (
    "ask those who run the site for permission, take the official open data, or crawl an archive or a mirror of it"
)


def parse_rules(answer: Answer) -> Protego:
    """Read the rules of an answer; a site that has none allows all (2.3.1.3).

    Raises:
        ConfigError: they ask for a pace that no crawl can keep.
    """
    text = answer.body[:ROBOTS_BYTES].decode("utf-8-sig", "replace") if answer.status == 200 else ""
    rules = Protego.parse(text)
    delay_s = read_delay_s(rules)
    if delay_s > LONGEST_CRAWL_DELAY_S:
        raise ConfigError(f"{answer.url} asks for {delay_s:g} s between requests, over {LONGEST_CRAWL_DELAY_S:g}")
    return rules


def read_delay_s(rules: Protego) -> float:
    """The seconds that the rules want between two requests; 0 where they say nothing."""
    return float(rules.crawl_delay(PRODUCT) or 0.0)


def require_allowed(rules: Protego, robots_url: str, url: str) -> None:
    """Refuse to ask for what the rules forbid.

    Raises:
        ConfigError: they do; the message says what an operator can do about it.
    """
    if not rules.can_fetch(url, PRODUCT):
        raise ConfigError(f"{robots_url} forbids {url}: {_WAYS_LEFT}")
