"""Fine-tuning: what is written is what is judged and what transformers reads."""

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.classifier import load_classifier, to_probabilities
from petitions.encoders.labels import read_labels
from petitions.encoders.model_files import ModelFiles
from petitions.errors import WeightsError
from petitions.training.finetune_bert import find_own, finetune_embedding, finetune_labels
from petitions.training.label_trainer import FinetuneSettings
from petitions.training.labelled import split_by_time
from petitions.training.rounds import keep_state
from petitions.training.start_folder import NARROW, write_start
from tiny_labels import DAYS, make_examples, write_model

pytestmark = pytest.mark.slow  # each loads networks

SHORT = FinetuneSettings(minutes=0.03, accelerator="cpu", batch_size=8)
HEAD_ALONE = FinetuneSettings(minutes=0, accelerator="cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("finetune") / "teacher")


@pytest.fixture(scope="module")
def split():
    return split_by_time(make_examples(), DAYS)


def test_the_added_layer_begins_as_the_mean_of_all_tokens(model, tmp_path):
    write_start(model, tmp_path, ["a", "b"], "")
    texts = ["우리 동네 버스 정류장이 부족합니다.", "공원 벤치를 늘려 주세요.", "급식 때문에 모두 힘듭니다"]
    pooled = np.arctanh(load_classifier(str(tmp_path), "cpu").pool_texts(texts)) / NARROW  # [3, D]
    wanted = load_bert(str(model), "cpu").embed(texts)  # [3, D]
    wanted -= wanted.mean(axis=1, keepdims=True)
    cosines = np.sum(pooled * wanted, axis=1) / np.linalg.norm(pooled, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosines.min() > 0.99


@pytest.mark.slow
def test_a_head_alone_tells_themes_and_what_is_written_is_what_is_judged(model, split, tmp_path):
    report = finetune_labels("category", str(model), split, tmp_path / "tuned", str.split, HEAD_ALONE)
    assert report.test.accuracy > 0.8
    assert report.curve == []
    assert sorted(path.name for path in (tmp_path / "tuned").iterdir()) == [
        "README.md", "config.json", "confusion.svg", "model.safetensors", "report.json", "tokenizer.json",
        "tokenizer_config.json",
    ]  # fmt: skip
    told = json.loads((tmp_path / "tuned" / "report.json").read_text())
    assert told["test"]["accuracy"] == report.test.accuracy
    assert told["order"]["days"]["test_from"] == "2024-04-01"
    classifier = load_classifier(str(tmp_path / "tuned"), "cpu")
    found = classifier.classify([one.whole for one in split.test])
    truth = [report.labels.index(one.label) for one in split.test]
    assert np.mean(found.argmax(axis=1) == truth) == report.test.accuracy
    assert to_probabilities(found).sum(axis=1) == pytest.approx(1)
    assert np.sum(report.confusion) == len(split.test)


@pytest.mark.slow
def test_all_weights_are_trained_for_the_minutes_given_and_the_best_round_is_kept(model, split, tmp_path):
    report = finetune_labels("category", str(model), split, tmp_path / "tuned", str.split, SHORT)
    measured = [row["measured"] for row in report.curve]
    assert len(measured) > 1
    assert report.stop.log_loss == pytest.approx(min(measured), abs=0.02)


@pytest.mark.slow
def test_moderation_reads_no_masks_and_two_labels_have_one_area(model, split, tmp_path):
    masked = split_by_time(
        [
            replace(one, label="moderated" if one.label == "버스" else "untouched", title=one.title + " ***")
            for one in make_examples()
        ],
        DAYS,
    )
    report = finetune_labels("moderation", str(model), masked, tmp_path / "tuned", str.split, HEAD_ALONE)
    assert report.test.auroc is not None and report.test.auroc > 0.9
    classifier = load_classifier(str(tmp_path / "tuned"), "cpu")
    assert classifier.labels.dropped == "*"
    plain, *masked = classifier.classify(["버스 문제", "버스 ** 문제", "버스 **은 (***) 문제"])
    for found in masked:
        assert plain == pytest.approx(found, abs=1e-5)


@pytest.mark.slow
def test_titles_find_their_bodies_no_worse_on_the_month_to_stop_by(model, split, tmp_path):
    report = finetune_embedding(str(model), split, tmp_path / "tuned", str.split, SHORT)
    measured = [row["measured"] for row in report.curve]
    encoder = load_bert(str(tmp_path / "tuned"), "cpu")
    similar = (
        encoder.embed([one.title for one in split.stop]) @ encoder.embed([one.below_title for one in split.stop]).T
    )
    assert 1 - find_own(similar)["mrr"] == pytest.approx(min(measured), abs=0.03)
    assert json.loads((tmp_path / "tuned" / "config.json").read_text())["architectures"] == ["BertModel"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["BertModel"]}, "architectures must be BertForSequenceClassification alone"),
        ({"id2label": {"0": "a"}}, "id2label must name 2 labels or more"),
        ({"id2label": {"0": "a", "2": "b"}}, "id2label must name 2 labels or more"),
        ({"id2label": {"0": "a", "1": "a"}}, "must be different texts"),
    ],
)
def test_a_folder_that_gives_no_labels_is_refused(model, tmp_path, changes, message):
    write_start(model, tmp_path, ["a", "b"], "")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(WeightsError, match=message):
        read_labels(ModelFiles(folder=tmp_path).folder)


DOOMED = """
import os, signal, sys
from pathlib import Path
from petitions.training import rounds
from petitions.training.finetune_bert import finetune_labels
from petitions.training.label_trainer import FinetuneSettings
from petitions.training.labelled import split_by_time
from tiny_labels import DAYS, make_examples

take_step = rounds.Rounds._take_step

def take_few(self):
    if self.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    take_step(self)

rounds.CHECKPOINT_S = -1.0  # each step is written
rounds.Rounds._take_step = take_few
settings = FinetuneSettings(minutes=5, accelerator="cpu", batch_size=8)
finetune_labels("category", sys.argv[1], split_by_time(make_examples(), DAYS), Path(sys.argv[2]), str.split, settings)
"""


def test_who_was_killed_goes_on_from_the_last_step(model, split, tmp_path, caplog):
    output = tmp_path / "tuned"
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", DOOMED, str(model), str(output)]
    died = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not output.exists()
    (state,) = tmp_path.glob(".tuned.training-*/state.npz")
    with np.load(state) as arrays:
        first = json.loads(str(arrays["progress"]))["curve"][0]
    with caplog.at_level(logging.INFO):
        report = finetune_labels("category", str(model), split, output, str.split, replace(SHORT, minutes=5))
    assert "goes on from step 5" in caplog.text
    assert report.curve[0] == first
    assert report.curve[1]["steps"] == -(-len(split.train) // 8), "the round that was begun is one round"
    assert [path.name for path in tmp_path.iterdir()] == ["tuned"], "no state is left"


def test_a_state_of_another_order_is_not_taken_up(tmp_path):
    output = tmp_path / "tuned"
    with keep_state(output, "category", 1) as state:
        state.mkdir()
        other = state
    other.mkdir()
    with pytest.raises(KeyboardInterrupt), keep_state(output, "category", 1) as state:
        assert state == other
        raise KeyboardInterrupt
    assert other.exists()
    with keep_state(output, "category", 2) as state:
        assert state != other and not other.exists()
