"""The mean of two networks: of what both have, with the heads that the second alone has."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from petitions.encoders.bert_encoder import load_bert
from petitions.errors import WeightsError
from petitions.training.weight_mean import write_mean

TINY = Path(__file__).parents[1] / "encoders/golden/tiny-bert"


@pytest.fixture
def folders(tmp_path):
    """A network, and the same one with each weight changed; the first has no masked-word head."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns(".*"))
    tensors = load_file(first / "model.safetensors")
    chance = np.random.default_rng(0)
    changed = {
        name: tensor + chance.normal(0, 0.1, tensor.shape).astype(tensor.dtype) for name, tensor in tensors.items()
    }
    save_file(changed, second / "model.safetensors")
    save_file(
        {name: tensor for name, tensor in tensors.items() if "predictions" not in name}, first / "model.safetensors"
    )
    return first, second


def test_each_weight_is_between_both_and_a_head_of_the_second_is_kept(folders, tmp_path):
    first, second = folders
    write_mean(first, second, 0.25, tmp_path / "mean")
    old, new, mean = (load_file(folder / "model.safetensors") for folder in (first, second, tmp_path / "mean"))
    assert mean.keys() == new.keys() > old.keys()
    for name, tensor in mean.items():
        expected = 0.75 * old[name] + 0.25 * new[name] if name in old else new[name]
        np.testing.assert_allclose(tensor, expected, atol=1e-6)
    bert = load_bert(str(tmp_path / "mean"), "cpu")
    assert {"masked words", "next sentence"} <= set(bert.heads)
    vectors = [load_bert(str(folder), "cpu").embed(["학교"]) for folder in (second, tmp_path / "mean")]
    assert not np.allclose(*vectors)


def test_other_shapes_or_pieces_are_refused_and_nothing_is_written(folders, tmp_path):
    first, second = folders
    tensors = load_file(second / "model.safetensors")
    name = "bert.embeddings.word_embeddings.weight"
    save_file(tensors | {name: tensors[name][:-1]}, second / "model.safetensors")
    with pytest.raises(WeightsError, match=rf"{name}: expected \(\d+, \d+\)"):
        write_mean(first, second, 0.5, tmp_path / "mean")
    (second / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsError, match="different tokenizer.json"):
        write_mean(first, second, 0.5, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
