"""Documents and the published topics come in; fits that may follow them go out, the best first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from petitions.topics.lda import Start, TopicFit, fit_topics
from petitions.topics.lda_settings import LdaSettings

MOST_SEEDS = 3
# A fit that begins at the published topics keeps them, but may stay behind with them when others have become better. So
# one is made anew too where so many petitions have come or gone since the last one: few more make no better topics.
MOST_TURNOVER = 0.1  # of the petitions of a window; about seven nights of a window of three months
# 24 windows of the Blue House, three days apart: NPMI 0.1170 so, 0.1175 where both are made each night.
MARGIN = 0.002  # of NPMI, by which a fit that begins anew must be better
MOST_FALLEN = 0.005  # of NPMI, below the published fit's: then one is made anew all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """A fit, and whether one that begins anew was made over the same documents: it may be this one."""

    fit: TopicFit
    is_compared: bool


def refit_topics(
    documents: Iterable[Sequence[str]],
    settings: LdaSettings,
    start: Start | None = None,
    *,
    trusted_npmi: float | None = None,
) -> Iterator[Refit]:
    """Fit from one seed after the other: from the published topics and anew, the one to prefer first.

    Args:
        documents: see `fit_topics`.
        settings: of the first fit; the seeds count up from its seed.
        start: the published topics; without them, or where they are not as many, all fits begin anew.
        trusted_npmi: of the published fit, where so little has come or gone that its topics need no comparison. A fit
            from them comes first and alone, unless it is worse than that by more than MOST_FALLEN; None: never.

    Yields:
        Two fits a seed, or one without a start; MOST_SEEDS times, as far as the caller asks.

    Raises:
        EmptyWindowError: see `fit_topics`.
    """
    for seed in range(settings.random_seed, settings.random_seed + MOST_SEEDS):
        of_seed = replace(settings, random_seed=seed)
        warm = None
        if start is not None and trusted_npmi is not None:
            warm = fit_topics(documents, of_seed, start)
            if len(warm.topic_word) == len(start.topic_word) and warm.npmi >= trusted_npmi - MOST_FALLEN:
                yield Refit(fit=warm, is_compared=False)
                yield Refit(fit=fit_topics(documents, of_seed), is_compared=True)
                continue
            trusted_npmi = None
        yield from _compare(documents, of_seed, start, warm)


def _compare(
    documents: Iterable[Sequence[str]], settings: LdaSettings, start: Start | None, warm: TopicFit | None
) -> Iterator[Refit]:
    """Make both fits of a seed, but the warm one that is made already; where there is no start for it, one alone."""
    anew = fit_topics(documents, settings)
    if start is None or len(start.topic_word) != len(anew.topic_word):
        yield Refit(fit=anew, is_compared=True)
        return
    warm = warm or fit_topics(documents, settings, start)
    for fit in (anew, warm) if anew.npmi > warm.npmi + MARGIN else (warm, anew):
        yield Refit(fit=fit, is_compared=True)
