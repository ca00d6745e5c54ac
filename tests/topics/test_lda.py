import hashlib
import io
import logging
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from gensim.corpora import Dictionary
from gensim.models import LdaModel

from petitions.errors import ConfigError, EmptyWindowError
from petitions.topics import lda
from petitions.topics.lda import DICTIONARY_FILE, MODEL_FILE, TOP_TERMS, Start, fit_topics
from petitions.topics.lda_settings import LdaSettings
from petitions.topics.online import infer_shares

pytestmark = pytest.mark.slow

SUBJECTS = [
    "학교 급식 교사 학생 교실 수업 방학",
    "버스 지하철 노선 정류장 배차 환승 요금",
    "아파트 분양 주택 전세 집값 대출 청약",
]
SETTINGS = LdaSettings(n_topics=3, burn_in=50, n_samples=3, no_above=0.5)


def make_documents(n=120):
    random = np.random.default_rng(7)
    return [list(random.choice(SUBJECTS[number % 3].split(), size=12)) for number in range(n)]


def test_a_word_of_more_than_half_of_the_texts_stands_in_the_topics_that_are_about_it():
    documents = make_documents()
    for number in range(0, len(documents), 3):  # all of one subject, and a half of the others
        documents[number] = [*documents[number], "코로나", "코로나"]
    for number in range(1, len(documents), 6):
        documents[number] = [*documents[number], "코로나"]
    assert sum("코로나" in document for document in documents) >= 0.5 * len(documents)
    settings = replace(SETTINGS, no_above=LdaSettings().no_above)
    top = [[item.term for item in topic[:12]] for topic in fit_topics(documents, settings).top_terms]
    assert any("코로나" in terms and "급식" in terms for terms in top)


@pytest.fixture(scope="module")
def fit():
    return fit_topics(make_documents(), SETTINGS)


def test_gensim_does_not_tell_of_each_pass(caplog):
    with caplog.at_level(logging.INFO):
        fit_topics(make_documents(), SETTINGS)
    assert not [record for record in caplog.records if record.name.startswith("gensim")]


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


def test_terms_carry_their_probability(fit):
    for k, topic in enumerate(fit.top_terms):
        assert len(topic) == TOP_TERMS
        assert topic[0].probability == pytest.approx(fit.topic_word[k, fit.terms.index(topic[0].term)])


def test_measures_are_stored_with_the_fit(fit):
    assert len(fit.npmi_by_topic) == 3
    assert fit.npmi == pytest.approx(np.mean(fit.npmi_by_topic))
    assert -1 <= fit.npmi <= 1
    assert 0 <= fit.measure_c_v() <= 1
    assert 0 < fit.diversity <= 1


def test_a_document_without_known_terms_belongs_to_all_topics_alike():
    fit = fit_topics([*make_documents(), [], ["처음보는말"]], SETTINGS)
    assert fit.document_topic[-2:] == pytest.approx(1 / 3)
    assert fit.n_petitions == 120


def test_a_kept_model_is_gensims_and_infers_the_same_main_topics(fit, tmp_path):
    with zipfile.ZipFile(io.BytesIO(fit.to_bytes())) as archive:
        archive.extractall(tmp_path)
    model, dictionary = LdaModel.load(str(tmp_path / MODEL_FILE)), Dictionary.load(str(tmp_path / DICTIONARY_FILE))
    assert [dictionary[term_id] for term_id in range(len(dictionary))] == fit.terms
    assert model.get_topics() == pytest.approx(fit.topic_word, abs=0.02)
    shares = infer_shares(model, [dictionary.doc2bow(document) for document in make_documents()])
    assert (shares.argmax(axis=1) == fit.document_topic.argmax(axis=1)).all()


def test_a_corpus_too_large_to_sample_is_streamed_through_gensim(fit, monkeypatch):
    settings = replace(SETTINGS, max_sampled_tokens=1_000)
    online = fit_topics(make_documents(), settings)
    assert online.engine.startswith("gensim 4")
    assert fit.engine.startswith("tomotopy 0.14")
    found = {frozenset(item.term for item in topic[:7]) for topic in online.top_terms}
    assert found == {frozenset(subject.split()) for subject in SUBJECTS}
    main = online.document_topic.argmax(axis=1)
    assert all(len(set(main[subject::3])) == 1 for subject in range(3))
    monkeypatch.setattr(lda, "N_SAMPLE", 60)  # larger than the sample, too
    monkeypatch.setattr(lda, "BLOCK", 50)
    few = [*make_documents()[:-1], ["없는말"]]
    assert fit_topics(few, settings).is_borne.tolist() == 119 * [True] + [False]


def test_a_small_corpus_gets_fewer_topics_and_says_so(fit):
    small = fit_topics(make_documents(), replace(SETTINGS, n_topics=15))
    assert len(small.top_terms) == 12
    assert small.note == "12 topics in place of 15: 120 petitions, 21 terms"
    assert fit.note == ""


def test_a_fit_that_begins_at_another_keeps_its_topics_in_their_order(fit):
    turned = Start(topic_word=fit.topic_word[[2, 0, 1]], terms=[*reversed(fit.terms)])
    turned = replace(turned, topic_word=turned.topic_word[:, ::-1])
    warm = fit_topics([*make_documents(), ["학교", "처음보는말"]], SETTINGS, turned)
    assert warm.topic_word[:, [warm.terms.index(term) for term in fit.terms]].argmax(axis=1).tolist() == [
        int(row.argmax()) for row in fit.topic_word[[2, 0, 1]]
    ]
    more = fit_topics(make_documents(), replace(SETTINGS, n_topics=4), turned)
    assert len(more.topic_word) == 4


def test_a_start_without_a_known_term_does_no_harm(fit):
    strange = Start(topic_word=np.full((3, 2), 0.5), terms=["눈", "비"])
    found = fit_topics(make_documents(), SETTINGS, strange)
    assert {frozenset(item.term for item in topic[:7]) for topic in found.top_terms} == {
        frozenset(subject.split()) for subject in SUBJECTS
    }


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
        repr([fit.npmi, fit.measure_c_v()]).encode(),
    )
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.mark.slow
def test_another_process_gives_the_same_bits(pytestconfig):
    command = [sys.executable, "-c", DIGEST]
    other = subprocess.run(command, cwd=pytestconfig.rootpath, check=True, capture_output=True, text=True)
    assert other.stdout.strip() == digest()


def test_another_seed_gives_another_fit():
    mixed = [[*one, *two] for one, two in zip(make_documents(), reversed(make_documents()), strict=True)]
    one, other = (fit_topics(mixed, replace(SETTINGS, no_above=1.0, random_seed=seed)) for seed in (0, 1))
    assert (one.seed, other.seed) == (0, 1)
    assert not np.array_equal(one.topic_word, other.topic_word)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "no petition in the window"),
        (make_documents(19), "19 of 19 petitions hold a known term; 2 topics, the fewest, need at least 20"),
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
    + [("support_weight", -0.5), ("alpha", 0.0), ("eta", 0.0)]
    + [(name, 0) for name in ("no_below", "max_repeats", "max_terms", "nmf_updates", "burn_in", "n_samples")],
)
def test_settings_that_cannot_be_are_refused_by_name_and_value(name, value):
    with pytest.raises(ConfigError, match=f"{name} must be .*got {value}"):
        LdaSettings(**{name: value})
