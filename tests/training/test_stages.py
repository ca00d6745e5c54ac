import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tiny_training

from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.hub import load_tokenizer
from petitions.errors import ConfigError
from petitions.scoring.masked_lm import fill_mask
from petitions.scoring.next_sentence import score_next_sentence
from petitions.training import teacher_vectors
from petitions.training.draws import Drawer
from petitions.training.fill_draws import WindowSampler
from petitions.training.held_encoder import HELD_FILE
from petitions.training.material import find_neighbours, load_material
from petitions.training.sources import SCORED, read_alike, read_scored_pairs, split_sentences
from petitions.training.stage_state import STATE_FILE
from petitions.training.stage_trainer import Stage
from petitions.training.stages import export
from petitions.training.student import make_student, piece_vectors
from petitions.training.teacher_vectors import Teacher, compute_vectors, read_vectors

pytestmark = pytest.mark.slow  # each loads networks

N_STEPS = 150


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    tiny_training.prepare(folder)
    return folder


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(prepared, folder)
    return folder, tiny_training.train_tiny(folder, N_STEPS)


@pytest.mark.parametrize("task", tiny_training.SHARES)
def test_the_loss_of_each_task_falls(prepared, tmp_path, task):
    folder = tmp_path / "run"
    shutil.copytree(prepared, folder)
    curve = tiny_training.train_tiny(folder, 100, shares={task: 1.0}).curve
    assert curve[-1][task] < curve[0][task]


