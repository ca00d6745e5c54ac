import numpy as np
import pytest
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel

from petitions.topics.coherence import measure_c_v, measure_diversity, measure_npmi, measure_relevance

DOCUMENTS = [["버스", "노선", "정류장"], ["학교", "급식", "학생"]] * 10


def test_terms_that_go_together_are_more_coherent_than_a_mixture():
    together, mixed = measure_npmi([["버스", "노선", "정류장"], ["버스", "급식", "정류장"]], DOCUMENTS)
    assert together == pytest.approx(1, abs=1e-6)
    assert mixed < 0
    assert measure_c_v([["버스", "노선"]], DOCUMENTS) > measure_c_v([["버스", "급식"]], DOCUMENTS)


def test_the_numbers_are_those_of_gensim():
    rng = np.random.default_rng(0)
    words = [f"단어{n}" for n in range(30)]
    sizes = (0, 1, 9, 10, 11, 40, 109, 110, 111, 400)
    documents = [list(rng.choice(words, size, p=rng.dirichlet(np.ones(30)))) for size in sizes * 3]
    topics = [words[:8], words[5:13], words[20:28]]

    def ask(kind):
        model = CoherenceModel(
            topics=topics, texts=documents, dictionary=Dictionary(documents), coherence=kind, topn=8, processes=1
        )
        return model.get_coherence_per_topic()

    assert measure_npmi(topics, documents) == pytest.approx(ask("c_npmi"), abs=1e-9)
    assert measure_c_v(topics, documents) == pytest.approx(np.mean(ask("c_v")), abs=1e-9)


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
