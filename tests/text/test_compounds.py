"""Pieces of a compound are one noun, words that stand by themselves stay apart."""

import pytest

from petitions.text.compounds import Compounds
from petitions.text.frequencies import Frequencies
from petitions.text.tokenizer import Tokenizer

TABLE = Frequencies(
    n_texts=1_000,
    n_with={
        "거리두기": 50,
        "거리": 90,
        "두기": 52,
        "온라인수업": 20,
        "온라인": 80,
        "수업": 200,
        "급식비": 30,
        "급식": 99,
        "국토": 20,
        "국토부": 18,
    },
    n_alone={
        "거리두기": 50,
        "거리": 40,
        "두기": 1,
        "온라인수업": 20,
        "온라인": 60,
        "수업": 180,
        "급식비": 30,
        "급식": 25,
        "국토": 1,
        "국토부": 18,
    },
)


def join(text, ignored=()):
    """Words are parted by blanks, morphemes by +; a tag other than NNG follows a slash."""
    morphemes = [
        (*(piece.split("/") if "/" in piece else (piece, "NNG")), place == 0)
        for word in text.split()
        for place, piece in enumerate(word.split("+"))
    ]
    return [surface for surface, _, _ in Compounds(TABLE, ignored).join(morphemes)]


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("거리+두기+를/JKO", ["거리두기", "를"]),
        ("사회+거리+두기", ["사회", "거리두기"]),
        ("거리 두기", ["거리", "두기"]),
        ("온라인+수업+은/JX", ["온라인", "수업", "은"]),
        ("급식+비/VV", ["급식비"]),
        ("간격+두기", ["간격두기"]),
        ("두기+운동", ["두기운동"]),
        ("급식 급식+을/JKO", ["급식", "급식", "을"]),
        ("", []),
    ],
)
def test_pieces_that_hardly_stand_by_themselves_are_joined(text, joined):
    assert join(text) == joined


def test_a_stop_word_makes_no_compound():
    assert join("급식+비/VV", ignored=("급식",)) == ["급식", "비"]


def test_a_particle_taken_for_a_letter_is_no_part_of_it():
    assert join("국토+부와") == ["국토부"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("사회적 거리두기와 종부세", ["거리두기", "종부세"]),
        ("소상공인들의 공매도 반대", ["소상공인", "공매도", "반대"]),
        ("국토부와 고등학교는 텔레그램방 n번방", ["국토부", "고등학교", "텔레그램", "N번방"]),
        ("온라인수업을 21세기 2km", ["온라인", "수업", "세기", "KM"]),
    ],
)
def test_the_tokens_of_topics_are_compounds_as_they_are_written(text, tokens):
    found = Tokenizer().tokenize(text)
    assert [word for word in found if word != "사회"] == tokens
