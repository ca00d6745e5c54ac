import numpy as np
import pytest
from gensim.corpora import Dictionary

from petitions.topics.coherence import measure_c_v, measure_diversity, measure_npmi, measure_relevance

DOCUMENTS = [["버스", "노선", "정류장"], ["학교", "급식", "학생"]] * 10


def test_terms_that_go_together_are_more_coherent_than_a_mixture():
    dictionary = Dictionary(DOCUMENTS)
    together, mixed = measure_npmi([["버스", "노선", "정류장"], ["버스", "급식", "정류장"]], DOCUMENTS, dictionary)
    assert together == pytest.approx(1, abs=1e-6)
    assert mixed < 0
    assert measure_c_v([["버스", "노선"]], DOCUMENTS, dictionary) > measure_c_v(
        [["버스", "급식"]], DOCUMENTS, dictionary
    )


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
