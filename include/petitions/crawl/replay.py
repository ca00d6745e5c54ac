"""The archive read again as a crawl: the same batches from the same answers, without the network.

What a crawl asked for is told by the URLs in the archive, host included: a site that has moved since is replayed as it
was. Answers that the crawl could not use (a list of another shape) are passed over here too.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from urllib.parse import urlsplit

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.crawl.reading import (
    CrawlBatch,
    Item,
    find_mass,
    is_bad,
    name_fault,
    parse_answer,
    read_detail,
    read_faults,
)
from petitions.crawl.sites import open_site
from petitions.errors import ParseError, PermanentError
from petitions.records import Petition, Source, Window, korean_day
from petitions.settings import Settings
from petitions.sources.site import Site

logger = logging.getLogger(__name__)


def replay(source: Source, window: Window, archive: Archive, settings: Settings) -> Iterator[CrawlBatch]:
    """Give what the crawls of a source brought, batch by batch in the order of time.

    Petitions that begin outside the window are left out; what has no such day (rejects and hidden ones) is not. A
    batch that a crawl refused, since the site had changed, is skipped.

    Raises:
        PermanentError: there is no file of the source, one is damaged, or holds answers of no such site.
    """
    files = archive.list_files(source)
    if not files:
        raise PermanentError(f"the archive at {archive.store.url} has no answer of {source}")
    odd = set[str]()  # as the crawl of each file knew them
    for file in files:
        seen_at, answers = archive.read_file(file.path)
        items = list(_read_items(answers, file.path, source, window, settings, korean_day(seen_at)))
        bad = find_mass(items, odd)
        if bad is not None:
            logger.warning("%s is skipped, as the crawl did: %s", file.path, name_fault(bad))
            continue
        odd |= {item.url for item in items if is_bad(item)}
        kept = [item for item in items if not isinstance(item, Petition) or item.begins_on in window]
        yield CrawlBatch(items=kept, seen_at=seen_at)


def _read_items(
    answers: Iterator[tuple[str, Answer]], path: str, source: Source, window: Window, settings: Settings, today: date
) -> Iterator[Item]:
    site: Site | None = None
    n_known, url = 0, ""
    for reference, answer in answers:
        url = answer.url
        if site is None:
            site = open_site(source, window, _move_site(settings, source, url), today)
        source_id = site.find_petition(url)
        if source_id is not None:
            n_known += 1
            yield read_detail(site, answer, source_id, reference)
        elif urlsplit(url).path == urlsplit(site.list_request(site.queries[0], 1).url).path:
            n_known += 1
            yield from _read_list(site, answer, reference)
    if site is not None and not n_known:
        raise PermanentError(f"{path}: no answer is of the site {source} at {site.base_url}; the last one is of {url}")


def _move_site(settings: Settings, source: Source, url: str) -> Settings:
    """Take scheme and host from a URL of the archive, and the path of the site, if it has one, from the settings."""
    origin = urlsplit(url)
    moved = urlsplit(settings.site_url(source))._replace(scheme=origin.scheme, netloc=origin.netloc).geturl()
    return replace(settings, site_urls={source: moved})


def _read_list(site: Site, answer: Answer, reference: str) -> list[Item]:
    try:
        listing = parse_answer(answer, site.parse_list)
    except ParseError:  # the crawl stopped there
        return []
    return read_faults(site, answer, listing, reference)
