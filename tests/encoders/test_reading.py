"""Folders of sentence-transformers and XLM-R give the vectors that these give themselves (tiny_folders.py)."""

import json

import numpy as np
import pytest

from encoders.tiny_folders import (
    PROMPTS,
    SENTENCES,
    TEXTS,
    copy_tiny,
    write_json,
    write_sentence_files,
    write_tiny_xlmr,
)
from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.model_files import ModelFiles
from petitions.encoders.names import name_bert, name_encoder
from petitions.encoders.reading import Reading, read_reading
from petitions.errors import WeightsError


@pytest.fixture(scope="module")
def golden():
    return json.loads(SENTENCES.read_text())


@pytest.fixture
def sentence_folder(tmp_path):
    def make(**config):
        return write_sentence_files(copy_tiny(tmp_path), **config)

    return make


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token", "max_tokens"])
def test_pooling_and_prompts_of_the_folder_give_the_vectors_of_sentence_transformers(sentence_folder, golden, mode):
    folder = sentence_folder(prompts=PROMPTS, **{f"pooling_mode_{mode}": True})
    bert = load_bert(str(folder), "cpu")
    np.testing.assert_allclose(bert.embed(TEXTS, is_question=True), golden[f"bert {mode}"]["questions"], atol=1e-5)
    np.testing.assert_allclose(bert.embed(TEXTS), golden[f"bert {mode}"]["texts"], atol=1e-5)


def test_prompts_of_the_settings_take_the_place_of_those_of_the_folder(sentence_folder, golden):
    folder = sentence_folder(pooling_mode_mean_tokens=True)
    prompts = "|".join(PROMPTS.values())
    bert = load_bert(str(folder), "cpu", prompts=prompts)
    np.testing.assert_allclose(bert.embed(TEXTS), golden["bert mean_tokens"]["texts"], atol=1e-5)
    assert bert.name == name_bert(str(folder), prompts=prompts) != name_bert(str(folder))
    assert np.abs(load_bert(str(folder), "cpu").embed(TEXTS) - bert.embed(TEXTS)).max() > 1e-3


def test_an_xlm_r_gives_vectors_and_logits_of_transformers(tmp_path, golden):
    folder = write_sentence_files(write_tiny_xlmr(tmp_path), prompts=PROMPTS, pooling_mode_mean_tokens=True)
    bert = load_bert(str(folder), "cpu")
    assert (bert.n_positions, bert.heads) == (24, ["masked words"])
    np.testing.assert_allclose(bert.embed(TEXTS, is_question=True), golden["xlmr"]["questions"], atol=1e-5)
    np.testing.assert_allclose(bert.embed(TEXTS), golden["xlmr"]["texts"], atol=1e-5)
    framed = bert.frame([9, 119, 20], position=2)
    np.testing.assert_allclose(bert.predict_masked([framed])[0], golden["xlmr masked"], atol=1e-4)
    assert np.isfinite(bert.embed(["학교 " * 500])).all()


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token", "max_tokens"])
def test_each_window_has_the_prompt_and_the_tail_of_a_long_text_counts(sentence_folder, pooling):
    folder = sentence_folder(prompts=PROMPTS, max_seq_length=12, **{f"pooling_mode_{pooling}": True})
    bert = load_bert(str(folder), "cpu")
    prompt = bert.encode_pieces([PROMPTS["passage"]])[0]
    windows = next(bert._split(["버스 " * 20], is_question=False))
    assert [len(window) for window in windows] == [10, 10, 6]  # 12 less two special tokens; 20 words over rooms of 8
    assert all(window[:2] == prompt for window in windows)
    same, longer, other = bert.embed(["버스 " * 16, "버스 " * 16 + "강아지 보호", "버스 " * 16 + "노인"])
    assert min(np.abs(same - longer).max(), np.abs(longer - other).max()) > 1e-4


def test_a_prompt_that_fills_a_window_is_refused(sentence_folder):
    bert = load_bert(str(sentence_folder(prompts={"passage": "버스 " * 30}, pooling_mode_cls_token=True)), "cpu")
    with pytest.raises(WeightsError, match="has 30 pieces, which fills a window"):
        bert.embed(["학교"])


