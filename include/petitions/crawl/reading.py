"""From raw answers to what is stored of them: the same for a crawl and for a replay of the archive."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from petitions.crawl.answer import Answer
from petitions.crawl.place import Place
from petitions.crawl.policy import MAX_BODY_BYTES
from petitions.errors import ParseError
from petitions.records import Hidden, Petition, Reject
from petitions.sources.site import HiddenPage, Listing, MissingPage, Site

GONE = (404, 410)
FEWEST_BAD, MOST_BAD = 10, 0.25  # of one batch: more are not single bad pages
FEWEST_GONE = 3

Item = Petition | Hidden | Reject
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlBatch:
    """What was read from the answers of one archive file, when, and where the crawl was when it had them."""

    items: list[Item]
    seen_at: datetime
    place: Place = Place()


def parse_answer(answer: Answer, parse: Callable[[bytes, str], T]) -> T:
    """Parse an answer that is whole and has status 200.

    Raises:
        ParseError: it is another one, or not what the site used to say.
    """
    if answer.status != 200:
        raise ParseError(f"{answer.url}: answered with status {answer.status}")
    if answer.is_cut:
        raise ParseError(f"{answer.url}: the answer goes on past {MAX_BODY_BYTES} bytes")
    return parse(answer.body, answer.url)


def read_detail(
    site: Site, answer: Answer, source_id: str, reference: str = "", counts: Mapping[str, int] = MappingProxyType({})
) -> Item:
    """Read the answer to a detail request.

    Args:
        site: what reads it.
        answer: to a request for the petition.
        source_id: of the petition.
        reference: the place of the answer in the archive.
        counts: the agreements that a list told, for an answer that tells none.
    """
    url = answer.url
    vanished = Hidden(source=site.source, source_id=source_id, url=url, artifact=reference, is_vanished=True)
    if answer.status in GONE:
        return vanished
    try:
        found = parse_answer(answer, lambda body, where: site.parse_detail(body, where, source_id))
    except ParseError as error:
        is_aside = answer.status != 200
        return Reject(source=site.source, url=url, reason=str(error), artifact=reference, is_aside=is_aside)
    if isinstance(found, MissingPage):
        return vanished
    if isinstance(found, HiddenPage):
        return Hidden(source=site.source, source_id=source_id, url=url, artifact=reference)
    if not found.is_counted and source_id in counts:
        found = replace(found, n_agreements=counts[source_id], is_counted=True)
    return replace(found, artifact=reference)


def read_faults(site: Site, answer: Answer, listing: Listing, reference: str = "") -> list[Item]:
    """Make a reject of each row of a list that is no petition."""
    return [Reject(source=site.source, url=answer.url, reason=fault, artifact=reference) for fault in listing.faults]


def read_counts(listing: Listing) -> dict[str, int]:
    """The agreements that a page of a list tells, by petition."""
    return {entry.source_id: entry.n_agreements for entry in listing.entries if entry.n_agreements is not None}


def is_bad(item: Item) -> bool:
    """Tell whether an item counts against the site: no petition, or one that is not there any more."""
    return isinstance(item, Reject) or (isinstance(item, Hidden) and item.is_vanished)


def name_fault(item: Item) -> str:
    """What is wrong with a bad item, and where its raw answer is."""
    reason = item.reason if isinstance(item, Reject) else f"{item.url}: the site knows no such petition"
    return f"{reason} (raw answer: {item.artifact or 'none'})"


def find_mass(items: Sequence[Item], odd: Collection[str] = ()) -> Item | None:
    """One of the bad items of a batch where they are too many to be single pages: then the site has changed.

    Of petitions that are not there any more, or have no answer, a few are enough, if they are most of the batch.

    Args:
        items: of one batch.
        odd: URLs that brought no petition on an earlier night: they tell nothing new.
    """
    bad = [item for item in items if is_bad(item) and item.url not in odd]
    lost = [item for item in bad if isinstance(item, Hidden) or (isinstance(item, Reject) and item.is_aside)]
    if len(bad) >= FEWEST_BAD and len(bad) > MOST_BAD * len(items):
        return bad[-1]
    return lost[-1] if len(lost) >= FEWEST_GONE and len(lost) > len(items) / 2 else None
