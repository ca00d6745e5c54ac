from dataclasses import dataclass

import numpy as np
import pytest

from petitions.topics import refit
from petitions.topics.lda import Start
from petitions.topics.lda_settings import LdaSettings
from petitions.topics.refit import MARGIN, MOST_FALLEN, MOST_SEEDS, refit_topics

START = Start(topic_word=np.full((9, 1), 1.0), terms=["학교"])


@dataclass
class Fit:
    """What is looked at of a fit."""

    seed: int
    is_warm: bool
    npmi: float
    topic_word: np.ndarray


@pytest.fixture
def fits(monkeypatch):
    """Fits by the formula of a test in place of minutes of sampling; what is made, in its order."""
    made = []

    def make(npmi_anew, n_topics=9):
        def fit_topics(documents, settings, start=None):
            npmi = npmi_anew if start is None else 0.1
            made.append(Fit(settings.random_seed, start is not None, npmi, np.ones((n_topics, 1))))
            return made[-1]

        monkeypatch.setattr(refit, "fit_topics", fit_topics)
        return made

    return make


def test_the_published_topics_are_preferred_until_a_fit_that_begins_anew_is_clearly_better(fits):
    fits(0.1 + MARGIN - 0.001)
    assert [made.fit.is_warm for made in refit_topics([], LdaSettings(), START)] == [True, False] * MOST_SEEDS
    fits(0.1 + MARGIN + 0.001)
    assert [made.fit.is_warm for made in refit_topics([], LdaSettings(), START)] == [False, True] * MOST_SEEDS


def test_without_a_start_or_with_another_number_of_topics_every_fit_begins_anew(fits):
    fits(0.1)
    assert [(made.fit.seed, made.fit.is_warm) for made in refit_topics([], LdaSettings(random_seed=4))] == [
        (seed, False) for seed in range(4, 4 + MOST_SEEDS)
    ]
    made = fits(0.1, n_topics=8)
    assert len(list(refit_topics([], LdaSettings(), START))) == len(made) - MOST_SEEDS == MOST_SEEDS


def test_no_more_is_fitted_than_is_asked_for(fits):
    made = fits(0.1)
    next(refit_topics([], LdaSettings(), START))
    assert len(made) == 2


def test_topics_that_are_trusted_are_fitted_once_and_anew_only_for_who_asks_further(fits):
    made = fits(0.2)
    found = refit_topics([], LdaSettings(), START, trusted_npmi=0.1 + MOST_FALLEN - 0.001)
    assert (next(found).is_compared, len(made)) == (False, 1)
    assert (next(found).is_compared, [fit.is_warm for fit in made]) == (True, [True, False])


def test_trusted_topics_that_became_worse_or_are_not_as_many_are_compared_all_the_same(fits):
    made = fits(0.2)
    worse = next(refit_topics([], LdaSettings(), START, trusted_npmi=0.1 + MOST_FALLEN + 0.001))
    assert (worse.is_compared, worse.fit.is_warm) == (True, False)
    assert [fit.is_warm for fit in made] == [True, False], "a fit that is made already is compared, not made again"
    fits(0.2, n_topics=8)
    fewer = next(refit_topics([], LdaSettings(), START, trusted_npmi=0.1))
    assert (fewer.is_compared, fewer.fit.is_warm) == (True, False)
