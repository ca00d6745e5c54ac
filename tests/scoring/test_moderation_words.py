"""The score moderation that ships: small, without names of its own, and blind to what a moderator left."""

import json

import numpy as np
import pytest

from petitions.encoders.head import load_head
from petitions.encoders.probabilities import to_probabilities
from petitions.encoders.scorers import name_scorer
from petitions.settings import MODELS, MODERATION
from petitions.text.normalize import normalize_text
from petitions.text.tokenizer import Tokenizer
from petitions.training.judge import judge
from stand_in import BLUEHOUSE_DATA

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


@pytest.mark.slow
def test_on_a_later_month_it_tells_as_the_card_says_and_its_probabilities_hold(head):
    path = BLUEHOUSE_DATA / "2019-08.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} is absent: real petitions are measured")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    read = [(normalize_text(row["title"]), normalize_text(row["content"])) for row in rows]
    truth = np.array([0 if title.is_moderated or body.is_moderated else 1 for title, body in read])
    found = judge(head.classify([f"{' '.join(title.text.split())}\n{body.text}" for title, body in read]), truth)
    assert found.auroc == pytest.approx(0.795, abs=0.003)
    assert found.calibration_error < 0.05
