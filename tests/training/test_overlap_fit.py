import shutil

import numpy as np
import pytest
import tiny_training
from safetensors.numpy import load_file, save_file

from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.overlap import Overlap, measure_overlap
from petitions.errors import ConfigError, WeightsError
from petitions.scoring.next_sentence import score_next_sentence
from petitions.training.overlap_fit import calibrate
from petitions.training.sources import CALIBRATION, read_calibration
from petitions.training.stages import export

pytestmark = pytest.mark.slow  # each loads networks


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder whose network has learned nothing of what follows what, and the data to weigh it by."""
    folder = tmp_path_factory.mktemp("exported")
    tiny_training.prepare(folder)
    tiny_training.train_tiny(folder, 2, shares={"distill": 1.0})
    export(folder / "teacher", folder / "work", folder / "model", tiny_training.RECIPE, heads="next")
    return folder


@pytest.fixture
def model(exported, tmp_path):
    shutil.copytree(exported / "model", tmp_path / "model")
    return tmp_path / "model"


def test_the_overlap_is_the_share_of_the_rarity_of_the_first_text():
    rarity = np.array([1.0, 2.0, 3.0, 4.0])
    assert measure_overlap([0, 1, 1, 3], [3, 3, 2], rarity) == pytest.approx(4 / 7)
    assert measure_overlap([], [1], rarity) == 0.0
    assert measure_overlap([1], [], rarity) == 0.0


def test_network_and_words_are_weighed():
    overlap = Overlap(rarity=np.ones(4, np.float32), weights=np.array([2.0, 3.0, -1.0], np.float32))
    found = overlap.weigh(np.array([0.5, -0.5]), [[0, 1], [2]], [[1], [2]])
    np.testing.assert_allclose(found, [1.0 + 1.5 - 1.0, -1.0 + 3.0 - 1.0])


def test_what_is_weighed_is_kept_with_the_weights_and_counts(exported, model):
    before = load_bert(str(model), "cpu")
    assert before.overlap is None
    weights = calibrate(model, exported / "data", accelerator="cpu")
    after = load_bert(str(model), "cpu")
    assert after.name != before.name
    assert after.overlap is not None
    np.testing.assert_allclose(after.overlap.weights, weights, rtol=1e-6)
    assert weights[1] > 0, "titles share words with their bodies"
    documents = read_calibration(exported / "data")[:8]
    own = score_next_sentence(after, [(document.title, document.body) for document in documents])
    none = score_next_sentence(after, [(document.title, "전혀 다른 글") for document in documents])
    assert own.mean() > none.mean()


def test_weights_of_another_vocabulary_and_too_few_petitions_are_refused(exported, model):
    data = model.parent / "data"
    tiny_training.write_rows(data / CALIBRATION[0], [{"title": "버스", "content": "노선"}] * 3)
    tiny_training.write_rows(data / CALIBRATION[1], [])
    with pytest.raises(ConfigError, match=r"20 petitions are needed to calibrate, .* has 3"):
        calibrate(model, data, accelerator="cpu")
    calibrate(model, exported / "data", accelerator="cpu")
    tensors = load_file(model / "model.safetensors")
    tensors["cls.overlap.rarity"] = tensors["cls.overlap.rarity"][:-1]
    save_file(tensors, model / "model.safetensors")
    with pytest.raises(WeightsError, match="cls.overlap.rarity"):
        load_bert(str(model), "cpu")
