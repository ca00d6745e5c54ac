import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from encoders.tiny_folders import write_json, write_sentence_files
from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.names import name_bert
from petitions.encoders.sequences import TokenSequence
from petitions.errors import WeightsError

GOLDEN = Path(__file__).parent / "golden"
TINY = GOLDEN / "tiny-bert"  # 2 layers, hidden 32, 24 positions, made with PyTorch
INCLUDE = Path(__file__).parents[2] / "include"
E5 = Path(__file__).parents[3] / "shared/models/multilingual-e5-small-ko"


@pytest.fixture(scope="module")
def tiny():
    return load_bert(str(TINY), "cpu")


@pytest.fixture
def copy_of_tiny(tmp_path):
    """A function that copies the tiny checkpoint with changed tensors or changed config."""

    def copy(change=lambda tensors: tensors, **config):
        for path in TINY.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        save_file(change(load_file(TINY / "model.safetensors")), tmp_path / "model.safetensors")
        changed = json.loads((TINY / "config.json").read_text()) | config
        (tmp_path / "config.json").write_text(json.dumps(changed))
        return tmp_path

    return copy


def golden_sequences(golden):
    rows = zip(golden["token_ids"], golden["n_first"], golden["positions"], strict=True)
    return [TokenSequence(token_ids=ids, n_first=n_first, position=position) for ids, n_first, position in rows]


def test_both_heads_give_the_logits_of_pytorch(tiny):
    golden = json.loads((GOLDEN / "tiny_bert.json").read_text())
    sequences = golden_sequences(golden)
    np.testing.assert_allclose(tiny.predict_masked(sequences), golden["masked_lm_logits"], atol=1e-5)
    np.testing.assert_allclose(tiny.predict_next(sequences), golden["next_sentence_logits"], atol=1e-5)


def test_a_text_gets_the_same_vector_alone_and_beside_longer_ones(tiny):
    texts = ["학교 청원", "버스 병원 마을 노인 아이 동물 강아지 보호 처벌 안전", "가"]
    together = tiny.embed(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(tiny.embed([text])[0], row, atol=1e-6)


def test_rows_have_unit_length_and_the_order_of_the_texts(tiny):
    texts = ["버스 " * n for n in (9, 1, 30, 4)]
    rows = tiny.embed(texts, batch_tokens=48)
    assert rows.shape == (4, 32) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(tiny.embed(texts[::-1], batch_tokens=48)[::-1], rows, atol=1e-6)


def test_an_empty_text_is_its_special_tokens_and_no_text_is_no_row(tiny):
    assert tiny.embed([]).shape == (0, 32)
    rows = tiny.embed(["", " \n"])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-7)
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-6)


def test_the_tail_of_a_long_text_counts(tiny):
    head = "학교 " * 22  # fills the 24 positions with [CLS] and [SEP]
    only_head, with_tail, other_tail = tiny.embed([head, head + "강아지 보호", head + "버스 병원"])
    assert np.abs(only_head - with_tail).max() > 1e-3
    assert np.abs(with_tail - other_tail).max() > 1e-3


def test_windows_are_weighted_by_their_tokens(tiny):
    """The first window repeated is the same mean; a tail of one word moves it little, since it has few tokens."""
    head = "학교 " * 22
    one, two, with_tail, tail = tiny.embed([head, head * 2, head + "강아지", "강아지"])
    np.testing.assert_allclose(one, two, atol=1e-6)
    assert with_tail @ one > with_tail @ tail


def test_a_shape_is_compiled_once(copy_of_tiny):
    bert = load_bert(str(copy_of_tiny()), "cpu", cpu_engine="tensorflow")
    for _ in range(3):
        bert.embed(["학교", "버스 병원"])
        bert.embed(["마을", "노인"])
    assert bert._engine._compiled_pool.experimental_get_tracing_count() == 1


def test_a_truncation_saved_with_the_tokenizer_does_not_cut_texts(tiny):
    assert json.loads((TINY / "tokenizer.json").read_text())["truncation"]["max_length"] == 8
    assert len(tiny.encode_pieces(["학교 " * 50])[0]) == 50


