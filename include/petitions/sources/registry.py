"""The sources, a row each: what they are called, where they are, and which module reads them.

To add a source is to write its parser, add a row here, and list its categories where it has a list. The rest follows:
the setting PETITIONS_<NAME>_URL, the choices of commands, DAG and pages, their labels, the crawl and the replay.

Parsers are named, not imported: whoever parses a DAG file or reads the settings needs the names alone, and the parsers
bring lxml.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pkgutil import resolve_name
from typing import Protocol

from petitions.errors import ConfigError
from petitions.records import Petition, Source, Window
from petitions.sources.site import Site


class OpenSite(Protocol):
    """What a parser's `open_site` is: what to ask the site at `base_url` over a window, read as of a day in Korea."""

    def __call__(self, *, base_url: str, window: Window, today: date, **options: str) -> Site:
        """Make the site; nothing is asked yet. Options are those that its row names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One source: a site that is crawled (`url` and `open_site`), or records that ship with the project (`read`)."""

    label: tuple[str, str]  # Korean, English
    url: str = ""  # where the site is, unless PETITIONS_<NAME>_URL says otherwise
    closed_on: str = ""  # the day, YYYY-MM-DD, since which nothing answers there: only mirrors can be asked
    open_site: str = ""  # "module:name" of an OpenSite
    options: tuple[str, ...] = ()  # of `open_site`, such as "requests": the values of the settings <name>_<option>
    read: str = ""  # "module:name" of what takes a window and gives its petitions, without any network

    def load_site(self) -> OpenSite:
        """Import the parser of a site."""
        found: OpenSite = resolve_name(self.open_site)
        return found

    def load_reader(self) -> Callable[[Window], Iterator[Petition]]:
        """Import the reader of records that ship with the project."""
        found: Callable[[Window], Iterator[Petition]] = resolve_name(self.read)
        return found


SOURCES: dict[str, SourceEntry] = {
    "assembly": SourceEntry(
        label=("국회 국민동의청원", "National Assembly"),
        url="https://petitions.assembly.go.kr",
        open_site="petitions.sources.assembly:open_site",
        options=("requests",),
    ),
    "bluehouse": SourceEntry(
        label=("청와대 국민청원", "Blue House"),
        url="https://www1.president.go.kr",
        closed_on="2022-05-09",
        open_site="petitions.sources.bluehouse:open_site",
    ),
    "sample": SourceEntry(label=("예시 (지어낸 글)", "Sample (invented)"), read="petitions.sources.sample:read_sample"),
}


def find_source(name: str, asked_by: str = "source") -> Source:
    """The source of a name.

    Args:
        name: such as "assembly".
        asked_by: the option or the setting that named it, for the error.

    Raises:
        ConfigError: there is no such source.
    """
    if name not in SOURCES:
        raise ConfigError(f"{asked_by} must be one of {', '.join(SOURCES)}, got {name!r}")
    return Source(name)
