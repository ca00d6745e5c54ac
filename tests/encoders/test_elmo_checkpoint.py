import json

import h5py
import numpy as np
import pytest

from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import assign_weights, read_weights, write_bilm_tf, write_checkpoint
from petitions.encoders.elmo_options import ElmoOptions, read_options, write_options
from petitions.encoders.names import find_weights
from petitions.errors import WeightsError

OPTIONS = ElmoOptions(character_dim=4, filters=((1, 4), (2, 8)), projection_dim=8, lstm_dim=16, proj_clip=None)


@pytest.fixture(scope="module")
def network():
    return ElmoNetwork(OPTIONS)


@pytest.fixture
def weights(network):
    rng = np.random.default_rng(0)
    shapes = {name: variable.shape for name, variable in network.weights_by_name().items()}
    return {name: rng.normal(0, 0.5, shape).astype(np.float16) for name, shape in shapes.items()}


def test_what_is_written_is_read_again(tmp_path, weights):
    write_checkpoint(tmp_path, OPTIONS, weights)

    assert read_options(tmp_path / "options.json") == OPTIONS
    found = read_weights(find_weights(tmp_path))
    assert found.keys() == weights.keys()
    for name, values in weights.items():
        np.testing.assert_array_equal(found[name], values.astype(np.float32))
    assert not list(tmp_path.glob("*.part"))


def test_the_options_of_a_training_of_bilm_tf_have_no_padding_among_the_characters(tmp_path):
    path = tmp_path / "options.json"
    write_options(OPTIONS, path)
    path.write_text(path.read_text().replace("262", "261"))

    assert read_options(path) == OPTIONS


def test_the_files_of_bilm_tf_are_written_and_read_again(tmp_path, weights):
    write_bilm_tf(tmp_path, OPTIONS, {**weights, "softmax/W": np.zeros((2, 8), np.float16)})

    assert read_options(tmp_path / "options.json") == OPTIONS
    assert json.loads((tmp_path / "options.json").read_text())["char_cnn"]["n_characters"] == 262
    found = read_weights(find_weights(tmp_path))
    assert found.keys() == weights.keys()  # no softmax, as bilm-tf dumps them
    for name, values in weights.items():
        np.testing.assert_array_equal(found[name], values.astype(np.float32))
    with h5py.File(tmp_path / "weights.hdf5") as file:
        assert file["RNN_0/RNN/MultiRNNCell/Cell0/LSTMCell/W_0"].dtype == np.float32


def test_weights_of_bilm_tf_are_read_by_the_same_names(tmp_path, weights):
    write_options(OPTIONS, tmp_path / "options.json")
    with h5py.File(tmp_path / "korean_weights.hdf5", "w") as file:
        for name, values in weights.items():
            file[name] = values.astype(np.float32)

    found = read_weights(find_weights(tmp_path))

    assert found.keys() == weights.keys()
    np.testing.assert_array_equal(found["char_embed"], weights["char_embed"])


def test_a_missing_weight_is_named_with_its_shape(network, weights):
    del weights["RNN_1/RNN/MultiRNNCell/Cell1/LSTMCell/W_P_0"]

    with pytest.raises(WeightsError, match=r"RNN_1/RNN/MultiRNNCell/Cell1/LSTMCell/W_P_0 \[16, 8\] is missing"):
        assign_weights(network.weights_by_name(), weights)


def test_a_weight_of_another_shape_is_named_with_both_shapes(network, weights):
    weights["CNN_proj/W_proj"] = weights["CNN_proj/W_proj"].T

    with pytest.raises(WeightsError, match=r"CNN_proj/W_proj must be \[12, 8\], got \[8, 12\]"):
        assign_weights(network.weights_by_name(), weights)


def test_a_weight_that_is_not_finite_is_named(network, weights):
    weights["CNN_proj/W_proj"][0, 0] = np.nan

    with pytest.raises(WeightsError, match=r"the weight CNN_proj/W_proj: 1 of 96 values are not finite"):
        assign_weights(network.weights_by_name(), weights)


def test_a_folder_without_options_is_no_elmo(tmp_path):
    with pytest.raises(WeightsError, match=r"holds no options\.json"):
        find_weights(tmp_path)


def test_a_folder_without_weights_says_which_files_it_may_hold(tmp_path):
    write_options(OPTIONS, tmp_path / "options.json")

    with pytest.raises(WeightsError, match=r"must hold model\.safetensors or one \*\.hdf5 of bilm-tf, found 0"):
        find_weights(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "weights.hdf5"])
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"no weights")

    with pytest.raises(WeightsError, match=name):
        read_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("char_cnn", "n_characters", 128, "n_characters must be 261 or 262, the bytes of UTF-8 and the marks, got 128"),
        ("char_cnn", "activation", "gelu", "activation must be one of relu, tanh, got 'gelu'"),
        ("char_cnn", "max_characters_per_token", 2, "max_characters_per_token must be at least 3, got 2"),
        ("lstm", "dim", None, "is not an ELMo's options.json"),
    ],
)
def test_options_that_cannot_be_are_named(tmp_path, section, key, value, message):
    path = tmp_path / "options.json"
    write_options(OPTIONS, path)
    tree = json.loads(path.read_text())
    tree[section][key] = value
    path.write_text(json.dumps(tree))

    with pytest.raises(WeightsError, match=message):
        read_options(path)
