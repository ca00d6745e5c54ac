import json
import math
import random

import numpy as np
import pytest

from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.tokenizer_files import TRIED
from petitions.errors import ConfigError
from petitions.scoring.masked_lm import fill_mask
from petitions.scoring.next_sentence import score_next_sentence
from petitions.training.bert_examples import ExampleSampler, encode_corpus, split_corpus
from petitions.training.bert_trainer import BertTrainingSettings, rate_at
from petitions.training.pretrain_bert import pretrain_bert
from petitions.training.wordpiece import train_wordpiece

THEMES = {
    "버스": "노선 정류장 배차 기사 승객 요금 막차",
    "급식": "학교 식단 영양사 학생 알레르기 점심 조리실",
    "공원": "나무 산책로 가로등 벤치 어린이 잔디 주민",
    "소음": "공사장 새벽 확성기 창문 이웃 측정 단속",
}
ENDINGS = ("이 부족합니다", "을 늘려 주세요", "에 대한 대책이 필요합니다", "때문에 모두 힘듭니다")


def invent_documents(n_documents):
    """Petitions over four themes, and one-line reviews; always the same."""
    chance = random.Random(0)
    documents = []
    for index in range(n_documents):
        theme = list(THEMES)[index % len(THEMES)]
        words = THEMES[theme].split()
        sentences = [f"우리 동네 {theme} {chance.choice(words)}{chance.choice(ENDINGS)}." for _ in range(8)]
        documents.append(f"{theme} {chance.choice(words)} 문제를 해결해 주세요\n{' '.join(sentences)}")
        documents.append(f"재미있는 영화였어요 {chance.choice(words)}")
    return documents


@pytest.fixture(scope="module")
def tokenizer():
    return train_wordpiece(invent_documents(40), 400, 64)


def test_the_vocabulary_keeps_hangul_whole_and_numbers_the_special_tokens_first(tokenizer):
    assert tokenizer.convert_ids_to_tokens(range(5)) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert tokenizer.decode(tokenizer("급식 영양사", add_special_tokens=False)["input_ids"]) == "급식 영양사"
    assert tokenizer("버스", "급식")["token_type_ids"].count(1) == 2


def test_a_document_with_a_title_gives_pairs_and_a_line_does_not(tokenizer):
    corpus = encode_corpus(invent_documents(10), tokenizer)
    assert (len(corpus.titled), len(corpus.lines)) == (10, 10)
    lines = ExampleSampler(corpus, tokenizer, 0.0, 0).draw_batch(4, 32)
    pairs = ExampleSampler(corpus, tokenizer, 1.0, 0).draw_batch(4, 32)
    assert lines.pair_weights.sum() == 0 and pairs.pair_weights.sum() == 4
    assert lines.segment_ids.sum() == 0 and (pairs.segment_ids.sum(axis=1) > 0).all()


def test_masked_positions_hold_the_labels_and_whole_words_are_masked(tokenizer):
    corpus = encode_corpus(invent_documents(40), tokenizer)
    batch = ExampleSampler(corpus, tokenizer, 0.5, 0).draw_batch(64, 64)
    chosen = batch.weights == 1
    now = np.take_along_axis(batch.token_ids, batch.positions, axis=1)[chosen]
    share_masked = (now == tokenizer.mask_token_id).mean()
    assert 0.7 < share_masked < 0.9
    assert 0.05 < (now == batch.labels[chosen]).mean() < 0.2
    assert not set(batch.labels[chosen].tolist()) & set(tokenizer.all_special_ids)
    pieces = tokenizer.convert_ids_to_tokens(batch.token_ids[0].tolist())
    labels = dict(zip(batch.positions[0].tolist(), batch.labels[0].tolist(), strict=True))
    for position in [p for p, weight in zip(batch.positions[0].tolist(), batch.weights[0], strict=True) if weight]:
        is_continued = tokenizer.convert_ids_to_tokens(labels[position]).startswith("##")
        assert not is_continued or position - 1 in labels or pieces[position - 1] in ("[CLS]", "[SEP]")


def test_the_same_seed_draws_the_same_batch_and_held_out_documents_are_not_trained_on(tokenizer):
    corpus = encode_corpus(invent_documents(40), tokenizer)
    one, two = (ExampleSampler(corpus, tokenizer, 0.5, 3).draw_batch(8, 32) for _ in range(2))
    np.testing.assert_array_equal(one.token_ids, two.token_ids)
    seen, held_out = split_corpus(corpus, 0.1, 0)
    assert len(held_out.titled) == 4
    assert not {id(pair) for pair in seen.titled} & {id(pair) for pair in held_out.titled}


def test_the_rate_rises_and_falls_to_zero():
    assert [round(rate_at(progress), 3) for progress in (0, 0.025, 0.05, 0.525, 1)] == [0, 0.5, 1, 0.5, 0]


def test_settings_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="minutes"):
        BertTrainingSettings(minutes=0)
    with pytest.raises(ConfigError, match="length"):
        BertTrainingSettings(length=512)
    with pytest.raises(ConfigError, match="20 documents"):
        pretrain_bert(invent_documents(5), tmp_path / "model", BertTrainingSettings(minutes=0.1))
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_a_short_training_learns_and_its_folder_loads(tmp_path):
    settings = BertTrainingSettings(
        minutes=0.6, vocab_size=800, hidden_size=64, n_layers=1, n_positions=64, length=32, accelerator="cpu"
    )
    known = ["\n".join(TRIED)] * 4  # a tokenizer that lacks their letters is refused as no Korean one
    training = pretrain_bert([*invent_documents(200), *known], tmp_path / "bert-mini", settings)
    assert training.quality.masked_lm_loss < 0.6 * math.log(800)
    card = (tmp_path / "bert-mini/README.md").read_text(encoding="utf-8")
    assert f"accuracy {training.quality.masked_lm_accuracy:.3f}" in card
    config = json.loads((tmp_path / "bert-mini/config.json").read_text())
    assert config["architectures"] == ["BertForPreTraining"]
    bert = load_bert(str(tmp_path / "bert-mini"), "cpu")
    assert bert.embed(["버스 노선"]).shape == (1, 64)
    assert len(fill_mask(bert, ["우리 [MASK] 버스"], 3)[0]) == 3
    assert score_next_sentence(bert, [("버스", "노선")]).shape == (1,)