def test_the_name_tells_weights_apart(tiny, copy_of_tiny):
    assert tiny.name.startswith("tiny-bert@") and len(tiny.name) == len("tiny-bert@") + 12
    changed = load_bert(str(copy_of_tiny(lambda tensors: {name: array * 2 for name, array in tensors.items()})), "cpu")
    assert changed.name.split("@")[1] != tiny.name.split("@")[1]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"dtype": "float16"}),
        ("tokenizer.json", {"truncation": None}),
        ("tokenizer_config.json", {"cls_token": "[MASK]"}),
        ("special_tokens_map.json", {"cls_token": "[MASK]"}),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}),
        ("config_sentence_transformers.json", {"prompts": {"query": "query: "}}),
        ("sentence_bert_config.json", {"max_seq_length": 12}),
    ],
)
def test_the_name_tells_apart_whatever_decides_the_vectors(copy_of_tiny, file, change):
    folder = write_sentence_files(copy_of_tiny(), pooling_mode_mean_tokens=True)
    before = name_bert(str(folder))
    path = folder / file
    write_json(path, (json.loads(path.read_text()) if path.exists() else {}) | change)
    after = name_bert(str(folder))
    assert after != before
    assert name_bert(str(folder)) == after
    assert name_bert(str(TINY), str(folder), prompts="question: |text: ").split("+")[0] not in (before, after)


def test_what_decides_no_vector_is_not_in_the_name(copy_of_tiny):
    folder = copy_of_tiny()
    before = name_bert(str(folder))
    for name in ("README.md", "search.json"):
        (folder / name).write_text("{}")
    assert name_bert(str(folder)) == before


def test_bare_half_and_old_names_are_read(copy_of_tiny, tiny):
    def change(tensors):
        kept = {name.removeprefix("bert."): array for name, array in tensors.items() if name.startswith("bert.")}
        old = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): array
            for name, array in kept.items()
        }
        return {name: array.astype(np.float16) for name, array in old.items()}

    bert = load_bert(str(copy_of_tiny(change)), "cpu")
    np.testing.assert_allclose(bert.embed(["학교 버스"]), tiny.embed(["학교 버스"]), atol=5e-3)


def test_sharded_weights_are_read_and_a_missing_shard_is_named(copy_of_tiny, tiny):
    folder = copy_of_tiny()
    tensors = sorted(load_file(folder / "model.safetensors").items())
    (folder / "model.safetensors").unlink()
    parts = {"model-1.safetensors": dict(tensors[:20]), "model-2.safetensors": dict(tensors[20:])}
    for name, part in parts.items():
        save_file(part, folder / name)
    weight_map = {tensor: name for name, part in parts.items() for tensor in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    np.testing.assert_allclose(load_bert(str(folder), "cpu").embed(["학교"]), tiny.embed(["학교"]), atol=1e-6)
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"lacks model-2\.safetensors"):
        load_bert(str(folder), "cpu")


def test_other_weights_may_give_the_vectors(copy_of_tiny, tiny):
    def change(tensors):
        bare = {name: array for name, array in tensors.items() if "cls." not in name and "pooler" not in name}
        return {name: array * 0.5 for name, array in bare.items()}

    folder = copy_of_tiny(change)
    alone, both = load_bert(str(folder), "cpu"), load_bert(str(TINY), "cpu", str(folder))
    assert both.name == f"{alone.name}+{tiny.name}" == name_bert(str(TINY), str(folder))
    np.testing.assert_array_equal(both.embed(["학교 버스"]), alone.embed(["학교 버스"]))
    assert both.heads == tiny.heads
    pairs = [both.frame([5, 6], [7, 8])]
    np.testing.assert_array_equal(both.predict_next(pairs), tiny.predict_next(pairs))
    same = load_bert(str(TINY), "cpu", str(TINY))
    assert same.name == tiny.name == name_bert(str(TINY), str(TINY))


def test_a_missing_head_is_named_with_the_score_it_costs_and_embeddings_still_work(copy_of_tiny):
    def drop_heads(tensors):
        return {name: array for name, array in tensors.items() if "cls." not in name and "pooler" not in name}

    bert = load_bert(str(copy_of_tiny(drop_heads)), "cpu")
    assert bert.embed(["학교"]).shape == (1, 32)
    with pytest.raises(WeightsError, match=r"next_sentence.*bert\.pooler\.dense\.weight.*cls\.seq_relationship\.bias"):
        bert.predict_next([bert.frame([5], [6])])
    with pytest.raises(WeightsError, match=r"masked words.*cls\.predictions\.bias"):
        bert.predict_masked([bert.frame([5])])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("bert.encoder.layer.1.output.dense.bias", None, "no weight bert.encoder.layer.1.output.dense.bias"),
        ("bert.embeddings.word_embeddings.weight", np.zeros((199, 32), np.float32), r"\(199, 32\).*\(200, 32\)"),
    ],
)
def test_a_missing_or_misshapen_weight_is_named(copy_of_tiny, name, change, message):
    def edit(tensors):
        del tensors[name]
        return tensors if change is None else tensors | {name: change}

    with pytest.raises(WeightsError, match=message):
        load_bert(str(copy_of_tiny(edit)), "cpu")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_is_named(copy_of_tiny, value):
    def spoil(tensors):
        tensors["bert.encoder.layer.1.output.dense.bias"][:2] = value
        return tensors

    with pytest.raises(
        WeightsError, match=r"weight bert\.encoder\.layer\.1\.output\.dense\.bias of .*: 2 of 32 values"
    ):
        load_bert(str(copy_of_tiny(spoil)), "cpu")


