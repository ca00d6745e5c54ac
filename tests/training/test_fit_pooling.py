"""Pairs of one invented noun each, amid endings that every petition has, and a tiny ELMo with random weights."""

import numpy as np
import pytest

from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import write_checkpoint
from petitions.encoders.elmo_encoder import load_elmo
from petitions.encoders.elmo_options import ElmoOptions
from petitions.encoders.names import name_elmo
from petitions.errors import ConfigError
from petitions.training.fit_pooling import fit_pooling

OPTIONS = ElmoOptions(character_dim=4, filters=((1, 8), (3, 16)), projection_dim=16, lstm_dim=16)
ENDINGS = ["을", "를", "개선", "해", "주", "세요", "합니다", ".", "국민", "여러분", "께", "부탁", "드립니다"]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    shapes = {name: variable.shape for name, variable in ElmoNetwork(OPTIONS).weights_by_name().items()}
    write_checkpoint(tmp_path, OPTIONS, {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()})
    return tmp_path


def write_pairs(n):
    rng = np.random.default_rng(1)
    nouns = ["".join(chr(0xAC00 + code) for code in rng.integers(0, 11_000, 2)) for _ in range(n)]
    title, body = (lambda: list(rng.choice(ENDINGS, 4))), (lambda: list(rng.choice(ENDINGS, 20)))
    return [([noun, *title()], [*body(), noun, *body()]) for noun in nouns]


@pytest.mark.slow
def test_titles_find_their_bodies_better_and_the_weights_have_another_name(folder):
    before = name_elmo(str(folder))

    choice = fit_pooling(folder, write_pairs(200), "cpu")

    assert choice.n_pairs == 40
    assert choice.reciprocal_rank > choice.reciprocal_rank_before + 0.3
    assert name_elmo(str(folder)) != before
    titles, bodies = (load_elmo(str(folder), "cpu").embed(texts) for texts in zip(*write_pairs(200)[:40], strict=True))
    assert np.mean((titles @ bodies.T).argmax(axis=1) == np.arange(40)) > 0.5


def test_too_few_pairs_are_refused_with_their_number(folder):
    with pytest.raises(ConfigError, match="at least 40 titles with bodies are needed to fit a pooling, got 3"):
        fit_pooling(folder, [*write_pairs(3), (["제목"], [])], "cpu")
