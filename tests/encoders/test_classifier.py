"""A fine-tuned folder gives the logits that transformers gives for it.

Golden values were made where PyTorch is, of the folder that `write_tiny_classifier` writes:

    python tests/encoders/make_label_golden.py FOLDER > tests/encoders/golden/tiny_labels.json
"""

import json

import numpy as np
import pytest
from tiny_folders import GOLDEN, TINY

from petitions.encoders.classifier import load_classifier, to_probabilities
from petitions.encoders.hub import load_tokenizer
from petitions.training.start_folder import write_classifier, write_start
from petitions.training.trained_network import TrainedClassifier

pytestmark = pytest.mark.slow  # each loads networks

LABELS = ["교통", "교육", "기타"]


def write_tiny_classifier(folder, dropped=""):
    """A random head over a random BERT and its added layer."""
    write_start(TINY, folder, LABELS, dropped)
    classifier = TrainedClassifier(folder, "cpu")
    chance = np.random.default_rng(5)
    for variable in classifier.head.trainable_variables:
        variable.assign(chance.normal(0, 0.3, variable.shape).astype(np.float32))
    write_classifier(folder, classifier.bert, classifier.head, load_tokenizer(TINY), LABELS, dropped)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_classifier(tmp_path_factory.mktemp("labels"))


def test_the_logits_of_a_text_are_those_of_transformers(folder):
    golden = json.loads((GOLDEN / "tiny_labels.json").read_text())
    found = load_classifier(str(folder), "cpu").classify(golden["texts"])
    assert found == pytest.approx(np.array(golden["logits"]), abs=1e-4)


def test_a_long_text_has_the_mean_logits_of_its_windows_by_their_tokens(folder):
    classifier = load_classifier(str(folder), "cpu")
    room = classifier.n_positions - 2
    text = "학교 도로 버스 " * room
    (pieces,) = classifier.encode_pieces([text])
    windows = [pieces[start : start + room] for start in range(0, len(pieces), room)]
    assert len(windows) > 2
    # Text of each window on its own: the tokenizer splits at the same places, since every word is whole.
    texts = [classifier.tokenizer.backend_tokenizer.decode(window) for window in windows]
    assert classifier.encode_pieces(texts) == windows
    weights = np.array([len(window) + 2 for window in windows])
    wanted = np.average(classifier.classify(texts), axis=0, weights=weights)
    assert classifier.classify([text])[0] == pytest.approx(wanted, abs=1e-4)


def test_an_empty_text_has_labels_too(folder):
    found = to_probabilities(load_classifier(str(folder), "cpu").classify(["", "가", "😀" * 50]))
    assert found.shape == (3, 3)
    assert found.sum(axis=1) == pytest.approx(1)
