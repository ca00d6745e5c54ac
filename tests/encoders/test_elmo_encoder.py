"""The encoder as the pipeline uses it, over a tiny ELMo with random weights, and over the one that ships."""

import json
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest

from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import read_weights, write_checkpoint
from petitions.encoders.elmo_encoder import LONGEST_WINDOW, load_elmo
from petitions.encoders.elmo_options import ElmoOptions, write_options
from petitions.encoders.elmo_shapes import list_shapes
from petitions.encoders.names import name_elmo
from petitions.encoders.sif import plain_pooling, write_pooling
from petitions.errors import WeightsError
from petitions.settings import MODELS

pytestmark = pytest.mark.slow

OPTIONS = ElmoOptions(character_dim=4, filters=((1, 4), (2, 8)), projection_dim=8, lstm_dim=16)
ELMO_SMALL = MODELS / "elmo-small"
BUS = ["버스", "노선", "을", "늘려", "주", "세요"]
ENGINES = ("auto", "tensorflow")
SCHOOL = ["학교", "급식", "을", "개선", "해", "주", "세요"]


def write_random_elmo(folder):
    rng = np.random.default_rng(0)
    shapes = {name: variable.shape for name, variable in ElmoNetwork(OPTIONS).weights_by_name().items()}
    write_checkpoint(folder, OPTIONS, {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "elmo-tiny"
    write_random_elmo(folder)
    return folder


@pytest.fixture(scope="module")
def elmo(folder):
    return load_elmo(str(folder), "cpu")


@pytest.mark.slow
def test_vectors_are_float32_of_unit_length_and_an_empty_list_has_none(elmo):
    vectors = elmo.embed([BUS, [], SCHOOL])

    assert vectors.shape == (3, elmo.dimensions) == (3, 16)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1.0, 0.0, 1.0], atol=1e-6)


def test_no_sentences_give_no_rows(elmo):
    assert elmo.embed([]).shape == (0, 16)


@pytest.mark.slow
def test_order_and_neighbours_do_not_change_a_vector(elmo):
    rng = np.random.default_rng(1)
    words = [*BUS, *SCHOOL]
    sentences = [list(rng.choice(words, size)) for size in (300, 3, 40, 1)]

    together = elmo.embed(sentences)

    for sentence, vector in zip(sentences, together, strict=True):
        np.testing.assert_allclose(elmo.embed([sentence])[0], vector, atol=1e-6)


@pytest.mark.slow
def test_the_tail_of_a_long_petition_counts(elmo):
    head = ["가"] * (3 * LONGEST_WINDOW)

    plain, changed = elmo.embed([[*head, "나"], [*head, "다"]])

    assert np.abs(plain - changed).max() > 1e-6


def test_a_petition_that_just_fits_is_read_in_one_window(elmo):
    room = LONGEST_WINDOW - 2
    repeated = ["가", "나"] * room

    one, doubled = elmo.embed([repeated[:room], repeated])  # the second is cut into two windows like the first

    np.testing.assert_allclose(one, doubled, atol=1e-6)


@pytest.mark.slow
def test_bilm_tf_files_give_the_vectors_of_our_own_format(elmo, folder, tmp_path):
    write_options(OPTIONS, tmp_path / "options.json")
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        for name, values in read_weights(folder / "model.safetensors").items():
            file[name] = values

    np.testing.assert_array_equal(load_elmo(str(tmp_path), "cpu").embed([BUS, SCHOOL]), elmo.embed([BUS, SCHOOL]))


@pytest.mark.slow
def test_a_fine_tuned_mix_of_the_layers_is_used(folder, elmo, tmp_path):
    weights = read_weights(folder / "model.safetensors")
    weights["scalar_mix/weights"] = np.array([20.0, 0.0, 0.0], np.float32)  # the characters alone
    weights["scalar_mix/gamma"] = np.array([2.0], np.float32)
    write_checkpoint(tmp_path, OPTIONS, weights)
    mixed = load_elmo(str(tmp_path), "cpu")

    one, swapped = mixed.embed([BUS, BUS[::-1]])

    np.testing.assert_allclose(one, swapped, atol=1e-5)  # without the LSTMs the order of the tokens is no matter
    one, swapped = elmo.embed([BUS, BUS[::-1]])
    assert np.abs(one - swapped).max() > 1e-3


def test_the_name_tells_the_folder_the_weights_and_the_options(elmo, folder, tmp_path):
    assert elmo.name == name_elmo(str(folder))
    assert elmo.name.startswith("elmo-tiny@") and len(elmo.name) == len("elmo-tiny@") + 12
    copy = shutil.copytree(folder, tmp_path / "elmo-tiny")
    assert name_elmo(str(copy)) == elmo.name
    options = json.loads((copy / "options.json").read_text())
    options["lstm"]["cell_clip"] = 1.0
    (copy / "options.json").write_text(json.dumps(options))
    assert name_elmo(str(copy)) != elmo.name


def test_what_was_fitted_to_the_weights_is_in_the_name(folder, elmo, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "elmo-tiny")
    write_pooling(plain_pooling(3, 16), copy)

    assert name_elmo(str(copy)) != elmo.name
    np.testing.assert_allclose(load_elmo(str(copy), "cpu").embed([BUS]), elmo.embed([BUS]), atol=1e-6)


