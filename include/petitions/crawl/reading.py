"""From raw answers to what is stored of them: the same for a crawl and for a replay of the archive."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from petitions.crawl.answer import Answer
from petitions.crawl.policy import MAX_BODY_BYTES
from petitions.errors import ParseError
from petitions.records import Hidden, Petition, Reject
from petitions.sources.site import HiddenPage, Site
from petitions.store.progress import Place

GONE = (404, 410)
FEWEST_BAD, MOST_BAD = 10, 0.25  # of one batch

Item = Petition | Hidden | Reject
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
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


def read_detail(site: Site, answer: Answer, source_id: str, reference: str) -> Item:
    """Read the answer to a detail request; `reference` is its place in the archive."""
    about = {"source": site.source, "url": answer.url, "artifact": reference}
    if answer.status in GONE:
        return Hidden(source_id=source_id, is_vanished=True, **about)  # type: ignore[arg-type]
    try:
        found = parse_answer(answer, lambda body, url: site.parse_detail(body, url, source_id))
    except ParseError as error:
        return Reject(reason=str(error), **about)  # type: ignore[arg-type]
    if isinstance(found, HiddenPage):
        return Hidden(source_id=source_id, **about)  # type: ignore[arg-type]
    return replace(found, artifact=reference)


def is_bad(item: Item) -> bool:
    """Tell whether an item counts against the site: no petition, or one that is not there any more."""
    return isinstance(item, Reject) or (isinstance(item, Hidden) and item.is_vanished)


def find_mass(items: Sequence[Item]) -> Reject | Hidden | None:
    """One of the bad items of a batch where they are too many to be single pages: then the site has changed."""
    bad = [item for item in items if isinstance(item, Reject | Hidden) and is_bad(item)]
    return bad[-1] if len(bad) >= FEWEST_BAD and len(bad) > MOST_BAD * len(items) else None
