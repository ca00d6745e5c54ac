import hashlib
import subprocess
import sys

import numpy as np
import pytest

from petitions.errors import ConfigError, EmptyWindowError
from petitions.topics.lda import TOP_TERMS, LdaSettings, fit_topics, load_model

SUBJECTS = [
    "학교 급식 교사 학생 교실 수업 방학",
    "버스 지하철 노선 정류장 배차 환승 요금",
    "아파트 분양 주택 전세 집값 대출 청약",
]
SETTINGS = LdaSettings(n_topics=3, n_updates=15, no_above=0.5)


def make_documents(n=120):
    random = np.random.default_rng(7)
    return [list(random.choice(SUBJECTS[number % 3].split(), size=12)) for number in range(n)]


@pytest.fixture(scope="module")
def fit():
    return fit_topics(make_documents(), SETTINGS)


def test_topics_are_the_subjects_that_were_put_in(fit):
    found = {frozenset(item.term for item in topic[:7]) for topic in fit.top_terms}
    assert found == {frozenset(subject.split()) for subject in SUBJECTS}
    main = fit.document_topic.argmax(axis=1)
    assert all(len(set(main[subject::3])) == 1 for subject in range(3))


def test_arrays_have_the_shapes_and_sums_that_are_promised(fit):
    assert fit.topic_word.shape == (3, 21)
    assert fit.topic_word.dtype == fit.document_topic.dtype == np.float32
    assert fit.document_topic.shape == (120, 3)
    assert fit.topic_word.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert fit.document_topic.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (fit.n_petitions, fit.n_terms, fit.seed) == (120, 21, 0)
    assert sorted(fit.terms) == sorted(" ".join(SUBJECTS).split())


def test_terms_fall_by_relevance_and_carry_their_probability(fit):
    for k, topic in enumerate(fit.top_terms):
        assert len(topic) == TOP_TERMS
        relevance = [item.relevance for item in topic]
        assert relevance == sorted(relevance, reverse=True)
        assert topic[0].probability == pytest.approx(fit.topic_word[k, fit.terms.index(topic[0].term)])


def test_measures_are_stored_with_the_fit(fit):
    assert len(fit.npmi_by_topic) == 3
    assert fit.npmi == pytest.approx(np.mean(fit.npmi_by_topic))
    assert -1 <= fit.npmi <= 1
    assert 0 <= fit.c_v <= 1
    assert 0 < fit.diversity <= 1


def test_a_document_without_known_terms_belongs_to_all_topics_alike():
    fit = fit_topics([*make_documents(), [], ["처음보는말"]], SETTINGS)
    assert fit.document_topic[-2:] == pytest.approx(1 / 3)
    assert fit.n_petitions == 120


def test_a_kept_model_reads_back_and_says_the_same(fit):
    model, dictionary = load_model(fit.to_bytes())
    assert np.array_equal(model.get_topics().astype(np.float32), fit.model.get_topics().astype(np.float32))
    assert [dictionary[term_id] for term_id in range(len(dictionary))] == fit.terms


DIGEST = """
import hashlib, sys
sys.path.insert(0, "tests/topics")
from test_lda import digest
print(digest())
"""


def digest():
    fit = fit_topics(make_documents(), SETTINGS)
    parts = (
        fit.topic_word.tobytes(),
        fit.document_topic.tobytes(),
        repr(fit.top_terms).encode(),
        repr([fit.npmi, fit.c_v]).encode(),
    )
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.mark.slow
def test_another_process_gives_the_same_bits(pytestconfig):
    command = [sys.executable, "-c", DIGEST]
    other = subprocess.run(command, cwd=pytestconfig.rootpath, check=True, capture_output=True, text=True)
    assert other.stdout.strip() == digest()


def test_another_seed_gives_another_fit(fit):
    other = fit_topics(make_documents(), LdaSettings(n_topics=3, n_updates=15, no_above=0.5, random_seed=1))
    assert other.seed == 1
    assert not np.array_equal(other.topic_word, fit.topic_word)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "no petition in the window"),
        (make_documents(14), "14 of 14 petitions hold a known term; 3 topics need at least 15"),
        ([["학교", "급식"], ["버스", "노선"], ["집값", "분양"]] * 10, "30 petitions share only 6 terms; at least 20"),
        ([[]] * 30, "0 of 30 petitions hold a known term"),
    ],
)
def test_too_little_to_find_topics_in_is_refused_with_its_numbers(documents, message):
    with pytest.raises(EmptyWindowError, match=message):
        fit_topics(documents, SETTINGS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_topics", 1), ("n_topics", 201), ("random_seed", -1), ("no_above", 0.0), ("relevance_weight", 1.1)]
    + [(name, 0) for name in ("no_below", "max_repeats", "max_terms", "chunksize", "n_updates")],
)
def test_settings_that_cannot_be_are_refused_by_name_and_value(name, value):
    with pytest.raises(ConfigError, match=f"{name} must be .*got {value}"):
        LdaSettings(**{name: value})
