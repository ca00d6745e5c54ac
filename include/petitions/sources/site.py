"""What a crawl needs to know of a site: requests to send, and parsers from bytes to records. No network here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from petitions.records import Petition, Source, Status, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a site: a GET, or a POST where there is a form."""

    url: str
    form: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def method(self) -> str:
        """The HTTP method."""
        return "POST" if self.form else "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One petition in a list answer. `status` is None where the list does not tell it apart.

    `sorted_by` is the day that the list is asked to be sorted by, the latest first.
    """

    source_id: str
    begins_on: date
    sorted_by: date
    status: Status | None = None
    n_agreements: int | None = None  # where the list tells it, for a page that does not


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a list: its petitions, and for each row that is none, what is wrong with it."""

    entries: tuple[Entry, ...]
    faults: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """The rows of the page, petitions or not; 0 past the end of the list."""
        return len(self.entries) + len(self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPage:
    """A page that says that the site's administrator hides the petition."""

    source_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPage:
    """An answer with nothing in it: the site knows no such petition, or does not any more."""

    source_id: str


class Site(Protocol):
    """One site over one window: what to ask it and how to read its answers.

    All parsers raise ParseError, naming the URL, the selector or key, and what was found there.
    """

    @property
    def source(self) -> Source:
        """The source that the site is."""

    @property
    def base_url(self) -> str:
        """Where the site is, without a slash at the end."""

    @property
    def window(self) -> Window:
        """The days on which the petitions that are asked for begin."""

    @property
    def queries(self) -> Sequence[str]:
        """The lists to read: the open petitions first; one that ends during the crawl is met in a later list."""

    def list_request(self, query: str, page: int) -> Request:
        """Ask for one page (from 1) of a list."""

    def parse_list(self, answer: bytes, url: str) -> Listing:
        """Read one page of a list."""

    def detail_request(self, source_id: str) -> Request:
        """Ask for one petition."""

    def find_petition(self, url: str) -> str | None:
        """Tell which petition the URL of a detail request asks for; None where it is no such URL."""

    def parse_detail(self, answer: bytes, url: str, source_id: str) -> Petition | HiddenPage | MissingPage:
        """Read one petition."""
