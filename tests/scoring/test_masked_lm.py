import re
from pathlib import Path

import pytest

from petitions.encoders.bert_encoder import load_bert
from petitions.errors import ConfigError
from petitions.scoring.masked_lm import KOREAN_WORD, fill_mask, read_masked_ratios
from petitions.settings import MODELS

TINY = Path(__file__).parents[1] / "encoders/golden/tiny-bert"
SCHOOL = "학교 급식이 너무 부실합니다. 학생들이 먹는 급식의 질을 높여 주세요. 학교 영양사와 교육청이 나서야 합니다."
TRAFFIC = "음주운전 사고로 가족을 잃었습니다. 가해자는 술을 마시고 차를 몰았습니다. 운전자 처벌을 강화해 주세요."


def words(text: str) -> set[str]:
    """The beginnings of the text's words, of two letters or more."""
    return {word[:end] for word in text.split() for end in range(2, len(word) + 1)}


@pytest.fixture(scope="module")
def bert():
    return load_bert(str(MODELS / "sentence-small"), "cpu")


@pytest.fixture(scope="module")
def tiny():
    return load_bert(str(TINY), "cpu")


def test_fillings_are_all_pieces_words_first_by_falling_probability(tiny):
    (fillings,) = fill_mask(tiny, ["학교 [MASK]"], 300)
    assert sum(filling.probability for filling in fillings) > 0.9  # 5 of 200 embeddings have no piece
    is_sign = [not re.search(r"\w", filling.token) or filling.token.startswith("[") for filling in fillings]
    assert is_sign == sorted(is_sign) and 0 < sum(is_sign) < len(fillings) == 195
    n_words = is_sign.index(True)
    for part in (fillings[:n_words], fillings[n_words:]):
        probabilities = [filling.probability for filling in part]
        assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("text", ["마스크가 없는 글", "[MASK]와 [MASK]", ""])
def test_a_text_without_exactly_one_mask_is_refused(tiny, text):
    with pytest.raises(ConfigError, match="text 2 must have one"):
        fill_mask(tiny, ["학교 [MASK]", text], 5)


def test_the_part_around_the_mask_of_a_long_text_is_read(tiny):
    long = "버스 " * 40 + "학교 [MASK] 청원" + " 마을" * 40
    part = "버스 " * 10 + "학교 [MASK] 청원" + " 마을" * 9
    (whole,), (window,) = (fill_mask(tiny, [text], 3) for text in (long, part))
    assert [filling.token for filling in whole] == [filling.token for filling in window]
    assert whole[0].probability == pytest.approx(window[0].probability, abs=1e-6)


def test_top_k_below_one_is_refused(tiny):
    with pytest.raises(ConfigError, match="top_k"):
        fill_mask(tiny, ["[MASK]"], 0)


def test_the_shipped_model_fills_a_set_phrase(bert):
    (fillings,) = fill_mask(bert, ["국민 청원에 글을 올립니다. 도와주세요. 많은 [MASK] 부탁드립니다."], 10)
    assert any("가" <= filling.token.removeprefix("##")[0] <= "힣" for filling in fillings)


@pytest.mark.slow
def test_ratios_are_of_words_of_the_text_that_the_vocabulary_has(bert):
    for text, ratios in zip(
        (SCHOOL, TRAFFIC), read_masked_ratios(bert, [SCHOOL, TRAFFIC], [words(SCHOOL), words(TRAFFIC)]), strict=True
    ):
        assert len(ratios) >= 3 and min(ratios.values()) > 0
        assert all(KOREAN_WORD.fullmatch(word) and f" {word}" in f" {text}" for word in ratios)


@pytest.mark.slow
def test_a_texts_ratios_do_not_depend_on_the_texts_beside_it(bert):
    (alone,) = read_masked_ratios(bert, [SCHOOL], [words(SCHOOL)])
    beside, _ = read_masked_ratios(bert, [SCHOOL, TRAFFIC], [words(SCHOOL), words(TRAFFIC)])
    assert alone == pytest.approx(beside, rel=1e-3)


def test_only_allowed_words_have_ratios(bert):
    allowed = [{"학교", "학생", "지하철", "no"}, words(TRAFFIC), set()]
    ratios, empty, none = read_masked_ratios(bert, [SCHOOL, "  ", TRAFFIC], allowed)
    assert ratios and ratios.keys() <= {"학교", "학생", "지하철"}
    assert empty and none == {}
    assert read_masked_ratios(bert, [], []) == []


@pytest.mark.slow
def test_the_tail_of_a_long_text_counts(tiny):
    head = "학교 버스 " * 9
    allowed = {"학교", "버스", "강아지", "보호", "처벌"}
    short, long = read_masked_ratios(tiny, [head, head + "강아지 보호 처벌 " * 6], [allowed, allowed])
    assert short != long
