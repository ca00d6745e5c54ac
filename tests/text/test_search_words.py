"""Words to search by: what a searcher may ask for is kept, whole and in parts; particles and endings are not."""

import pytest

from petitions.text.bm25 import MOST, weigh_words
from petitions.text.search_words import MOST_QUESTION, SearchTokenizer, split_many


@pytest.fixture(scope="module")
def tokenizer() -> SearchTokenizer:
    return SearchTokenizer()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("국토부는 대책을 세워라", {"국토부", "국토", "대책"}),
        ("6.17 대책", {"617", "대책"}),
        ("6·17대책으로", {"617"}),
        ("617", {"617"}),
        ("최숙현 선수", {"최숙현", "선수"}),
        ("최숙현선수는", {"최숙현", "선수"}),
        ("민식이법을 고쳐", {"민식이법"}),
        ("조은산의 글", {"조은산", "글"}),
        ("세종시에 산다", {"세종시"}),
        ("GTX-D노선", {"GTXD", "GTX", "노선"}),
        ("gtx-d", {"GTXD"}),
        ("씨씨티비 설치", {"씨씨티비", "설치"}),
        ("코로나19로", {"코로나19", "코로나"}),
        ("N번방", {"N번방"}),
        ("국민건강보험공단에서는", {"국민", "건강보험공단", "국민건강보험공단"}),
        ("개를", {"개"}),
        ("1,572명", {"1572"}),
        ("국민소환제를", {"국민소환제", "국민소환", "소환", "국민"}),
        ("국민소환을", {"국민소환", "소환", "국민"}),
        ("소득세 인하", {"소득세", "소득"}),
    ],
)
def test_a_searcher_s_words_are_kept(tokenizer, text, words):
    assert words <= set(tokenizer.split(text))


@pytest.mark.parametrize("text", ["", " ", "😀😀", "***", "을 를", "' -- ;", "https://example.org/a?b=c"])
def test_a_text_without_a_word_gives_none(tokenizer, text):
    assert tokenizer.split(text) == []


def test_particles_and_endings_are_no_words(tokenizer):
    words = tokenizer.split("학교에서는 아이들을 지켜 주십시오")
    assert "학교" in words
    assert not {"에서", "에서는", "을", "학교에서는", "십시오"} & set(words)


@pytest.mark.parametrize(("text", "no_words"), [("문제가", {"문"}), ("치안", {"치"}), ("서해안에서", {"서"})])
def test_a_letter_that_is_no_suffix_stays(tokenizer, text, no_words):
    assert not no_words & set(tokenizer.split(text))


def test_a_question_finds_a_compound_that_it_writes_with_a_blank(tokenizer):
    assert "민식이법" in tokenizer.split_question("민식이 법")
    assert "어린이보호구역" in tokenizer.split_question("어린이 보호구역에서")


def test_a_long_question_is_read_to_its_limit(tokenizer):
    words = tokenizer.split_question("학교 급식 " * 2_000 + "신호등")
    assert {"학교", "급식"} <= set(words)
    assert "신호등" not in words
    assert len(words) == len(set(words)) < 10
    assert len("학교 급식 ") * 2_000 > MOST_QUESTION


def test_many_texts_give_what_each_gives(tokenizer):
    texts = [f"{number}번째 건널목" for number in range(700)]
    assert split_many(texts) == [tokenizer.split(text) for text in texts]


def test_a_word_weighs_more_in_a_title_and_in_a_short_text():
    title, body = weigh_words(["급식"], ["학교"] * 50), weigh_words(["학교"], ["급식", *["학교"] * 49])
    assert title["급식"] > body["급식"] > 0
    short, long = weigh_words([], ["급식"] * 2), weigh_words([], ["급식"] * 2 + ["학교"] * 900)
    assert MOST > short["급식"] > long["급식"]
    assert weigh_words([], []) == {}
