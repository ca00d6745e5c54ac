"""Petitions that nobody would write, or somebody did: each has a vector, a score and keywords, or none of these."""

import time

import numpy as np
import pytest

from encoders.tiny_folders import TINY
from petitions.encoders.bert_encoder import load_bert
from petitions.records import PetitionText
from petitions.scoring.next_sentence import score_petitions
from petitions.text.keywords import extract_keywords
from petitions.text.tokenizer import Tokenizer

pytestmark = pytest.mark.slow  # each loads networks

MEGABYTE = "학교 앞 도로에 버스가 없습니다. " * 22_000  # 1.0 MB in UTF-8
ODD = {
    "one character": ("가", ""),
    "a megabyte": ("학교 버스", MEGABYTE),
    "a megabyte without a blank": ("학교 버스", "가" * 350_000),
    "emoji and hanja": ("🙏🏽🚸", "請願 學校 🚌👨‍👩‍👧"),
    "empty body": ("학교 앞 도로", ""),
    "title equal to body": ("학교 앞 도로에 신호등을", "학교 앞 도로에 신호등을"),
    "nothing": ("", ""),
}


@pytest.fixture(scope="module")
def bert():
    return load_bert(str(TINY), "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_petition_has_a_defined_result(bert, kind):
    title, body = ODD[kind]
    petition = PetitionText(petition_id="sample:a-1", title=title, purpose="", body=body, content_hash="0")
    began = time.process_time()
    (vector,) = bert.embed([petition.whole])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    (follows,) = score_petitions(bert, [petition])
    assert 0 <= follows <= 1
    found = extract_keywords(Tokenizer(), petition.whole, 5)
    assert len(found) <= 5 and all(0 <= item.weight <= 1 for item in found)
    assert time.process_time() - began < 120  # seconds: a megabyte ends
