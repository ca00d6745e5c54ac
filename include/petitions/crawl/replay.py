"""The archive read again as a crawl: the same batches from the same answers, without the network.

What a crawl asked for is told by the URLs in the archive, host included: a site that has moved since is replayed as it
was. Answers that the crawl could not use (a list of another shape) are passed over here too.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import urlsplit

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive, ArchiveFile
from petitions.crawl.reading import (
    CrawlBatch,
    Item,
    find_mass,
    is_bad,
    name_fault,
    parse_answer,
    read_counts,
    read_detail,
    read_faults,
)
from petitions.crawl.sites import move_site, open_site
from petitions.errors import ParseError, PermanentError
from petitions.records import Petition, Source, Window, korean_day
from petitions.settings import Settings
from petitions.sources.site import Listing, Site

logger = logging.getLogger(__name__)


def replay(
    source: Source, window: Window, archive: Archive, settings: Settings, files: Sequence[ArchiveFile] | None = None
) -> Iterator[CrawlBatch]:
    """Give what the crawls of a source brought, batch by batch in the order of time.

    Petitions that begin outside the window are left out; what has no such day (rejects and hidden ones) is not. A
    batch that a crawl refused, since the site had changed, is skipped. `files` are those of the archive to read; None
    reads all.

    Raises:
        PermanentError: there is no file of the source, one is damaged, or holds answers of no such site.
    """
    files = archive.list_files(source) if files is None else files
    if not files:
        raise PermanentError(f"the archive at {archive.store.url} has no answer of {source}")
    odd = set[str]()  # as the crawl of each file knew them
    counts, counted_on = dict[str, int](), date.min  # by the lists of a night
    for file in files:
        seen_at, answers = archive.read_file(file.path)
        if korean_day(seen_at) != counted_on:
            counts, counted_on = {}, korean_day(seen_at)
        items = list(_read_items(answers, file.path, source, window, settings, counted_on, counts))
        bad = find_mass(items, odd)
        if bad is not None:
            logger.warning("%s is skipped, as the crawl did: %s", file.path, name_fault(bad))
            continue
        odd |= {item.url for item in items if is_bad(item)}
        kept = [item for item in items if not isinstance(item, Petition) or item.begins_on in window]
        yield CrawlBatch(items=kept, seen_at=seen_at)


def _read_items(
    answers: Iterator[tuple[str, Answer]],
    path: str,
    source: Source,
    window: Window,
    settings: Settings,
    today: date,
    counts: dict[str, int],
) -> Iterator[Item]:
    """Read the answers of a file; `counts` are what lists told so far, and take in what those of the file tell."""
    site: Site | None = None
    n_known, url = 0, ""
    for reference, answer in answers:
        url = answer.url
        if site is None:
            site = open_site(source, window, move_site(settings, source, url), today)
        source_id = site.find_petition(url)
        if source_id is not None:
            n_known += 1
            yield read_detail(site, answer, source_id, reference, counts)
        elif urlsplit(url).path == urlsplit(site.list_request(site.queries[0], 1).url).path:
            n_known += 1
            listing = _read_list(site, answer)
            counts |= read_counts(listing)
            yield from read_faults(site, answer, listing, reference)
    if site is not None and not n_known:
        raise PermanentError(f"{path}: no answer is of the site {source} at {site.base_url}; the last one is of {url}")


def _read_list(site: Site, answer: Answer) -> Listing:
    try:
        return parse_answer(answer, site.parse_list)
    except ParseError:  # the crawl stopped there
        return Listing(entries=())
