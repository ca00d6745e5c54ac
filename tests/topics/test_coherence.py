import random

import numpy as np
import pytest
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel

from petitions.topics import coherence
from petitions.topics.coherence import measure_c_v, measure_diversity, measure_npmi, measure_relevance

DOCUMENTS = [["버스", "노선", "정류장"], ["학교", "급식", "학생"]] * 10


def test_terms_that_go_together_are_more_coherent_than_a_mixture():
    together, mixed = measure_npmi([["버스", "노선", "정류장"], ["버스", "급식", "정류장"]], DOCUMENTS)
    assert together == pytest.approx(1, abs=1e-6)
    assert mixed < 0
    assert measure_c_v([["버스", "노선"]], DOCUMENTS) > measure_c_v([["버스", "급식"]], DOCUMENTS)


@pytest.mark.parametrize("at_once", [1, 1000, 500_000])
def test_both_coherences_are_gensims(monkeypatch, at_once):
    monkeypatch.setattr(coherence, "TOKENS_AT_ONCE", at_once)
    chance = random.Random(3)  # noqa: S311 - texts
    lengths = [0, 1, 9, 10, 11, 80, 109, 110, 111, 300]
    documents = [
        [f"단어{int(chance.paretovariate(0.6)) % 300}" for _ in range(chance.choice(lengths))] for _ in range(200)
    ]
    documents += [["버스", "노선"] * 6, [], ["버스"] * 120]  # a window that holds a term more than once
    topics = [[f"단어{1 + 5 * k + n}" for n in range(5)] for k in range(4)] + [["버스", "노선", "단어1"]]
    for kind, ours in (("c_npmi", measure_npmi(topics, documents)), ("c_v", measure_c_v(topics, documents))):
        model = CoherenceModel(
            topics=topics, texts=documents, dictionary=Dictionary(documents), coherence=kind, topn=5, processes=1
        )
        theirs = model.get_coherence_per_topic()
        assert ours == pytest.approx(theirs if kind == "c_npmi" else np.mean(theirs), abs=1e-12)


def test_a_term_that_no_document_holds_counts_nothing():
    assert measure_npmi([["버스", "지하철"]], DOCUMENTS) == [0]
    assert measure_c_v([["지하철", "전철"]], DOCUMENTS) == 0


def test_diversity_is_the_share_of_distinct_terms():
    assert measure_diversity([["버스", "노선"], ["학교", "급식"]]) == 1
    assert measure_diversity([["버스", "노선"], ["버스", "급식"]]) == 0.75
    assert measure_diversity([["버스", "노선"], ["버스", "노선"]]) == 0.5


def test_relevance_lies_between_probability_and_lift():
    topic_word = np.array([[0.6, 0.4], [0.9, 0.1]])
    term_share = np.array([0.8, 0.2])
    assert measure_relevance(topic_word, term_share, 1.0) == pytest.approx(np.log(topic_word))
    assert measure_relevance(topic_word, term_share, 0.0) == pytest.approx(np.log(topic_word / term_share))
    half = measure_relevance(topic_word, term_share, 0.5)
    assert half[0, 1] == pytest.approx(0.5 * np.log(0.4) + 0.5 * np.log(0.4 / 0.2))
    assert half[0].argmax() == 1
