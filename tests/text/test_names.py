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
