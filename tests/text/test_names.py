"""Names that the tagger cuts to pieces are whole again where a text holds them twice."""

import pytest

from petitions.text.frequencies import read_frequencies
from petitions.text.keywords import extract_keywords
from petitions.text.names import join_names
from petitions.text.tokenizer import Tokenizer


def find_names(text: str) -> list[str]:
    return [word for word, tag, _ in join_names(Tokenizer().tag(text), read_frequencies().n_with) if tag == "NNP"]


def test_a_name_that_stands_twice_is_whole_whatever_follows_it():
    text = "최숙현 선수를 기억해 주세요. 최숙현의 죽음, 최숙현을 도운 사람은 없었습니다."
    assert find_names(text).count("최숙현") == 3
    words = [item.word for item in extract_keywords(Tokenizer(), text, 5)]
    assert "최숙현" in words
    assert find_names("최숙현 선수") == []


@pytest.mark.parametrize("text", ["한번씩 한번씩 한번씩", "이사회 이사회는", "전국민 전국민의", "하는것 하는것은", ""])
def test_words_that_begin_like_a_name_are_none(text):
    assert find_names(text) == []


def test_a_known_word_that_the_tagger_reads_as_a_phrase_is_whole():
    text = "자유한국당의 답변을 듣고 싶습니다. 자유한국당은 답하고 자유한국당의원도 오세요."
    assert find_names(text).count("자유한국당") == 3
    tokens = Tokenizer().tokenize("자유한국당의 답변과 민식이법의 내용을 봅시다.")
    assert {"자유한국당", "민식이법"} <= set(tokens)


@pytest.mark.parametrize("name", ["민식이법", "서준이법", "조은산"])
def test_a_name_with_what_looks_like_a_particle_in_it_is_whole(name):
    text = f"{name}의 뜻을 생각해 봅니다. 우리는 {name}을 읽었습니다."
    assert find_names(text).count(name) == 2
    assert name in [item.word for item in extract_keywords(Tokenizer(), text, 5)]


@pytest.mark.parametrize("text", ["남은돈을 남은돈이", "주는돈을 주는돈이", "이같은 일 이같은", "하는일이 하는일을"])
def test_what_modifies_a_noun_is_no_name(text):
    assert find_names(text) == []
