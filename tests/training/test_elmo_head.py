"""The head over an ELMo: which layer tells the label is found out, and the folder says it again."""

import keras
import numpy as np
import pytest

from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import write_checkpoint
from petitions.encoders.elmo_layers import load_layers, split_layers
from petitions.encoders.elmo_options import ElmoOptions
from petitions.encoders.head import load_head
from petitions.errors import WeightsError
from petitions.training.elmo_head import fit_elmo_head
from petitions.training.finetune_head import HeadSettings, finetune_head
from petitions.training.labelled import split_by_time
from tiny_labels import DAYS, make_examples

pytestmark = pytest.mark.slow  # each loads TensorFlow

TINY = ElmoOptions(character_dim=4, filters=((1, 8), (3, 16)), projection_dim=16, lstm_dim=32)


def test_the_mix_leans_on_the_layer_that_tells_and_a_later_month_ends_it():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400)
    layers = random.normal(size=(400, 3, 8)).astype(np.float32)
    layers[:, 1, 0] += 3 * truth  # the middle layer alone
    train, stop = (layers[:300], truth[:300]), (layers[300:], truth[300:])
    fitted = fit_elmo_head(train, stop, 2, seed=0)
    mix = fitted.tensors["elmo.mix"]
    assert mix.argmax() == 1
    assert np.mean(fitted.classify(stop[0]).argmax(axis=1) == stop[1]) > 0.85
    measured = [row["measured"] for row in fitted.curve]
    assert fitted.n_rounds == int(np.argmin(measured)) + 1
    again = fit_elmo_head(train, stop, 2, seed=0)
    assert np.array_equal(again.tensors["elmo.kernel"], fitted.tensors["elmo.kernel"])


def test_a_head_over_an_elmo_is_written_as_it_is_judged_and_refuses_other_weights(tmp_path):
    examples = make_examples(240)
    texts = [one.whole.split() for one in examples]
    for name, seed in (("elmo", 0), ("other", 1)):
        keras.utils.set_random_seed(seed)
        weights = ElmoNetwork(TINY).weights_by_name()
        write_checkpoint(tmp_path / name, TINY, {key: value.numpy() for key, value in weights.items()})
    layers = load_layers(str(tmp_path / "elmo"), "cpu")
    pooled = split_layers(layers.embed([*texts[:4], []]), layers.n_layers)
    assert pooled.shape == (5, 3, 32)
    assert (pooled**2).sum(axis=(1, 2)) == pytest.approx([1, 1, 1, 1, 0], abs=1e-5)

    settings = HeadSettings(kinds=["elmo"], models={"elmo": str(tmp_path / "elmo")}, accelerator="cpu")
    report = finetune_head("mine", split_by_time(examples, DAYS), tmp_path / "head", str.split, settings)
    assert report.test.accuracy > 0.5, "four themes"
    head = load_head(tmp_path / "head", "cpu", morphemes=str.split)
    test = split_by_time(examples, DAYS).test
    found = head.classify([one.whole for one in test]).argmax(axis=1)
    assert np.mean([report.labels[n] == one.label for n, one in zip(found, test, strict=True)]) == report.test.accuracy

    (tmp_path / "elmo").rename(tmp_path / "elmo-before")
    (tmp_path / "other").rename(tmp_path / "elmo")
    with pytest.raises(WeightsError, match="was fitted on elmo@.* fit it again"):
        load_head(tmp_path / "head", "cpu", morphemes=str.split)
