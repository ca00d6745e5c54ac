import numpy as np
import pytest

from petitions.topics.labels import Evidence, choose_evidence, keep_labels, label_topics
from petitions.topics.phrases import Phrase

SCHOOL = ["학교", "급식", "교사", "학생"]
BUS = ["버스", "노선", "정류장", "배차"]


def make_phrases(*texts):
    return [Phrase(text=text, words=tuple(text.split())) for text in texts]


def make_evidence(topic, titles, bodies=(), n_topics=2):
    """Petitions of one topic, one for each title; every one of them holds the phrases of `bodies`."""
    shares = np.full(n_topics, 0.1 / max(n_topics - 1, 1))
    shares[topic] = 0.9
    return [
        Evidence(shares=shares, title=title, title_phrases=make_phrases(title), body_phrases=make_phrases(*bodies))
        for title in titles
    ]


def test_a_label_is_a_broad_word_and_the_phrase_that_sets_it_apart():
    evidence = make_evidence(0, ["학교"] * 6 + ["급식 교사"] * 5) + make_evidence(1, ["버스"] * 6 + ["노선 배차"] * 5)
    assert label_topics([SCHOOL, BUS], evidence) == ["학교와 급식 교사", "버스와 노선 배차"]


def test_the_particle_follows_the_final_consonant():
    evidence = make_evidence(0, ["학생"] * 6 + ["급식 교사"] * 5, n_topics=1)
    assert label_topics([SCHOOL], evidence) == ["학생과 급식 교사"]


def test_a_phrase_names_the_topic_that_it_covers_most():
    school = make_evidence(0, ["학교"] * 5) + make_evidence(0, ["학교"] * 5, ["버스"])
    assert label_topics([[*SCHOOL, "버스"], BUS], school + make_evidence(1, ["버스"] * 9)) == ["학교", "버스"]


def test_the_words_of_few_persons_are_no_label():
    evidence = make_evidence(0, ["학교"] * 4 + ["급식 교사"] * 3, n_topics=1)
    assert label_topics([SCHOOL], evidence) == ["학교"]


def test_a_phrase_that_less_than_a_fifth_of_the_topic_holds_is_no_label():
    few, enough = (make_evidence(0, ["학교"] * (30 - n) + ["급식 교사"] * n, n_topics=1) for n in (5, 6))
    assert label_topics([SCHOOL], few) == ["학교"]
    assert label_topics([SCHOOL], enough) == ["학교와 급식 교사"]


def test_a_phrase_of_bodies_alone_yields_to_a_term_and_one_of_no_term_is_no_label():
    evidence = make_evidence(0, ["학교"] * 4 + ["축구"] * 9, ["급식 교사"], n_topics=1)
    assert label_topics([SCHOOL], evidence) == ["학교와 급식"]


def test_a_single_or_weak_phrase_gets_the_best_term_that_a_fifth_of_the_topic_holds():
    evidence = make_evidence(0, ["학교"] * 8 + ["학생"] * 1, ["교사"], n_topics=1)
    assert label_topics([SCHOOL], evidence) == ["학교와 교사"]
    other = make_evidence(1, ["버스"] * 5, ["학생"] * 3)
    assert (
        label_topics([SCHOOL, BUS], make_evidence(0, ["학교"] * 8 + ["학생"] * 4, ["교사"]) + other)[0] == "학교와 교사"
    )


def test_a_term_that_other_topics_hold_more_stands_beside_a_word_that_would_be_a_label_alone():
    school = make_evidence(0, ["학교"] * 4, ["노선"]) + make_evidence(0, ["학교"] * 3)
    buses = make_evidence(1, ["버스"] * 8 + ["배차"] * 4, ["노선"])
    terms = [["학교", "버스", "노선"], ["버스", "배차"]]
    assert label_topics(terms, school + buses) == ["학교와 노선", "버스와 배차"]


def test_capitals_make_no_other_phrase():
    evidence = make_evidence(0, ["N번방"] * 3 + ["n번방"] * 3, n_topics=1)
    spelled = [
        Evidence(
            shares=item.shares,
            title=item.title,
            title_phrases=[Phrase(text=item.title, words=("N번방",))],
            body_phrases=[],
        )
        for item in evidence
    ]
    assert label_topics([["N번방", "학생"]], spelled) == ["N번방"]


def test_a_noun_that_is_used_as_a_verb_yields_to_one_that_is_not():
    verbs = [
        Evidence(
            shares=np.ones(1),
            title="급식해 주세요",
            title_phrases=[Phrase(text="급식", words=("급식",), is_verb=True)],
            body_phrases=make_phrases("교사"),
        )
    ] * 6
    evidence = verbs + make_evidence(0, ["교사"] * 1 + ["학교"] * 8, n_topics=1)
    assert label_topics([SCHOOL], evidence) == ["학교와 교사"]


def test_a_word_that_mostly_stands_in_a_longer_phrase_is_named_by_it():
    evidence = make_evidence(0, ["급식 교사"] * 6, ["급식"], n_topics=1)
    assert label_topics([["급식", "교사"]], evidence) == ["급식 교사"]


def test_embeddings_choose_among_nearly_equal_phrases():
    def embed(texts):
        return np.array([[1, 0] if "버스" in text or "노선" in text else [0, 1] for text in texts], np.float32)

    evidence = make_evidence(0, ["버스"] * 8 + ["배차"] * 5 + ["노선"] * 5, n_topics=1)
    terms = [["버스", "배차", "노선", *"가나다라마바사아자차카타파하"]]
    assert label_topics(terms, evidence) == ["버스와 배차"]
    assert label_topics(terms, evidence, embed=embed) == ["버스와 노선"]


def test_topics_without_phrases_are_named_by_terms_that_no_other_label_holds():
    assert label_topics([SCHOOL, ["학교", "버스", "노선", "학교폭력"]]) == ["학교·급식·교사", "버스와 노선"]


def test_no_two_labels_are_alike_even_of_topics_that_are():
    labels = label_topics([SCHOOL, SCHOOL, SCHOOL, SCHOOL])
    assert len(set(labels)) == 4
    assert max(map(len, labels)) <= 20


def test_a_lasting_topic_keeps_its_label_until_its_terms_move():
    now = [list("가나다라마바사아자차"), list("하나다라마바사아자차")]
    old = {7: ("학교와 학생", list("가나다라마")), 8: ("버스와 노선", list("하파타카나")), 9: ("급식", list("가"))}
    assert keep_labels([7, 8], now, old) == {0: "학교와 학생"}
    assert keep_labels([3, 4], now, old) == {}


def test_a_new_label_keeps_off_those_that_stay():
    evidence = make_evidence(0, ["학교"] * 6) + make_evidence(1, ["학교"] * 9 + ["버스"] * 5)
    assert label_topics([SCHOOL, ["학교", *BUS]], evidence, {0: "학교와 학생"}) == ["학교와 학생", "버스"]


def test_evidence_is_the_best_petitions_of_each_topic(monkeypatch):
    monkeypatch.setattr("petitions.topics.labels.PETITIONS_PER_TOPIC", 1)
    assert choose_evidence(np.array([[0.6, 0.4], [0.1, 0.9], [0.7, 0.3]])) == [1, 2]


@pytest.mark.parametrize("evidence", [[], make_evidence(0, ["학교"], n_topics=1)])
def test_no_topics_give_no_labels(evidence):
    assert label_topics([], []) == []
    assert len(label_topics([SCHOOL], evidence)) == 1
