"""When topics that go on are trusted alone, and when they are compared with topics that are found anew."""

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest

from petitions.records import Source, Window
from petitions.steps import lasting_ids
from petitions.steps.lasting_ids import Published, fit_lasting
from petitions.store.topics import TopicModel
from petitions.text.tokenizer import TOKENIZER
from petitions.topics.alignment import Topics
from petitions.topics.lda_settings import LdaSettings
from petitions.topics.refit import MOST_TURNOVER

WINDOW, N = Window.ending(date(2026, 11, 20)), 100
NPMI = 0.1


def make_published(turnover: float, *, n_known: int = N, n_before: int = N, tokenizer: str = TOKENIZER) -> Published:
    """A published fit of `n_before` petitions that knows `n_known` of tonight's, one of them without a known word."""
    shares = np.zeros((N, 2), np.float32)
    shares[:n_known], shares[0] = (1, 0), 0.5
    model = TopicModel(
        model_id="sample-1", run_id="sample", source=Source("sample"), window=WINDOW, engine="", tokenizer=tokenizer,
        seed=0, n_topics=2, n_petitions=n_before, n_terms=2, npmi=NPMI, c_v=0.5, diversity=1.0, stability=None,
        changed_share=None, note=None, curve=None, artifact="topics/1", fitted_at=datetime(2026, 11, 20, tzinfo=UTC),
    )  # fmt: skip
    topics = Topics(topic_word=np.full((2, 2), 0.5), terms=["학교", "버스"], top_terms=[["학교"], ["버스"]])
    return Published(model=model, topics=topics, topic_ids=[1, 2], names={}, shares=shares, turnover=turnover)


def ask_trust(monkeypatch, published: Published | None) -> float | None:
    asked = []

    def refit(documents, settings, start, *, trusted_npmi):
        asked.append(trusted_npmi)
        return iter(())

    monkeypatch.setattr(lasting_ids, "refit_topics", refit)
    with pytest.raises(lasting_ids.CheckFailedError):
        fit_lasting([], LdaSettings(), WINDOW, published, 2)
    return asked[0]


@pytest.mark.parametrize(
    ("published", "is_trusted"),
    [
        (make_published(0), True),
        (make_published(MOST_TURNOVER - 0.041, n_known=96), True),
        (make_published(MOST_TURNOVER - 0.039, n_known=96), False),
        (make_published(MOST_TURNOVER - 0.039, n_before=104), True),
        (make_published(MOST_TURNOVER - 0.039, n_before=105), False),
        (make_published(0, tokenizer="older"), False),
        (make_published(math.inf), False),
    ],
    ids=["nothing new", "few came", "many came", "few went", "many went", "other tokens", "unknown"],
)
def test_topics_go_on_alone_until_a_tenth_of_the_petitions_has_come_or_gone(monkeypatch, published, is_trusted):
    assert ask_trust(monkeypatch, published) == (NPMI if is_trusted else None)


def test_the_first_fit_is_made_anew(monkeypatch):
    assert ask_trust(monkeypatch, None) is None
