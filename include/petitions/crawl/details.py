"""A few petitions asked for at once, each with what came of it; one that has no answer is set aside."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from petitions.crawl.asking import Asker, Question
from petitions.crawl.faults import UnansweredError
from petitions.crawl.pending_batch import PendingBatch
from petitions.crawl.reading import FEWEST_BAD, Item, read_detail
from petitions.errors import FetchError
from petitions.records import Reject, Source
from petitions.sources.site import Site

ReadOdd = Callable[[Collection[str]], Collection[str]]


class Details:
    """Asks for petitions of a site.

    `odd` are the URLs asked for that brought none on an earlier night, `counts` the agreements that lists told.
    """

    def __init__(self, asker: Asker, read_odd: ReadOdd) -> None:
        self._asker, self._read_odd = asker, read_odd
        self.odd, self.counts = set[str](), dict[str, int]()

    def ask(self, site: Site, ids: Sequence[str], pending: PendingBatch) -> Iterator[Item]:
        """Ask for petitions, and keep what comes; gives them in order.

        Raises:
            FetchError: nothing is answered any more, or lists alone.
        """
        requests = [site.detail_request(source_id) for source_id in ids]
        odd = self._read_odd([request.url for request in requests])
        self.odd |= set(odd)
        questions = [
            Question(
                request=request,
                read=partial(read_detail, site, source_id=source_id, counts=self.counts),
                is_odd=request.url in odd,
            )
            for source_id, request in zip(ids, requests, strict=True)
        ]
        n_aside, answers = 0, self._asker.ask_each(questions, site.list_request(site.queries[0], 1))
        for n_before, (question, found) in enumerate(zip(questions, answers, strict=True)):
            if not isinstance(found, UnansweredError):
                answer, item = found
                pending.add(answer, [item])
                yield item
                continue
            n_aside += not question.is_odd
            if n_aside >= FEWEST_BAD and n_aside > n_before / 2:
                raise FetchError(f"{n_aside} of {n_before + 1} petitions have no answer, though lists have: {found}")
            yield _set_aside(site.source, question, found, pending)


def _set_aside(source: Source, question: Question[Item], error: UnansweredError, pending: PendingBatch) -> Item:
    """Keep why a petition has no answer, and what the site said in place of one."""
    if error.answer is None:
        item: Item = Reject(source=source, url=question.request.url, reason=str(error), artifact="", is_aside=True)
        pending.add_unanswered(item)
        return item
    item = question.read(error.answer)
    pending.add(error.answer, [item])
    return item
