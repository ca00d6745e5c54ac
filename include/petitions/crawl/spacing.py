"""How far apart requests to a site are sent: the arithmetic of the pace of one process and of the shared one."""

from typing import Protocol

# Requests are spaced a little wider than asked for, so that what the network and the scheduler shift does not squeeze
# one more into a second at the server: up to a tenth of a second may be lost on the way.
SLACK = 1.1

# A success in less than this is a quick one; a slower one, or a fault, tells that the site suffers.
QUICK_S = 0.5
REST = 2.0  # after an answer that took t seconds the site is left alone for 2 t: it works for us half of the time
LONGEST_S = 60.0  # what slow answers can widen the spacing to

# With a share p of faults the logarithm of the spacing drifts by p ln 1.5 + (1 - p) ln 0.8 an answer: -0.035 for
# p = 0.3, so that faults by chance do not drive it to the cap for good, and upwards above p = 0.355.
WIDEN, NARROW = 1.5, 0.8
MOST_WIDENED = 10.0  # times the base, by faults: each request that fails has growing pauses of its own besides

# After a rest this long the next request is a probe, and nobody else may follow it until it can have an answer.
LONG_REST_S = 30.0
PROBE_S = 10.0


class Clock(Protocol):
    """What the crawl reads and waits by; the module `time` is one."""

    def monotonic(self, /) -> float:
        """Seconds that never run backwards."""

    def time(self, /) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float, /) -> None:
        """Wait; where the crawl is ended meanwhile, the wait ends by an error."""


class Spacing:
    """Seconds between two requests: never under the base, wider where the site is slow or fails.

    After AutoThrottle of Scrapy (https://docs.scrapy.org/en/latest/topics/autothrottle.html): the latency sets the
    spacing, halfway at a time, and an answer that is no success never narrows it. Two things differ: faults widen it
    too, and quick answers count as no load at all, so that a rate that the site bears well is kept.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._base_s = self._spacing_s = SLACK / requests_per_second
        self._is_careful = False

    @property
    def seconds(self) -> float:
        """How long nobody may follow the next request."""
        return max(self._spacing_s, PROBE_S) if self._is_careful else self._spacing_s

    def slow_down(self, spacing_s: float) -> None:
        """Never space requests closer than this (Crawl-delay)."""
        self._base_s = max(self._base_s, spacing_s)
        self._spacing_s = max(self._spacing_s, spacing_s)

    def note_rest(self, seconds: float) -> None:
        """Take in that the site is left alone for so long; a long rest makes careful, up to the next success."""
        self._is_careful = self._is_careful or seconds >= LONG_REST_S

    def note(self, seconds: float, is_fault: bool) -> None:
        """Take in how long a try took, and how it ended."""
        rest = min(REST * seconds, LONGEST_S) if seconds > QUICK_S else 0.0
        slower = (self._spacing_s + rest) / 2
        if is_fault:
            widened = min(WIDEN * self._spacing_s, MOST_WIDENED * self._base_s)
            self._spacing_s = max(self._spacing_s, widened, slower)
            return
        self._is_careful = False
        self._spacing_s = slower if rest > self._spacing_s else max(self._base_s, rest, NARROW * self._spacing_s)
