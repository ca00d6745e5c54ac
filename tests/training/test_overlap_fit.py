import shutil
import unicodedata

import numpy as np
import pytest
import tiny_training
from safetensors.numpy import load_file, save_file

from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.overlap import SHARES, Overlap, count_shares
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


def test_letters_speak_for_a_text_that_holds_them_the_more_the_rarer_they_are():
    others = [("공원 벤치", "공원 벤치가 부족합니다 " * 30)] * 50
    letters = count_shares([("버스 노선", "버스 노선이 부족합니다 " * 30), *others])
    found = letters.measure("버스 노선", "버스의 노선을 늘려 주세요")
    assert found > 0 > letters.measure("버스 노선", "학교 급식이 부족합니다")
    assert letters.measure("노선", "노선을") > letters.measure("부족", "부족을"), "all texts speak of 부족"
    long = "버스와 노선, 급식 조리실, 공원 벤치, 도서관의 밤, 소음을 재는 법까지 다 함께 고쳐 주세요. " * 10
    assert 0 < letters.measure("버스 노선", long) < found, "a long text holds much"


def test_letters_are_read_without_signs_case_and_composition():
    letters = count_shares([("버스", "가나다")] * 3)
    assert letters.measure("GTX-D 노선", "gtxd노선") == letters.measure("gtxd노선", "GTX-D, 노선!")
    assert letters.measure("버스", unicodedata.normalize("NFD", "버스")) == letters.measure("버스", "버스")
    assert letters.measure("", "버스") == letters.measure("!", "버스") == 0.0
    assert letters.measure("버스", "") < 0


def test_network_and_letters_are_weighed():
    letters = count_shares([("버스", "버스 노선")] * 3)
    overlap = Overlap(letters=letters, weights=np.array([2.0, 3.0, -1.0], np.float32))
    found = overlap.weigh(np.array([0.5, -0.5]), [("버스", "버스"), ("", "")])
    np.testing.assert_allclose(found, [1.0 + 3 * letters.measure("버스", "버스") - 1.0, -1.0 - 1.0])


def test_what_is_weighed_is_kept_with_the_weights_and_counts(exported, model):
    before = load_bert(str(model), "cpu")
    assert before.overlap is None
    weights = calibrate(model, exported / "data", accelerator="cpu")
    after = load_bert(str(model), "cpu")
    assert after.name != before.name
    assert after.overlap is not None
    np.testing.assert_allclose(after.overlap.weights, weights, rtol=1e-6)
    assert weights[1] > 0, "titles share letters with their bodies"
    documents = read_calibration(exported / "data")[:8]
    own = score_next_sentence(after, [(document.title, document.body) for document in documents])
    none = score_next_sentence(after, [(document.title, "전혀 다른 글") for document in documents])
    assert own.mean() > none.mean()


def test_weights_of_another_size_and_too_few_petitions_are_refused(exported, model):
    data = model.parent / "data"
    tiny_training.write_rows(data / CALIBRATION[0], [{"title": "버스", "content": "노선"}] * 3)
    tiny_training.write_rows(data / CALIBRATION[1], [])
    with pytest.raises(ConfigError, match=r"20 petitions are needed to calibrate, .* has 3"):
        calibrate(model, data, accelerator="cpu")
    calibrate(model, exported / "data", accelerator="cpu")
    tensors = load_file(model / "model.safetensors")
    tensors[SHARES] = tensors[SHARES][:-1]
    save_file(tensors, model / "model.safetensors")
    with pytest.raises(WeightsError, match=SHARES):
        load_bert(str(model), "cpu")
