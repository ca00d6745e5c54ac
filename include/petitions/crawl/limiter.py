"""What a crawl asks of the pace it keeps; `petitions.store.pace` has the one of all threads, processes and machines."""

from contextlib import AbstractContextManager
from typing import Protocol

from petitions.crawl.spacing import Clock as Clock


class Pace(Protocol):
    """Who asks a site waits here before each request, and tells here how it went."""

    def wait(self) -> None:
        """Block until the next request may be sent."""

    def hold(self, seconds: float) -> None:
        """Let no request pass for so long: the site asked for a rest."""

    def slow_down(self, spacing_s: float) -> None:
        """Space requests at least so widely from now on (Crawl-delay)."""

    def note(self, seconds: float, is_fault: bool) -> None:
        """Take in how long a try took and how it ended, to be slower where the site suffers."""


class HeldPace(Pace, Protocol):
    """A pace with connections that are shared with others."""

    def hold_connections(self) -> AbstractContextManager[int]:
        """Hold some connections, and tell how many; at least one."""