def test_a_training_that_was_killed_goes_on_with_the_same_curve(prepared, trained, tmp_path):
    """Killed after its first checkpoints, wherever it is then, and started again."""
    folder = tmp_path / "run"
    shutil.copytree(prepared, folder)
    command = [sys.executable, str(Path(tiny_training.__file__)), str(folder), str(N_STEPS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    state = folder / "work" / STATE_FILE
    while not state.is_file() and running.poll() is None:
        time.sleep(0.05)
    running.kill()
    running.wait()
    assert state.is_file()
    progress = tiny_training.train_tiny(folder, N_STEPS)
    whole = trained[1]
    assert [row["step"] for row in progress.curve] == [row["step"] for row in whole.curve]
    for row, expected in zip(progress.curve, whole.curve, strict=True):
        numbers, wanted = ({k: v for k, v in r.items() if k != "stage"} for r in (row, expected))
        assert numbers == pytest.approx(wanted, rel=1e-3)
    assert (progress.n_tokens, progress.n_updates) == (whole.n_tokens, whole.n_updates)


def test_a_stage_that_is_done_is_not_trained_again_and_another_goes_on_from_it(trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained[0], folder)
    assert tiny_training.train_tiny(folder, N_STEPS).n_updates == N_STEPS
    assert tiny_training.train_tiny(folder, 2, name="more").n_updates == N_STEPS + 2


def test_vectors_are_held_to_those_of_the_begin_of_a_stage_also_after_a_kill(trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained[0], folder)
    vectors = [read_tiny_vectors(folder, tmp_path / "0")]
    for run, (n_steps, shares) in enumerate(((10, {"fill": 0.5, "hold": 0.5}), (20, {"fill": 0.5, "hold": 0.5}))):
        tiny_training.train_tiny(folder, n_steps, shares=shares, name="held")
        vectors.append(read_tiny_vectors(folder, tmp_path / str(run + 1)))
    free = tmp_path / "free"
    shutil.copytree(trained[0], free)
    tiny_training.train_tiny(free, 20, shares={"fill": 1.0}, name="free")
    held, moved = (
        (rows * vectors[0]).sum(axis=1).mean() for rows in (vectors[2], read_tiny_vectors(free, tmp_path / "f"))
    )
    assert held > moved
    (folder / "work" / HELD_FILE).unlink()
    with pytest.raises(ConfigError, match=f"{HELD_FILE} is missing"):
        tiny_training.train_tiny(folder, 60, shares={"hold": 1.0}, name="held")


def read_tiny_vectors(folder, output):
    export(folder / "teacher", folder / "work", output, tiny_training.RECIPE, heads="both")
    return load_bert(str(output), "cpu").embed(["우리 동네 버스 노선", "급식 식단", "공원 나무와 벤치", "공사장 소음"])


def test_a_window_begins_with_a_word_anywhere_in_a_body(prepared):
    tokenizer = load_tokenizer(prepared / "work")
    material = load_material(prepared / "data", prepared / "work/vectors", tokenizer)
    sampler = WindowSampler(material.petitions, tokenizer, 0.5)
    windows = [sampler.take_window(20)[1] for _ in range(200)]
    assert not any(sampler.is_continuation[window[0]] for window in windows)
    assert max(len(window) for window in windows) == 20
    assert len({tuple(window[:8]) for window in windows}) > len(material.petitions.titled)


def test_what_is_exported_loads_with_both_heads(trained, tmp_path):
    folder, _ = trained
    export(folder / "teacher", folder / "work", tmp_path / "model", tiny_training.RECIPE, heads="both")
    bert = load_bert(str(tmp_path / "model"), "cpu")
    assert bert.heads == ["masked words", "next sentence"]
    assert bert.embed(["버스 노선"]).shape == (1, 32)
    assert len(fill_mask(bert, ["우리 [MASK] 버스"], 3)[0]) == 3
    assert score_next_sentence(bert, [("버스", "노선")]).shape == (1,)
    export(folder / "teacher", folder / "work", tmp_path / "bare", tiny_training.RECIPE, heads="none")
    assert load_bert(str(tmp_path / "bare"), "cpu").heads == []
    told = json.loads((tmp_path / "bare/tokenizer_config.json").read_text())
    assert told["model_max_length"] == tiny_training.RECIPE.n_positions
    export(folder / "teacher", folder / "work", tmp_path / "next", tiny_training.RECIPE, heads="next")
    assert load_bert(str(tmp_path / "next"), "cpu").heads == ["next sentence"]


def test_a_student_of_all_layers_and_the_same_pieces_is_its_teacher(prepared):
    folder = prepared / "teacher"
    tokenizer = load_tokenizer(folder)
    student = make_student(folder, tokenizer, (0, 1), 128)
    teacher = Teacher(folder, accelerator="cpu", is_exact=True)
    ids = np.array([[2, 40, 50, 60, 3]], np.int32)
    ours, theirs = (bert(ids, np.zeros_like(ids), np.ones_like(ids)).numpy() for bert in (student.bert, teacher.bert))
    np.testing.assert_allclose(ours, theirs, atol=1e-2)


@pytest.mark.parametrize("has_products", [True, False])
def test_a_teacher_multiplies_in_bfloat16_only_where_the_device_does(prepared, monkeypatch, has_products):
    monkeypatch.setattr(teacher_vectors, "multiplies_bfloat16", lambda strategy: has_products)
    exact, ours = (Teacher(prepared / "teacher", accelerator="cpu", is_exact=is_exact) for is_exact in (True, False))
    apart = np.abs(exact.embed(["버스 노선이 부족합니다"]) - ours.embed(["버스 노선이 부족합니다"])).max()
    assert (apart > 0) == has_products


def test_a_piece_begins_as_the_mean_of_the_pieces_that_spell_it(prepared):
    ours, theirs = load_tokenizer(prepared / "work"), load_tokenizer(prepared / "teacher")
    vectors = np.random.default_rng(0).standard_normal((len(theirs), 4)).astype(np.float32)
    found = piece_vectors(ours, theirs, vectors)
    (bus,) = theirs.convert_tokens_to_ids(["버스"])
    np.testing.assert_allclose(found[ours.convert_tokens_to_ids("버스")], vectors[bus], atol=1e-6)
    np.testing.assert_allclose(found[ours.mask_token_id], vectors[theirs.mask_token_id], atol=1e-6)


def test_layers_and_positions_that_the_teacher_lacks_are_refused(prepared):
    tokenizer = load_tokenizer(prepared / "work")
    with pytest.raises(ConfigError, match="layers must be among 0 to 1"):
        make_student(prepared / "teacher", tokenizer, (0, 5), 128)
    with pytest.raises(ConfigError, match="128 positions"):
        make_student(prepared / "teacher", tokenizer, (0, 1), 512)


def test_vectors_are_computed_once_and_only_for_the_same_texts(prepared, tmp_path):
    teacher = Teacher(prepared / "teacher", accelerator="cpu")
    texts = ["버스 노선이 부족합니다", "급식"]
    compute_vectors(teacher, texts, tmp_path)
    before = (tmp_path / "00000.npy").stat().st_mtime_ns
    compute_vectors(teacher, texts, tmp_path)
    assert (tmp_path / "00000.npy").stat().st_mtime_ns == before
    known, vectors = read_vectors(tmp_path)
    assert known == texts
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    with pytest.raises(ConfigError, match="other texts"):
        compute_vectors(teacher, ["공원"], tmp_path)
    with pytest.raises(ConfigError, match="no vectors"):
        read_vectors(tmp_path / "nowhere")


def test_a_batch_depends_on_the_random_numbers_alone(prepared):
    tokenizer = load_tokenizer(prepared / "work")
    material = load_material(prepared / "data", prepared / "work/vectors", tokenizer)
    drawer = Drawer(material, tokenizer, tiny_training.SIZES)
    for name, draw in drawer.draws.items():
        first = draw(np.random.default_rng([1, 2]))
        drawer.draw_joint(np.random.default_rng(9))
        for one, two in zip(first, draw(np.random.default_rng([1, 2])), strict=True):
            np.testing.assert_array_equal(one, two, err_msg=name)


def test_neighbours_share_words_and_are_not_the_same_text_again():
    bodies = [[5, 6, 7, 8], [5, 6, 7, 8], [5, 6, 9, 10], [11, 12, 13, 14], [11, 12, 15, 16]]
    found = find_neighbours([np.array(body, np.int32) for body in bodies], 20)
    assert found[0][0] == 2
    assert found[3][0] == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(b'{"a": "x", "b": "y", "score": 7}\n'), "from 0 to 5, got 7"),
        (gzip.compress(b'{"a": 1, "b": "y", "score": 2}\n'), "under 'a', got 1"),
        (gzip.compress(b"[1]\n"), "line 1: an object"),
        (gzip.compress(b"{\n"), "line 1: no JSON"),
        (gzip.compress(b'{"a": "x", "b": "y", "score": 2}\n' * 99)[:-12], "damaged or was cut"),
        (b"plain", "damaged or was cut"),
        (None, "no such training file"),
    ],
    ids=["score", "text", "list", "half", "cut", "plain", "none"],
)
def test_a_bad_corpus_is_refused_by_name(tmp_path, content, told):
    path = tmp_path / SCORED[0]
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=told) as refused:
        read_scored_pairs(tmp_path)
    assert path.name in str(refused.value)


def test_what_entails_comes_with_what_contradicts(prepared):
    found = [alike for alike in read_alike(prepared / "data") if alike.unlike]
    assert found
    assert all(alike.first and alike.second for alike in found)


def test_sentences_are_neither_words_nor_pages():
    assert split_sentences("네. 우리 동네 버스가 너무 부족합니다. " + "가" * 300) == [
        "우리 동네 버스가 너무 부족합니다."
    ]


def test_unknown_tasks_and_no_steps_are_refused():
    with pytest.raises(ConfigError, match="tasks must be among"):
        Stage(name="x", n_steps=1, shares={"guess": 1.0}, rate=1e-3)
    with pytest.raises(ConfigError, match="n_steps"):
        Stage(name="x", n_steps=0, shares={"joint": 1.0}, rate=1e-3)
