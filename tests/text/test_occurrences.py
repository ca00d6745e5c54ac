"""Where a text uses a word: real Mecab, whole nouns alone, places that hold in the text as it stands."""

import pytest

from petitions.text.occurrences import MOST_BESIDE, find_occurrences
from petitions.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer()


def find(text, word="의사"):
    found = list(find_occurrences(TOKENIZER, text, word))
    for item in found:
        assert text[item.start : item.start + len(word)] == word
        assert item.sentence[item.place : item.place + len(word)] == word
    return found


@pytest.mark.parametrize(
    "text", ["의사가 왔습니다", "담당의사입니다.", "의사협회의 말", "그럴 의사가 없다고", "의사선생님께서", "치과의사"]
)
def test_a_noun_is_found_with_particles_and_in_a_compound_that_the_tagger_cuts(text):
    assert len(find(text)) == 1


@pytest.mark.parametrize(
    "text", ["국회의사당 앞에서", "의사소통이 안 됩니다", "한의사와 수의사", "의 사", "", "아무 말"]
)
def test_what_the_dictionary_has_as_one_word_is_another_word(text):
    assert find(text) == []


def test_letters_that_are_no_noun_are_not_found():
    assert find("집을 사고 팔고 합니다", "사고") == []
    assert len(find("버스사고가 났습니다. 사고 뒤에", "사고")) == 2


def test_masks_and_addresses_move_no_place():
    found = find("안내 [전화번호] www.example.com/doc ***님, 의사를 만났습니다!\n다른 의사도 있습니다")
    assert [item.sentence for item in found] == [
        "안내 [전화번호] www.example.com/doc ***님, 의사를 만났습니다!",
        "다른 의사도 있습니다",
    ]
    assert found[0].before[0] == ("안내", "NNG")
    assert all("www" not in surface and "[" not in surface for surface, _ in found[0].before)
    assert found[0].after[0] == ("를", "JKO")


def test_two_in_a_sentence_are_two_with_their_own_places():
    first, second = find("의사도 다른 의사를 믿습니다.")
    assert (first.place, second.place) == (0, 7)


def test_a_point_inside_a_number_or_a_name_ends_no_sentence():
    (item,) = find("6.17 대책과 U.S 의사를 봅니다. 다음 문장입니다.")
    assert item.sentence == "6.17 대책과 U.S 의사를 봅니다."


def test_of_a_sentence_without_an_end_what_stands_near_is_read():
    (item,) = find("가나다 " * 20_000 + "의사가 " + "라마바 " * 20_000)
    assert len(item.sentence) <= 2 * MOST_BESIDE + 2
    assert item.sentence.startswith("가나다")
    assert item.sentence.endswith("라마바")


def test_a_word_of_several_nouns_is_found_where_they_stand_together():
    assert len(find("담당의사의 말", "담당의사")) == 1
    assert find("담당 의사의 말", "담당의사") == []