def test_finite_weights_that_overflow_give_no_vector(copy_of_tiny):
    def grow(tensors):
        name = "bert.encoder.layer.1.output.LayerNorm.weight"
        return tensors | {name: np.full_like(tensors[name], 1e38)}

    bert = load_bert(str(copy_of_tiny(grow)), "cpu")
    with pytest.raises(WeightsError, match=rf"what {bert.name} computes: \d+ of 32 values are not finite"):
        bert.embed(["학교 버스"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "gpt2"}, "config.json: model_type must be one of bert, roberta, xlm-roberta, got 'gpt2'"),
        ({"model_type": None}, "config.json: model_type must be one of bert, .*, there is none"),
        ({"hidden_act": "relu"}, "hidden_act must be 'gelu', got 'relu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ({"num_attention_heads": 5}, "hidden_size 32 is no multiple"),
        ({"vocab_size": 100}, "195 pieces for 100 embeddings, it must have 90% to 100% of them"),
    ],
)
def test_a_network_that_is_not_ours_is_refused(copy_of_tiny, config, message):
    with pytest.raises(WeightsError, match=message):
        load_bert(str(copy_of_tiny(**config)), "cpu")


def test_damaged_missing_and_pytorch_only_weights_are_told_apart(copy_of_tiny, tmp_path):
    folder = copy_of_tiny()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="damaged"):
        load_bert(str(folder), "cpu")
    weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="must be converted"):
        load_bert(str(folder), "cpu")
    with pytest.raises(WeightsError, match="no such model folder: /nowhere/at/all"):
        load_bert("/nowhere/at/all", "cpu")


@pytest.mark.slow
def test_importing_the_encoder_does_not_ask_for_pytorch():
    command = [sys.executable, "-c", "import petitions.encoders.hub"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2] / "include"
    )
    assert "PyTorch" not in done.stdout + done.stderr


TWO_REPLICAS = """
import sys, numpy, tensorflow as tf
device = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
from petitions.encoders import bert_encoder, tensorflow_engine
tensorflow_engine.pick_strategy = lambda accelerator: tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
numpy.save(sys.argv[2], bert_encoder.load_bert(sys.argv[1], cpu_engine="tensorflow").embed(sys.argv[3:]))
"""


@pytest.mark.slow
def test_two_replicas_give_the_vectors_of_one(tiny, tmp_path):
    texts = ["학교 청원", "버스 병원 마을", "강아지 " * 40, "동물", "가"]
    command = [sys.executable, "-c", TWO_REPLICAS, str(TINY), str(tmp_path / "rows.npy"), *texts]
    subprocess.run(command, check=True, cwd=INCLUDE, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), tiny.embed(texts), atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not E5.is_dir(), reason="../shared is absent")
def test_real_weights_give_the_vectors_of_pytorch(caplog):
    golden = json.loads((GOLDEN / "e5_small_ko.json").read_text())
    with caplog.at_level(logging.WARNING):
        rows = load_bert(str(E5), "cpu").embed(golden["texts"], batch_tokens=1024)
    np.testing.assert_allclose(rows[:, :8], golden["vectors"], atol=2e-6)
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.skipif(not E5.is_dir(), reason="../shared is absent")
def test_prompts_of_the_settings_are_those_that_real_weights_want():
    golden = json.loads((GOLDEN / "e5_small_ko.json").read_text())
    bert = load_bert(str(E5), "cpu", prompts="query: |passage: ")
    for prompt, is_question in (("query: ", True), ("passage: ", False)):
        kept = [number for number, text in enumerate(golden["texts"]) if text.startswith(prompt)]
        rows = bert.embed([golden["texts"][number].removeprefix(prompt) for number in kept], is_question=is_question)
        np.testing.assert_allclose(rows[:, :8], np.array(golden["vectors"])[kept], atol=2e-6)


def test_marks_that_a_petitioner_wrote_are_letters(tiny):
    (ids,) = tiny.encode_pieces(["학교 [SEP] 청원 [MASK] [CLS]"])
    assert not {tiny.tokenizer.sep_token_id, tiny.tokenizer.mask_token_id, tiny.tokenizer.cls_token_id} & set(ids)
    (meant,) = tiny.encode_pieces(["학교 [MASK] 청원"], has_marks=True)
    assert meant.count(tiny.tokenizer.mask_token_id) == 1
