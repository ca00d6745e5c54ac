from petitions.topics.phrases import find_phrases

KNOWN = {"버스", "노선", "연장", "공매", "공매도", "학생", "환자", "교육", "CCTV", "설치"}


def tag(text):
    """Words are parted by blanks, morphemes by +, a tag follows each surface: 버스/NNG+를/JKO."""
    return [(*piece.split("/"), place == 0) for word in text.split() for place, piece in enumerate(word.split("+"))]


def read(text):
    return [phrase.text for phrase in find_phrases(tag(text), KNOWN)]


def test_runs_of_nouns_are_phrases_and_a_particle_ends_them():
    assert read("버스/NNG 노선/NNG+을/JKO 연장/NNG+해/XSV+라/EF") == ["버스", "버스 노선", "노선", "연장"]
    assert read("버스/NNG+의/JKG 노선/NNG") == ["버스", "노선"]


def test_a_compound_is_no_shorter_than_its_word():
    assert read("버스/NNG+노선/NNG+도/JX") == ["버스노선"]
    assert read("암/NNG+환자/NNG+들/XSN+이/JKS") == ["암환자"]


def test_unknown_nouns_persons_numbers_and_adjectives_are_in_no_phrase():
    assert read("청원/NNG 버스/NNG") == ["버스"]
    assert read("김버스/인명 노선/NNG") == ["노선"]
    assert read("3/SN+버스/NNG 교육/NNG+적/XSN+인/VCP 학생/NNG+님/XSN") == []


def test_the_end_of_a_noun_that_was_taken_for_a_particle_comes_back():
    assert read("공매/NNG+도/JX 설치/NNG") == ["공매도", "공매도 설치", "설치"]


def test_the_words_of_a_phrase_are_tokens_and_a_verb_is_told():
    school, install = find_phrases(tag("cctv/SL 설치/NNG+해/XSV"), KNOWN)[:2]
    assert (school.words, school.is_verb) == (("CCTV",), False)
    assert (install.text, install.key, install.words) == ("cctv 설치", "cctv설치", ("CCTV", "설치"))
    assert install.is_verb


def test_a_phrase_is_no_longer_than_a_label_can_hold():
    assert max(len(phrase) for phrase in read(" ".join(["노선/NNG"] * 9))) == len("노선 노선 노선")


def test_no_text_has_no_phrases():
    assert find_phrases([], KNOWN) == []
