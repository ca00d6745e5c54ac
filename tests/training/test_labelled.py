"""What may be trained on: divided by time, with two labels or more, and enough of it; else one error that says why."""

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from petitions.errors import ConfigError
from petitions.steps.finetune import Days, choose_days
from petitions.training.judge import find_calibration_error, fit_temperature, judge
from petitions.training.labelled import find_labels, give_labels, read_label_file, split_by_time
from petitions.training.whole_folder import write_folder
from tiny_labels import DAYS, make_examples


def write_csv(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_examples_are_divided_by_the_day_they_begin_on():
    split = split_by_time(make_examples(), DAYS)
    assert max(one.begins_on for one in split.train) < DAYS.stop_from <= min(one.begins_on for one in split.stop)
    assert max(one.begins_on for one in split.stop) < DAYS.test_from <= min(one.begins_on for one in split.test)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (make_examples(30), r"30 petitions to train on begin in 2024-01-01 to 2024-03-01, there must be 40"),
        (make_examples(60), r"0 petitions to stop by begin in 2024-03-01 to 2024-04-01, there must be 10"),
        ([], r"0 petitions to train on"),
    ],
)
def test_too_few_petitions_are_told_with_the_days_and_the_limit(examples, message):
    with pytest.raises(ConfigError, match=message):
        split_by_time(examples, DAYS)


def test_one_label_only_is_told_by_its_name():
    split = split_by_time([replace(one, label="교통") for one in make_examples()], DAYS)
    with pytest.raises(ConfigError, match=r"all 120 petitions to train on have the label '교통': there must be 2"):
        find_labels(split)


def test_texts_in_the_place_of_labels_are_refused():
    split = split_by_time([replace(one, label=one.title) for one in make_examples(1000)], DAYS)
    with pytest.raises(ConfigError, match=r"\d+ different labels, at most 200 may be"):
        find_labels(split)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "petition_id and label among them, once each, got ''"),
        (["id;label"], "petition_id and label among them, once each, got 'id;label'"),
        (["petition_id,label,label"], "petition_id and label among them, once each, got 'petition_id,label,label'"),
        (["petition_id,label"], "holds no petition, there must be 60"),
        (["petition_id,label", "a,x", "b"], "line 3: must hold an id and a label, got"),
        (["petition_id,label", "a,x", "b, "], "line 3: must hold an id and a label, got"),
        (["petition_id,label", "a,x", "b,x", "a,y"], "line 4: a has two labels, 'x' and 'y'"),
        (["petition_id,label", 'a,"x'], "is no CSV in UTF-8"),
    ],
)
def test_a_file_of_labels_that_cannot_be_is_told_by_its_line(tmp_path, lines, message):
    with pytest.raises(ConfigError, match=message):
        read_label_file(write_csv(tmp_path, *lines))


def test_a_file_of_labels_may_say_the_same_twice_and_begin_with_a_byte_order_mark(tmp_path):
    assert read_label_file(write_csv(tmp_path, "\ufeffpetition_id,label", "a,x", "", "a, x", "b,y")) == {
        "a": "x",
        "b": "y",
    }


def test_petitions_that_are_not_stored_are_told(tmp_path):
    examples = make_examples(3)
    labels = {examples[0].petition_id: "x", "sample:none": "y"}
    with pytest.raises(ConfigError, match=r"1 of 2 petitions are not stored, or hidden, such as 'sample:none'"):
        give_labels(examples, labels, tmp_path / "labels.csv")
    assert [one.label for one in give_labels(examples, {examples[1].petition_id: "x"}, tmp_path)] == ["x"]


def test_without_any_wish_the_last_month_is_tested_and_the_one_before_stops():
    chosen = choose_days(Days(), date(2019, 4, 2), date(2019, 8, 31))
    assert [chosen.since, chosen.stop_from, chosen.test_from, chosen.until] == [
        date(2019, 4, 2), date(2019, 7, 1), date(2019, 8, 1), date(2019, 9, 1),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="must follow each other"):
        choose_days(Days(test_from=date(2019, 9, 1)), date(2019, 4, 2), date(2019, 8, 31))


def test_a_temperature_brings_probabilities_to_how_often_they_are_right():
    chance = np.random.default_rng(0)
    odds = chance.normal(0, 1, (4000, 3))
    truth = np.array([chance.choice(3, p=np.exp(row) / np.exp(row).sum()) for row in odds])
    assert fit_temperature(4 * odds, truth) == pytest.approx(4, rel=0.1)
    assert judge(4 * odds, truth).calibration_error > 0.2
    assert judge(odds, truth).calibration_error < 0.03
    assert find_calibration_error(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])) == pytest.approx(0.5)


def test_a_label_that_was_not_trained_on_counts_as_missed():
    found = judge(np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]]), np.array([0, 1, -1]))
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx((2 / 3 + 1) / 2)


def test_a_folder_is_replaced_whole(tmp_path):
    output = tmp_path / "model"
    for content in ("old", "new"):
        with write_folder(output, "report.json") as folder:
            (folder / "report.json").write_text(content)
            (folder / content).touch()
    assert {path.name for path in output.iterdir()} == {"report.json", "new"}
    assert list(tmp_path.iterdir()) == [output]


def test_who_is_killed_leaves_the_old_folder_and_the_next_one_tidies_up(tmp_path):
    output = tmp_path / "model"
    with write_folder(output, "report.json") as folder:
        (folder / "report.json").write_text("old")
    program = (
        "import os, sys, pathlib, signal\nfrom petitions.training.whole_folder import write_folder\n"
        "with write_folder(pathlib.Path(sys.argv[1]), 'report.json') as folder:\n"
        "    (folder / 'half').touch()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(output)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in output.iterdir()] == ["report.json"]
    with write_folder(output, "report.json") as folder:
        assert list(folder.iterdir()) == []
        (folder / "report.json").write_text("new")
    assert (output / "report.json").read_text() == "new"
    assert list(tmp_path.iterdir()) == [output]


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with (
        pytest.raises(ConfigError, match="is there, and no folder that this command has written"),
        write_folder(tmp_path / "photos", "report.json"),
    ):
        pytest.fail("was given")
    assert (tmp_path / "photos" / "one.jpg").is_file()
