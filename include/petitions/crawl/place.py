"""Where a crawl is: what is stored together with each batch, so that a crawl that was killed goes on from there."""

from dataclasses import dataclass

KNOWN, SAMPLE, DONE = "known", "sample", "done"  # the stages after the lists of a site


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a crawl is: a list of the site, KNOWN, SAMPLE or DONE; how many pages; after which petition."""

    stage: str = ""  # empty: at the very beginning
    page: int = 0
    after: str = ""
