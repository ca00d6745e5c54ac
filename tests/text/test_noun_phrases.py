"""Compounds stay whole, whatever the tagger makes of them."""

import pytest

from petitions.text.noun_phrases import NounPhrase, find_phrases, mend_fragments
from petitions.text.tokenizer import Tokenizer


def words(text: str) -> list[str]:
    return [item.word for item in find_phrases(Tokenizer(), text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("종부세를 내리고 대법원이 판결하라", ["종부세", "대법원", "판결"]),
        ("국토부의 거리두기 대책은", ["국토부", "거리두기", "대책"]),
        ("세종시의 한부모가정을 위한 cctv", ["세종시", "한부모가정", "CCTV"]),
        ("이사람들 독거노인들이", ["사람", "독거노인"]),
        ("주거정책심의위원회의 결정", ["주거정책심의위원회", "결정"]),
        ("태풍피해서 힘든 합법화해", ["태풍피해", "합법화"]),
        ("9.13부동산정책과 6·25전쟁", ["9.13부동산정책", "6·25전쟁"]),
        ("공개사과바랍니다 철회부탁드립니다", ["공개사과", "철회"]),
        ("서울근처 DJ정부때", ["서울", "DJ정부"]),
        ("부탁이 근처 바람", ["부탁", "근처", "바람"]),
        ("아들일로 개정안을", ["아들일", "개정안"]),
        ("", []),
        ("...!! 123", []),
    ],
)
def test_a_phrase_stands_between_a_blank_and_the_particle(text, expected):
    assert words(text) == expected


def test_a_fragment_gets_the_letter_back_that_was_taken_for_a_particle():
    fragment = NounPhrase(word="공매", parts=("공매",), follower="도")
    other = NounPhrase(word="학교", parts=("학교",), follower="도")
    mended = mend_fragments([fragment, other], {"공매도"}, set())
    assert [item.word for item in mended] == ["공매도", "학교"]


def test_a_compound_loses_a_particle_that_was_taken_for_a_noun():
    compound = NounPhrase(word="원예농협의", parts=("원예", "농협"), follower="")
    (mended,) = mend_fragments([compound], set(), {"원예농협"})
    assert (mended.word, mended.parts) == ("원예농협", ("원예", "농협"))
