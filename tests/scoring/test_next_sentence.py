import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from petitions.encoders.bert_encoder import load_bert
from petitions.errors import WeightsError
from petitions.records import PetitionText
from petitions.scoring.next_sentence import read_petitions, score_next_sentence, score_petitions
from petitions.settings import MODELS

TINY = Path(__file__).parents[1] / "encoders/golden/tiny-bert"

INVENTED = json.loads((Path(__file__).parent / "invented_petitions.json").read_text(encoding="utf-8"))
PETITIONS = [(petition["title"], petition["body"]) for petition in INVENTED]


@pytest.fixture(scope="module")
def bert():
    return load_bert(str(MODELS / "sentence-small"), "cpu")


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
    first, second = tiny.encode_pieces(["노인 의료 복무", "국민 1"])
    follows, follows_not = tiny.predict_next([tiny.frame(first, second)])[0].astype(
        float
    )  # as PyTorch's: golden values
    expected = np.exp(follows) / (np.exp(follows) + np.exp(follows_not))
    assert score_next_sentence(tiny, [("노인 의료 복무", "국민 1")])[0] == pytest.approx(expected, abs=1e-6)


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


def test_the_weights_of_the_vectors_answer_where_they_have_the_head_and_else_those_of_the_words(tiny, tmp_path):
    """One with a next-sentence head alone, as the sentence encoder, and one without any, as others have it."""
    with_head = copy_tiny(tmp_path / "sentences", lambda name: "cls.predictions" not in name)
    without = copy_tiny(tmp_path / "bare", lambda name: "cls." not in name and "pooler" not in name)
    pairs = [("학교 급식", "버스 병원 마을"), ("강아지", "동물 보호 " * 20)]
    alone, by_words = load_bert(with_head, "cpu"), score_next_sentence(tiny, pairs)
    assert alone.heads == ["next sentence"]
    assert np.abs(score_next_sentence(alone, pairs) - by_words).max() > 1e-4, "the two tell apart"
    both = load_bert(str(TINY), "cpu", with_head)
    np.testing.assert_array_equal(score_next_sentence(both, pairs), score_next_sentence(alone, pairs))
    assert both.heads == ["masked words", "next sentence"]
    np.testing.assert_array_equal(score_next_sentence(load_bert(str(TINY), "cpu", without), pairs), by_words)


def test_next_sentence_asks_for_no_second_model(tmp_path):
    """A BERT without that head serves beside vectors that have it; where neither has it, that is told."""
    with_head = copy_tiny(tmp_path / "sentences", lambda name: "cls.predictions" not in name)
    without = copy_tiny(tmp_path / "bare", lambda name: "cls.seq" not in name)
    pairs = [("학교", "버스")]
    both = load_bert(without, "cpu", with_head)
    assert both.heads == ["masked words", "next sentence"]
    assert score_next_sentence(both, pairs) == score_next_sentence(load_bert(with_head, "cpu"), pairs)
    with pytest.raises(WeightsError, match=r"next_sentence.*cls\.seq_relationship"):
        score_next_sentence(load_bert(without, "cpu"), pairs)


def test_vectors_and_score_of_a_petition_come_of_one_splitting(tiny, monkeypatch):
    texts = [make_text("학교 급식", "강아지 보호 " * 40), make_text("버스", ""), make_text("", "노인 병원\n마을")]
    wanted = tiny.embed([text.whole for text in texts]), score_petitions(tiny, texts)
    asked = count_split(tiny, monkeypatch)
    vectors, scores = read_petitions(tiny, texts)
    assert sorted(asked) == sorted([text.title for text in texts] + [text.below_title for text in texts])
    np.testing.assert_array_equal(vectors, wanted[0])
    np.testing.assert_array_equal(scores["next_sentence"], wanted[1])


def test_where_other_weights_give_the_score_each_has_its_own_pieces(tiny, tmp_path, monkeypatch):
    without = copy_tiny(tmp_path / "bare", lambda name: "cls." not in name and "pooler" not in name)
    both = load_bert(str(TINY), "cpu", without)
    texts = [make_text("학교 급식", "강아지 보호")]
    asked = count_split(both.vector_reader, monkeypatch), count_split(both, monkeypatch)
    vectors, scores = read_petitions(both, texts)
    assert asked == (["", texts[0].whole], ["학교 급식", "강아지 보호"])
    np.testing.assert_array_equal(vectors, both.embed([texts[0].whole]))
    np.testing.assert_array_equal(scores["next_sentence"], score_petitions(tiny, texts))


def count_split(bert, monkeypatch) -> list[str]:
    """The texts that an encoder splits from now on."""
    asked, split = [], bert.encode_pieces

    def record(texts, **marks):
        texts = list(texts)
        asked.extend(texts)
        return split(texts, **marks)

    monkeypatch.setattr(bert, "encode_pieces", record)
    return asked


def make_text(title: str, body: str) -> PetitionText:
    return PetitionText(petition_id="sample:1", content_hash="", title=title, purpose="", body=body)


def copy_tiny(folder: Path, keeps) -> str:
    """The tiny checkpoint with other weights, and those heads alone whose names are kept."""
    folder.mkdir()
    for path in TINY.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    tensors = load_file(TINY / "model.safetensors")
    save_file({name: tensor * 0.8 for name, tensor in tensors.items() if keeps(name)}, folder / "model.safetensors")
    return str(folder)