@pytest.mark.parametrize(
    ("content", "question", "text"),
    [
        ({"prompts": {"query": "Q: ", "document": "D: "}}, "Q: ", "D: "),
        ({"prompts": {"query": "Q: ", "passage": "P: "}}, "Q: ", "P: "),
        ({"prompts": {"query": "Q: ", "document": "", "passage": "P: "}}, "Q: ", "P: "),
        ({"prompts": {"query": "Q: "}}, "Q: ", ""),
        ({"prompts": {"both": "B: "}, "default_prompt_name": "both"}, "B: ", "B: "),
        ({"prompts": {"other": "B: "}, "default_prompt_name": None}, "", ""),
        ({}, "", ""),
    ],
)
def test_prompts_are_chosen_as_sentence_transformers_does(tmp_path, content, question, text):
    write_json(tmp_path / "config_sentence_transformers.json", content)
    reading = read_reading(tmp_path)
    assert (reading.question_prompt, reading.text_prompt) == (question, text)


@pytest.mark.parametrize(
    ("pooling", "found"),
    [
        ({"pooling_mode": "mean"}, "mean"),
        ({"pooling_mode": ["cls"]}, "cls"),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "mean"),
        ({"pooling_mode_max_tokens": True, "pooling_mode_cls_token": False}, "max"),
    ],
)
def test_old_and_new_forms_of_pooling_are_read(tmp_path, pooling, found):
    assert read_reading(write_sentence_files(tmp_path, **pooling)).pooling == found


POOLING, MODULES, PROMPTS_FILE = "1_Pooling/config.json", "modules.json", "config_sentence_transformers.json"
TRANSFORMER, POOLED = {"type": "a.Transformer"}, {"type": "a.Pooling", "path": "1_Pooling"}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (POOLING, {"pooling_mode_weightedmean_tokens": True}, "mean, cls, max alone, got weightedmean_tokens"),
        (POOLING, {"pooling_mode_lasttoken": True}, "1_Pooling/config.json: pooling .* got lasttoken"),
        (POOLING, {"pooling_mode": "lasttoken"}, "got lasttoken"),
        (POOLING, {"pooling_mode": 3}, "got 3"),
        (POOLING, {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, "got cls_token and mean_tokens"),
        (POOLING, {}, "got none"),
        (POOLING, [], "1_Pooling/config.json must hold a JSON object, got list"),
        (POOLING, {"pooling_mode": "cls", "include_prompt": False}, "include_prompt must be true"),
        (MODULES, {}, "modules must be Transformer, Pooling and perhaps Normalize, got none"),
        (MODULES, ["Transformer"], "modules.json is no list of modules"),
        (MODULES, [TRANSFORMER, POOLED, {"type": "a.Dense"}], "got Transformer, Pooling, Dense"),
        (MODULES, [TRANSFORMER | {"path": "0_T"}, POOLED], "must lie beside it, not in '0_T'"),
        (MODULES, [TRANSFORMER, POOLED | {"path": "2_P"}], "2_P/config.json is missing"),
        ("sentence_bert_config.json", {"max_seq_length": 2}, "must be a whole number of 8 or more, got 2"),
        (PROMPTS_FILE, {"prompts": {"query": 1}}, "prompts must be texts"),
        (PROMPTS_FILE, {"default_prompt_name": "query"}, "default_prompt_name is 'query'"),
    ],
)
def test_what_we_do_not_do_is_refused_by_name(sentence_folder, file, content, message):
    folder = sentence_folder(pooling_mode_mean_tokens=True)
    write_json(folder / file, content)
    for load in (load_bert, name_bert):
        with pytest.raises(WeightsError, match=message):
            load(str(folder))


def test_a_hub_name_tells_how_its_commit_is_read(sentence_folder):
    folder = sentence_folder(pooling_mode_cls_token=True)
    commit = "0123456789abcdef"
    files = ModelFiles(folder=folder, hub_name="org/tiny", commit=commit)
    names = {name_encoder(files), name_encoder(files, "query: |passage: ")}
    assert len(names) == 2 and all(name.startswith("org/tiny@0123456789ab-") for name in names)
    (folder / "modules.json").unlink()
    assert name_encoder(files) == "org/tiny@0123456789ab"
    assert Reading().told == ""
