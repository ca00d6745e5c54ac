from petitions.topics.labels import label_topics


def test_a_label_joins_the_terms_that_no_other_topic_has():
    topics = [["학교", "급식", "교사", "학생"], ["학교", "버스", "노선", "정류장"]]
    assert label_topics(topics) == ["급식 · 교사 · 학생", "버스 · 노선 · 정류장"]


def test_shared_terms_fill_up_what_is_missing():
    assert label_topics([["학교", "급식"], ["학교", "버스"]]) == ["급식 · 학교", "버스 · 학교"]


def test_a_part_of_a_taken_term_is_passed_over_while_there_are_others():
    assert label_topics([["경찰", "경찰서", "수사", "고소"]]) == ["경찰 · 수사 · 고소"]
    assert label_topics([["경찰", "경찰서", "경찰청"]]) == ["경찰 · 경찰서 · 경찰청"]


def test_no_two_labels_are_alike():
    same = ["학교", "급식", "학생"]
    labels = label_topics([same, same, same])
    assert len(set(labels)) == 3
    assert labels[0] == "학교 · 급식 · 학생"


def test_no_topics_give_no_labels():
    assert label_topics([]) == []
