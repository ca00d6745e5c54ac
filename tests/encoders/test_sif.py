import numpy as np
import pytest
from safetensors.numpy import save_file

from petitions.encoders.characters import BOS, EOS
from petitions.encoders.sif import SifPooling, plain_pooling, read_pooling, write_pooling
from petitions.errors import WeightsError

POOLING = SifPooling(
    smoothing=0.1,
    unseen=0.0,
    shares={"을": 0.9, "급식": 0.1},
    layers=np.array([1.0, 0.0, 0.5], np.float32),
    mean=np.array([1.0, 0.0], np.float32),
    projection=np.diag([1.0, 2.0]).astype(np.float32),
)


def test_a_token_weighs_less_the_more_frequent_it_is_and_a_mark_nothing():
    np.testing.assert_allclose(POOLING.weigh(["을", "급식", "드문", BOS, EOS]), [0.1, 0.5, 1.0, 0.0, 0.0], atol=1e-6)


def test_layers_are_mixed_scaled_centred_and_projected():
    sums = np.array([[[3.0, 0.0], [9.0, 9.0], [0.0, 8.0]]], np.float32)  # mixed 3, 4; of unit length 0.6, 0.8

    expected = np.array([-0.4, 1.6]) / np.hypot(0.4, 1.6)

    np.testing.assert_allclose(POOLING.project(sums), [expected], atol=1e-6)


def test_a_text_without_tokens_has_a_vector_of_zeros():
    assert not POOLING.project(np.zeros((1, 3, 2), np.float32)).any()


def test_what_is_written_is_read_again(tmp_path):
    write_pooling(POOLING, tmp_path)

    found = read_pooling(tmp_path, 3, 2)

    assert found.shares == pytest.approx(POOLING.shares)
    assert (found.smoothing, found.unseen) == (0.1, 0.0)
    for name in ("layers", "mean", "projection"):
        np.testing.assert_array_equal(getattr(found, name), getattr(POOLING, name))
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_without_it_has_none(tmp_path):
    assert read_pooling(tmp_path, 3, 2) is None


def test_a_pooling_of_another_network_is_refused_with_both_sizes(tmp_path):
    write_pooling(POOLING, tmp_path)

    with pytest.raises(WeightsError, match="fitted to 3 layers of 2 dimensions, the network has 3 of 16"):
        read_pooling(tmp_path, 3, 16)


@pytest.mark.parametrize("content", [b"no tensors", None])
def test_a_damaged_file_is_named(tmp_path, content):
    if content:
        (tmp_path / "pooling.safetensors").write_bytes(content)
    else:
        save_file({"mean": np.zeros(2)}, tmp_path / "pooling.safetensors")

    with pytest.raises(WeightsError, match="pooling.safetensors cannot be read as the pooling of an ELMo"):
        read_pooling(tmp_path, 3, 2)


def test_without_a_fit_all_layers_count_alike_or_as_a_fine_tuned_mix_says():
    assert plain_pooling(3, 2).layers == pytest.approx([1 / 3] * 3)
    assert plain_pooling(2, 2, np.log(np.array([3.0, 1.0], np.float32))).layers == pytest.approx([0.75, 0.25])
    with pytest.raises(WeightsError, match=r"scalar_mix/weights must be \[3\], got \[2\]"):
        plain_pooling(3, 2, np.zeros(2, np.float32))
