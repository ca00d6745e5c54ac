"""Keywords are whole nouns and compounds of the text, the same whatever stands beside it."""

import pytest

from petitions.text.frequencies import read_frequencies
from petitions.text.keywords import extract_keywords, extract_many, list_words, name_extractor
from petitions.text.tokenizer import Tokenizer

TAX = (
    "종부세를 폐지해 주세요\n종부세 부담이 큽니다. 대법원 판결도 있습니다. 공매도 제도를 고치고 공매도를 금지해 주세요."
)
FRAGMENTS = {"종부", "부세", "대법", "공매", "두기"}


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer()


def test_compounds_are_whole_and_the_title_leads(tokenizer):
    found = extract_keywords(tokenizer, TAX, 5)
    words = [item.word for item in found]
    assert words[0] == "종부세" and "공매도" in words
    assert not FRAGMENTS & set(words)
    weights = [item.weight for item in found]
    assert weights == sorted(weights, reverse=True) and all(0 <= weight <= 1 for weight in weights)


def test_of_a_word_and_a_longer_one_that_holds_it_one_stands(tokenizer):
    words = [item.word for item in extract_keywords(tokenizer, "학교폭력 대책. 폭력 학교 학교폭력 학교", 5)]
    assert "학교폭력" in words and not {"학교", "폭력"} & set(words)


@pytest.mark.parametrize("text", ["", " ", "ㅋㅋㅋ", "🙂🙂", "12345", "청원 국민 대통령"])
def test_a_text_without_such_words_has_none(tokenizer, text):
    assert extract_keywords(tokenizer, text, 5) == []


def test_the_masked_ratio_counts_where_it_has_a_weight(tokenizer):
    text = "급식 학교 버스"
    plain = [item.word for item in extract_keywords(tokenizer, text, 3)]
    ratios = {plain[-1]: 1e6}
    assert [item.word for item in extract_keywords(tokenizer, text, 3, masked_ratios=ratios)] == plain
    asked = extract_keywords(tokenizer, text, 3, masked_weight=1.0, masked_ratios=ratios)
    assert asked[0].word == plain[-1]
    assert name_extractor(1.0) != name_extractor()


def test_many_texts_give_what_each_gives_alone(tokenizer, monkeypatch):
    monkeypatch.setattr("petitions.text.keywords.count_processes", lambda n: 2)
    texts = [TAX, "", "학교 급식"] * 110
    alone = [[item.word for item in extract_keywords(tokenizer, text, 3)] for text in texts[:3]]
    assert extract_many(texts, 3) == alone * 110


def test_the_table_that_ships_knows_common_words_and_no_rare_ones():
    table = read_frequencies()
    assert table.n_texts > 9_000 and table.n_with["학교"] > 500
    assert min(table.n_with.values()) >= 4
    assert all(table.n_alone[word] <= n for word, n in table.n_with.items())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("반려견과 걷는 길을 넓혀 주세요. 반려견과 함께 갑니다.", "반려견"),
        ("건물주가 문을 닫았습니다. 건물주가 전화를 안 받습니다.", "건물주"),
        ("관리단과 다투었습니다. 관리단과 만났습니다.", "관리단"),
    ],
)
def test_a_particle_that_the_tagger_takes_for_a_letter_is_dropped(text, word):
    words = list_words(Tokenizer(), text, 5)
    assert word in words
    assert not any(item.startswith(word) and item != word for item in words)


def test_a_word_that_ends_like_a_particle_stays():
    words = list_words(Tokenizer(), "감정평가와 입주자대표회의, 고속도로와 딸아이, 제주도를 생각합니다.", 9)
    assert {"감정평가", "입주자대표회의", "고속도로", "딸아이", "제주도"} <= set(words)
