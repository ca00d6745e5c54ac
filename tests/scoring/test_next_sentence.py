import json
from pathlib import Path

import numpy as np
import pytest

from petitions.encoders.bert_encoder import load_bert
from petitions.scoring.next_sentence import score_next_sentence
from petitions.settings import MODELS

TINY = Path(__file__).parents[1] / "encoders/golden/tiny-bert"

INVENTED = json.loads((Path(__file__).parent / "invented_petitions.json").read_text(encoding="utf-8"))
PETITIONS = [(petition["title"], petition["body"]) for petition in INVENTED]


@pytest.fixture(scope="module")
def bert():
    return load_bert(str(MODELS / "bert-small"), "cpu")


@pytest.fixture(scope="module")
def tiny():
    return load_bert(str(TINY), "cpu")


def test_a_petitions_own_body_follows_its_title_better_than_another_ones(bert):
    """The whole table of titles by bodies: for most titles, the own body scores above most of the others'."""
    scores = score_next_sentence(bert, [(title, body) for title, _ in PETITIONS for _, body in PETITIONS])
    table = scores.reshape(len(PETITIONS), len(PETITIONS))
    assert ((table >= 0) & (table <= 1)).all()
    own = np.diag(table)
    share_above = (own[:, np.newaxis] > table).sum() / (len(PETITIONS) * (len(PETITIONS) - 1))
    assert share_above > 0.8


def test_the_probability_is_that_of_index_0_in_pytorch(tiny):
    golden = json.loads((TINY.parent / "tiny_bert.json").read_text())
    (follows, follows_not), pieces, n_first = (
        golden["next_sentence_logits"][0],
        golden["token_ids"][0],
        golden["n_first"][0],
    )
    first, second = (
        " ".join(tiny.tokenizer.convert_ids_to_tokens(part)) for part in (pieces[1 : n_first - 1], pieces[n_first:-1])
    )
    expected = np.exp(follows) / (np.exp(follows) + np.exp(follows_not))
    assert score_next_sentence(tiny, [(first, second)])[0] == pytest.approx(expected, abs=1e-6)


def test_a_pair_too_long_keeps_the_first_text_and_cuts_the_second(tiny):
    title, body = "학교 급식 청원", "강아지 보호 " * 40
    room = 24 - 3 - 3
    whole, cut = score_next_sentence(tiny, [(title, body), (title, "강아지 보호 " * (room // 2))])
    assert whole == pytest.approx(cut, abs=1e-6)


def test_a_first_text_too_long_keeps_its_end_and_leaves_half_to_the_second(tiny):
    long, end = "버스 " * 5 + "학교 " * 10, "학교 " * 10
    first, second = score_next_sentence(tiny, [(long, "마을 " * 30), (end, "마을 " * 11)])
    assert first == pytest.approx(second, abs=1e-6)


def test_empty_texts_have_a_score_and_no_pair_has_none(tiny):
    assert np.isfinite(score_next_sentence(tiny, [("", ""), ("학교", ""), ("", "버스")])).all()
    assert score_next_sentence(tiny, []).shape == (0,)
