"""The engines of a CPU: equal results, and an export that is used, made anew, or written by two at once."""

import builtins
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from encoders.tiny_folders import copy_tiny, write_sentence_files, write_tiny_xlmr
from petitions.cpus import count_cpus
from petitions.encoders import accelerator, engine_choice, onnx_export
from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.engine_choice import FLOAT32, INT8, TENSORFLOW, choose_fastest
from petitions.encoders.onnx_engine import group_lengths
from petitions.errors import ConfigError
from petitions.settings import MODELS

pytestmark = pytest.mark.slow  # each loads networks

INCLUDE = Path(__file__).parents[2] / "include"
TEXTS = ["학교 청원", "버스 병원 마을 노인 아이 동물", "강아지 보호 " * 30, "", "가", "학교 청원"]
EMBED = """
import sys, numpy
from petitions.encoders.bert_encoder import load_bert
rows = load_bert(sys.argv[1], "cpu").embed(sys.argv[2:])
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
print(float(numpy.abs(rows).sum()))
"""


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny checkpoint, without exports."""
    copy_tiny(tmp_path)
    for path in tmp_path.glob(".engine-*"):
        path.unlink()
    return tmp_path


def test_onnx_runtime_neither_reports_to_its_maker_nor_tells_that_it_cannot(folder):
    """Its builds send events unless a variable forbids it before the import; that of CI does too, and is left out."""
    home = folder / "home"
    home.mkdir()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(INCLUDE), "HOME": str(home)}
    command = [sys.executable, "-c", EMBED, str(folder), "학교"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert not [path for path in home.rglob("*") if "Microsoft" in str(path)]
    done = subprocess.run(command, env=environ | {"HOME": "/proc"}, capture_output=True, text=True, check=True)
    assert "elemetry" not in done.stderr


def read_exports(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(".engine-*")}


def load_both(folder):
    return load_bert(str(folder), "cpu"), load_bert(str(folder), "cpu", cpu_engine="tensorflow")


def frame_pairs(bert, texts):
    pieces = bert.encode_pieces(texts)
    return [bert.frame(first[:9], second[:9], position=2) for first, second in zip(pieces, pieces[::-1], strict=True)]


@pytest.mark.slow
def test_the_weights_that_ship_give_what_tensorflow_computes(folder):
    for path in (MODELS / "sentence-small").iterdir():
        if not path.name.startswith(".engine"):
            (folder / path.name).write_bytes(path.read_bytes())
    onnx, tensorflow = load_both(folder)
    texts = ["학교 앞 횡단보도에 신호등을 세워 주세요. " * n for n in (1, 2, 5, 40)] + [
        "",
        "🐕漢字",
    ]
    np.testing.assert_allclose(onnx.embed(texts), tensorflow.embed(texts), atol=1e-5)
    pairs = frame_pairs(onnx.pair_reader, texts)
    np.testing.assert_allclose(onnx.predict_next(pairs), tensorflow.predict_next(pairs), atol=1e-4)
    np.testing.assert_allclose(onnx.predict_masked(pairs), tensorflow.predict_masked(pairs), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token", "max_tokens"])
def test_every_pooling_gives_the_vectors_of_tensorflow(pooling, folder):
    onnx, tensorflow = load_both(write_sentence_files(folder, **{f"pooling_mode_{pooling}": True}))
    np.testing.assert_allclose(onnx.embed(TEXTS), tensorflow.embed(TEXTS), atol=1e-6)


def test_positions_may_begin_after_that_of_padding(tmp_path):
    write_tiny_xlmr(tmp_path)
    onnx, tensorflow = load_both(tmp_path)
    np.testing.assert_allclose(onnx.embed(TEXTS), tensorflow.embed(TEXTS), atol=1e-6)
    pairs = frame_pairs(onnx, TEXTS)
    np.testing.assert_allclose(onnx.predict_masked(pairs), tensorflow.predict_masked(pairs), atol=1e-5)


def test_our_own_head_gives_the_logits_of_tensorflow(folder):
    tensors = {name: value for name, value in load_file(folder / "model.safetensors").items() if "seq_rel" not in name}
    weight = np.random.default_rng(0).standard_normal(64).astype(np.float32)
    tensors |= {"cls.segment_match.weight": weight, "cls.segment_match.scale": np.array([3.0, -1.0], np.float32)}
    save_file(tensors, folder / "model.safetensors")
    onnx, tensorflow = load_both(folder)
    pairs = [*frame_pairs(onnx, TEXTS), onnx.frame([5, 6])]
    np.testing.assert_allclose(onnx.predict_next(pairs), tensorflow.predict_next(pairs), atol=1e-5)


def test_an_export_is_written_once_and_read_by_the_next(folder):
    first = load_bert(str(folder), "cpu").embed(TEXTS)
    written = read_exports(folder)
    assert len(written) == 1
    np.testing.assert_array_equal(load_bert(str(folder), "cpu").embed(TEXTS), first)
    assert read_exports(folder) == written


def test_a_damaged_export_is_made_anew(folder, caplog):
    first = load_bert(str(folder), "cpu").embed(TEXTS)
    (path,) = folder.glob(".engine-*.onnx")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    np.testing.assert_array_equal(load_bert(str(folder), "cpu").embed(TEXTS), first)
    assert "is damaged" in caplog.text
    path.write_bytes(content[:1000])
    np.testing.assert_array_equal(load_bert(str(folder), "cpu").embed(TEXTS), first)


def test_other_weights_have_another_export_and_that_of_before_is_removed(folder):
    first = load_bert(str(folder), "cpu").embed(TEXTS)
    before = read_exports(folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["bert.encoder.layer.0.output.dense.weight"] *= 2
    save_file(tensors, folder / "model.safetensors")
    assert np.abs(load_bert(str(folder), "cpu").embed(TEXTS) - first).max() > 1e-3
    assert len(read_exports(folder)) == 1 and not read_exports(folder).keys() & before.keys()


def test_what_cannot_be_written_beside_the_weights_is_in_the_cache_or_in_memory(folder, monkeypatch, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    first = load_bert(str(folder), "cpu").embed(TEXTS)
    for path in folder.glob(".engine-*"):
        path.unlink()
    monkeypatch.setattr(onnx_export, "_can_be_written", lambda at: at != folder and not at.mkdir(parents=True))
    np.testing.assert_array_equal(load_bert(str(folder), "cpu").embed(TEXTS), first)
    assert not read_exports(folder) and len(list(cache.rglob(".engine-*.onnx"))) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setattr(onnx_export, "_can_be_written", lambda at: False)
    found = load_bert(str(folder), "cpu", cpu_engine="auto")
    np.testing.assert_array_equal(found.embed(TEXTS), first)
    assert found.engine == "ONNX Runtime, float32"


@pytest.mark.slow
def test_two_processes_may_export_at_once_and_need_no_tensorflow(folder):
    command = [sys.executable, "-c", EMBED, str(folder), *TEXTS]

    def run(_):
        return subprocess.run(command, cwd=INCLUDE, capture_output=True, text=True)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, range(2)))
    assert [item.returncode for item in done] == [0, 0], done[0].stderr + done[1].stderr
    assert done[0].stdout == done[1].stdout
    assert len(read_exports(folder)) == 1


@pytest.mark.slow
def test_auto_measures_once_a_machine_and_says_what_it_found(folder, monkeypatch):
    found = load_bert(str(folder), "cpu", cpu_engine="auto")
    assert "fastest here in tokens a second: tensorflow" in found.engine and "mean cosine" in found.engine
    finding = folder / engine_choice.FINDING_FILE
    told = json.loads(finding.read_text())
    assert told["fastest"] in (TENSORFLOW, FLOAT32, INT8)
    monkeypatch.setattr(engine_choice, "measure_engines", lambda *_: pytest.fail("measured twice"))
    assert load_bert(str(folder), "cpu", cpu_engine="auto").engine == found.engine
    monkeypatch.undo()
    finding.write_text(json.dumps(told | {"machine": "another"}))
    load_bert(str(folder), "cpu", cpu_engine="auto")
    assert json.loads(finding.read_text())["machine"] == told["machine"]
    finding.write_text("{")
    load_bert(str(folder), "cpu", cpu_engine="auto")
    assert json.loads(finding.read_text())["machine"] == told["machine"]


def test_what_one_file_of_onnx_cannot_hold_is_computed_by_tensorflow(folder, monkeypatch):
    monkeypatch.setattr(onnx_export, "MAX_BYTES", 1000)
    assert "TensorFlow" in load_bert(str(folder), "cpu", cpu_engine="auto").engine
    with pytest.raises(ConfigError, match="an ONNX file holds 1000"):
        load_bert(str(folder), "cpu", cpu_engine="onnxruntime")


@pytest.mark.parametrize(
    ("speeds", "cosine", "fastest"),
    [
        ((100, 150, 300), (1, 1, 0.999), INT8),
        ((100, 150, 300), (1, 1, 0.99), FLOAT32),  # too far off
        ((100, 150, 155), (1, 1, 0.999), FLOAT32),  # no gain worth it
        ((100, 90, 80), (1, 1, 1), TENSORFLOW),
        ((100, 150, 90), (1, 0.99, 0.999), TENSORFLOW),
    ],
)
def test_the_fastest_within_the_bounds_is_taken(speeds, cosine, fastest):
    names = (TENSORFLOW, FLOAT32, INT8)
    chosen = choose_fastest(dict(zip(names, speeds, strict=True)), dict(zip(names, cosine, strict=True)))
    assert chosen == fastest


def test_a_missing_package_is_named_and_auto_does_without(folder, monkeypatch, caplog):
    monkeypatch.setattr(engine_choice, "PACKAGES", ("onnxruntime-that-is-missing",))
    with pytest.raises(ConfigError, match="PETITIONS_CPU_ENGINE is onnxruntime, but .*: onnxruntime-that-is-missing"):
        load_bert(str(folder), "cpu", cpu_engine="onnxruntime")
    assert load_bert(str(folder), "cpu", cpu_engine="auto").engine == "TensorFlow"
    assert "onnxruntime-that-is-missing" in caplog.text


def test_a_read_export_does_without_onnx(folder, monkeypatch):
    first = load_bert(str(folder), "cpu").embed(TEXTS)
    for name in [name for name in sys.modules if name == "onnx" or name == "petitions.encoders.onnx_graph"]:
        monkeypatch.delitem(sys.modules, name)
    plain = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda name, *rest: pytest.fail(name) if name == "onnx" else plain(name, *rest)
    )
    np.testing.assert_array_equal(load_bert(str(folder), "cpu").embed(TEXTS), first)


@pytest.mark.parametrize(
    ("setting", "devices", "expected"),
    [("cpu", ("null",), True), ("auto", ("no-such-*",), True), ("auto", ("null",), False), ("gpu", (), False)],
)
def test_an_accelerator_is_looked_for_without_tensorflow(setting, devices, expected, monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    monkeypatch.setattr(accelerator, "TPU_DEVICE_FILES", ())
    monkeypatch.setattr(accelerator, "GPU_DEVICE_FILES", devices)
    assert accelerator.runs_on_cpu(setting) is expected


def test_a_batch_has_one_length_and_no_more_tokens_than_it_may():
    assert list(group_lengths([5, 3, 5, 9, 5, 3], 10)) == [[3], [0, 2], [4], [1, 5]]
    assert list(group_lengths([], 10)) == []
    assert list(group_lengths([20, 2], 1)) == [[0], [1]]


@pytest.mark.parametrize(("quota", "expected"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1)])
def test_the_quota_of_a_container_counts(quota, expected, tmp_path):
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert count_cpus(tmp_path / "cpu.max") == (expected or count_cpus(tmp_path / "absent"))


@pytest.mark.slow
def test_int8_stays_near_and_does_not_depend_on_the_neighbours(folder):
    for path in (MODELS / "sentence-small").iterdir():
        if not path.name.startswith(".engine"):
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / engine_choice.FINDING_FILE).write_text(
        json.dumps({
            "machine": engine_choice._describe_machine(), "fastest": INT8, "tokens_per_s": {INT8: 1.0},
            "cosine": {INT8: 1.0},
        })
    )  # fmt: skip
    exact, fast = load_bert(str(folder), "cpu"), load_bert(str(folder), "cpu", cpu_engine="auto")
    assert fast.engine.startswith("ONNX Runtime, int8")
    texts = ["학교 앞 횡단보도에 신호등을 세워 주세요. " * n for n in (1, 2, 9)] + [
        "강아지를 버리는 사람을 처벌해 주세요"
    ]
    rows = fast.embed(texts)
    assert ((rows * exact.embed(texts)).sum(axis=1) > 0.995).all()
    for text, row in zip(texts, rows, strict=True):
        np.testing.assert_array_equal(fast.embed([text])[0], row)
