"""Documents and the published topics come in; fits that may follow them go out, the best first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from petitions.topics.lda import Start, TopicFit, fit_topics
from petitions.topics.lda_settings import LdaSettings

MOST_SEEDS = 3
# A fit that begins at the published topics keeps them, but may stay behind with them when others have become better. So
# both are made. At a margin of 0.015, 90 nights of real fits ended 0.013 below one that begins anew (topic_nights.py).
MARGIN = 0.005  # of NPMI, by which a fit that begins anew must be better


def refit_topics(
    documents: Iterable[Sequence[str]], settings: LdaSettings, start: Start | None = None
) -> Iterator[TopicFit]:
    """Fit from one seed after the other: from the published topics and anew, the one to prefer first.

    Args:
        documents: see `fit_topics`.
        settings: of the first fit; the seeds count up from its seed.
        start: the published topics; without them, or where they are not as many, all fits begin anew.

    Yields:
        Two fits a seed, or one without a start; MOST_SEEDS times, as far as the caller asks.

    Raises:
        EmptyWindowError: see `fit_topics`.
    """
    for seed in range(settings.random_seed, settings.random_seed + MOST_SEEDS):
        anew = fit_topics(documents, replace(settings, random_seed=seed))
        if start is None or len(start.topic_word) != len(anew.topic_word):
            yield anew
            continue
        warm = fit_topics(documents, replace(settings, random_seed=seed), start)
        yield from (anew, warm) if anew.npmi > warm.npmi + MARGIN else (warm, anew)
