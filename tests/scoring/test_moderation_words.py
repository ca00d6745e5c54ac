"""The score moderation that ships: small, without names of its own, and blind to what a moderator left."""

import pytest

from petitions.encoders.head import load_head
from petitions.encoders.probabilities import to_probabilities
from petitions.encoders.scorers import name_scorer
from petitions.settings import MODELS, MODERATION
from petitions.text.tokenizer import Tokenizer

FOLDER = MODELS / MODERATION
PLAIN = (
    "학교 앞 건널목에 신호등을 놓아 주세요\n아침마다 아이들이 차를 피해 길을 건넙니다. 시장은 오래전에 약속했습니다."
)
NOTICE = "[본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다]"


@pytest.fixture(scope="module")
def head():
    return load_head(FOLDER, "cpu", morphemes=Tokenizer().morphemes)


def test_it_is_small_and_named_by_its_files(head):
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
    assert head.name == name_scorer(MODERATION)
    assert head.labels.names == ["moderated", "untouched"]
    assert head.cuts_marks


def test_an_edit_that_is_cut_out_changes_nothing(head):
    edited = PLAIN.replace("시장은", "(**, **은 *** 씨는 시장은") + f"\n\n{NOTICE}"
    plain, masked = head.classify([PLAIN, edited])
    assert plain == pytest.approx(masked, abs=1e-5)


def test_an_empty_petition_has_the_documented_value(head):
    (empty, blank) = to_probabilities(head.classify(["", " \n"]))[:, 0]
    assert empty == blank
    assert 0 < empty < 0.5


def test_anger_at_persons_is_told_from_a_request_for_a_street(head):
    angry = "그 검사 놈들과 의원 년들을 당장 구속하라!!! 미친 것들, 탄핵하라!!!"
    high, low = to_probabilities(head.classify([angry, PLAIN]))[:, 0]
    assert high > low