def test_texts_of_every_length_are_computed_by_seven_programs(folder):
    counted = load_elmo(str(folder), "cpu", cpu_engine="tensorflow")
    long_words = ["가" * n for n in (1, 4, 8, 16)]

    for n in (1, 5, 31, 40, 100, 200, 254, 300, 700):
        counted.embed([[*BUS, *long_words] * (n // 10 + 1)] * (n % 7 + 1))

    programs = (counted._engine._compiled_characters, counted._engine._compiled_sum)
    assert sum(program.experimental_get_tracing_count() for program in programs) <= 7


def test_numpy_gives_the_vectors_of_tensorflow(folder, elmo, monkeypatch):
    exact = load_elmo(str(folder), "cpu", cpu_engine="tensorflow")
    rng = np.random.default_rng(2)
    sentences = [list(rng.choice([*BUS, *SCHOOL, "가" * 30], size)) for size in (600, 3, 0, 40, 254, 1)]

    assert (elmo.engine, exact.engine) == ("NumPy", "TensorFlow")
    np.testing.assert_allclose(elmo.embed(sentences), exact.embed(sentences), atol=1e-5)
    places = [599, 0, 12]
    asked = [sentences[0], sentences[1], sentences[3]]
    np.testing.assert_allclose(elmo.embed_words(asked, places), exact.embed_words(asked, places), atol=1e-5)


def test_the_same_of_another_activation_without_clips_or_skips(tmp_path):
    options = replace(OPTIONS, activation="tanh", cell_clip=None, proj_clip=None, use_skip_connections=False)
    rng = np.random.default_rng(3)
    write_checkpoint(
        tmp_path, options, {name: rng.normal(0, 0.5, shape) for name, shape in list_shapes(options).items()}
    )

    fast, exact = (load_elmo(str(tmp_path), "cpu", cpu_engine=name).embed([BUS, SCHOOL]) for name in ENGINES)

    np.testing.assert_allclose(fast, exact, atol=1e-5)


def test_tensorflow_takes_over_where_there_is_much_to_do(folder, monkeypatch):
    monkeypatch.setattr("petitions.encoders.elmo_encoder.MANY_TOKENS", 20)
    grown = load_elmo(str(folder), "cpu")

    few = grown.embed([BUS])
    assert grown.engine == "NumPy"
    many = grown.embed([BUS] * 3)

    assert grown.engine == "TensorFlow"
    np.testing.assert_allclose(many[0], few[0], atol=1e-6)


def test_the_shapes_are_those_of_the_network():
    network = ElmoNetwork(OPTIONS).weights_by_name()

    assert {name: tuple(variable.shape) for name, variable in network.items()} == list_shapes(OPTIONS)


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(WeightsError, match="/nowhere/elmo"):
        load_elmo("/nowhere/elmo", "cpu")


# Invented sentences of four themes, three each, as Mecab splits them.
THEMES = {
    "아동": (
        "어린이집 교사 의 아동 학대 를 강력히 처벌 해 주 세요",
        "유치원 아이 들 을 때린 선생 님 을 처벌 해야 합니다",
        "아이 를 학대 한 부모 의 형량 을 높여 주 십시오",
    ),
    "교통": (
        "출퇴근 시간 버스 와 지하철 을 늘려 주 세요",
        "우리 동네 에 광역 버스 노선 과 전철역 을 만들 어 주 십시오",
        "고속도로 정체 구간 의 도로 를 넓혀 야 합니다",
    ),
    "코로나": (
        "코로나 바이러스 때문 에 중국인 입국 을 막 아 주 세요",
        "마스크 가격 이 너무 비싸 니 정부 가 공급 해 주 십시오",
        "확진 자 가 늘 고 있 으니 개학 을 연기 해야 합니다",
    ),
    "부동산": (
        "아파트 분양 가 와 집값 을 잡 아 주 세요",
        "부동산 대출 규제 를 완화 해 주 십시오",
        "전세 보증금 을 돌려받 지 못한 세입자 를 구제 해야 합니다",
    ),
}


@pytest.mark.slow
def test_the_elmo_that_ships_puts_sentences_of_a_theme_nearer_than_others():
    themes = np.repeat(np.arange(len(THEMES)), 3)
    vectors = load_elmo(str(ELMO_SMALL), "cpu").embed([text.split() for texts in THEMES.values() for text in texts])

    cosine = vectors @ vectors.T
    same = themes[:, np.newaxis] == themes
    np.fill_diagonal(cosine, np.nan)

    assert np.nanmean(cosine[same]) > np.nanmean(cosine[~same]) + 0.05
    nearest = np.nanargmax(cosine, axis=1)
    assert np.mean(themes[nearest] == themes) >= 0.5  # by chance 2 in 11


@pytest.mark.slow
def test_the_elmo_that_ships_puts_an_inflected_noun_beside_its_stem():
    stem, plural, *others = load_elmo(str(ELMO_SMALL), "cpu").embed(
        [["어린이집"], ["어린이집들"], ["부동산"], ["출근길"]]
    )

    assert stem @ plural > max(stem @ other for other in others) + 0.1


def test_the_elmo_that_ships_is_small_and_has_a_model_card():
    assert sum(path.stat().st_size for path in ELMO_SMALL.iterdir()) < 16_000_000
    card = (ELMO_SMALL / "README.md").read_text("utf-8")
    assert "perplexity" in card
    assert "accuracy" in card
