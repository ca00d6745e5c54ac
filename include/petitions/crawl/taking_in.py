"""What another tool recorded, taken into the archive: masked, and in the form of a crawl's own answers.

So its rows name a raw answer as all others do, a later replay of the archive brings them too, and what may not be kept
is not. One file of the archive holds the answers of one site and one Korean day; taking it in twice changes nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive, ArchiveFile
from petitions.crawl.recorded import read_recorded
from petitions.crawl.sites import move_site, open_site
from petitions.errors import PermanentError
from petitions.records import Source, Window, korean_day
from petitions.settings import Settings
from petitions.sources.site import Site

logger = logging.getLogger(__name__)


def take_in(
    paths: Sequence[Path], source: Source, window: Window, archive: Archive, settings: Settings
) -> list[ArchiveFile]:
    """Put the answers of recorded files into the archive; gives its files that have them, in the order of time.

    Args:
        paths: WARC or WACZ files of any tool.
        source: whose answers are looked for, at the site of the settings or any other host with its paths.
        window: of the replay that follows.
        archive: where they go.
        settings: where the site is, and how it is asked.

    Raises:
        PermanentError: no such file, no WARC, or no answer of the source in any of them.
    """
    wanted = _Wanted(source, window, settings)
    groups: dict[tuple[str, date], list[Answer]] = defaultdict(list)
    for path in paths:
        for answer in read_recorded(path, wanted):
            groups[_origin(answer.url), korean_day(answer.fetched_at)].append(answer)
    if not groups:
        hosts = ", ".join(sorted(wanted.others)[:3]) or "none"
        raise PermanentError(f"{', '.join(map(str, paths))}: no answer of {source}; other hosts in it: {hosts}")
    found = [_keep(answers, source, archive) for answers in groups.values()]
    by_path = {file.path: file for file in archive.list_files(source)}
    logger.info("%s: %d recorded answers taken in", source, sum(map(len, groups.values())))
    return [by_path[path] for path in sorted(set(found))]


class _Wanted:
    """Tells the addresses of a source's lists and petitions, at any host; `others` are the hosts that have none."""

    def __init__(self, source: Source, window: Window, settings: Settings) -> None:
        self._source, self._window, self._settings = source, window, settings
        self._sites: dict[str, tuple[Site, set[str]]] = {}
        self.others: set[str] = set()

    def __call__(self, url: str) -> bool:
        """Tell whether an address is one of the source."""
        origin = _origin(url)
        if not origin.startswith(("http://", "https://")):
            return False
        if origin not in self._sites:
            settings = move_site(self._settings, self._source, url)
            site = open_site(self._source, self._window, settings, self._window.until)
            lists = {urlsplit(site.list_request(query, 1).url).path for query in site.queries}
            self._sites[origin] = site, lists
        site, lists = self._sites[origin]
        is_wanted = site.find_petition(url) is not None or urlsplit(url).path in lists
        if not is_wanted:
            self.others.add(urlsplit(url).netloc)
        return is_wanted


def _keep(answers: Iterable[Answer], source: Source, archive: Archive) -> str:
    """Write answers, in the order of time, as one file; gives its path, that of before where it is there already."""
    ordered = sorted(answers, key=lambda answer: answer.fetched_at)
    at = ordered[-1].fetched_at
    for file in archive.list_files(source):
        if file.seen_at == at:
            kept = [(answer.url, answer.fetched_at) for _, answer in archive.read_file(file.path)[1]]
            if kept == [(answer.url, answer.fetched_at) for answer in ordered]:
                return file.path
    with archive.open_batch(source, at=at) as batch:
        number = [batch.add(answer) for answer in ordered][-1]
    return batch.reference(number).partition("#")[0]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
