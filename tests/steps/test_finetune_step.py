"""What is read of the database to fine-tune on, and the command over it."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from invented import MONDAY, PETITION
from petitions.cli import main
from petitions.errors import ConfigError, EmptyWindowError
from petitions.records import Source, Status, Window
from petitions.settings import Settings
from petitions.steps.finetune import Days, read_split
from petitions.steps.label import label_texts
from petitions.steps.step import Run
from petitions.store.petitions import upsert_petitions
from tiny_labels import DAYS, make_examples, write_model

SOURCE = Source("sample")
WISHED = Days(since=DAYS.since, stop_from=DAYS.stop_from, test_from=DAYS.test_from, until=DAYS.until)
pytestmark = pytest.mark.postgres


def store(conn, n=240):
    examples = make_examples(n)
    petitions = [
        replace(
            PETITION,
            source_id=one.petition_id.partition(":")[2],
            title=one.title,
            purpose="",
            body=one.below_title,
            category=one.label,
            is_moderated=one.label == "버스",
            status=Status.HIDDEN if number == 0 else Status.ENDED,
            begins_on=one.begins_on,
            ends_on=one.begins_on,
        )
        for number, one in enumerate(examples)
    ]
    upsert_petitions(conn, petitions, seen_at=MONDAY)
    return examples


def test_petitions_have_the_labels_of_their_site_and_hidden_ones_none(conn):
    examples = {one.petition_id: one for one in store(conn)}
    split = read_split(conn, SOURCE, WISHED, "category", None)
    found = [*split.train, *split.stop, *split.test]
    assert len(found) == 239
    assert all(one == examples[one.petition_id] for one in found)
    moderated = read_split(conn, SOURCE, WISHED, "moderation", None)
    assert {(examples[one.petition_id].label == "버스", one.label) for one in moderated.train} == {
        (True, "moderated"),
        (False, "untouched"),
    }


def test_a_file_gives_the_labels_and_the_days_of_its_petitions(conn, tmp_path):
    examples = store(conn)
    path = tmp_path / "mine.csv"
    lines = [f"{one.petition_id},{len(one.title) % 2}" for one in examples[1:]]
    path.write_text("\n".join(["petition_id,label", *lines]), encoding="utf-8")
    split = read_split(conn, Source("assembly"), Days(stop_from=DAYS.stop_from), "mine", path)
    assert split.days == DAYS
    assert {one.label for one in split.train} == {"0", "1"}
    path.write_text("\n".join(["petition_id,label", *lines, f"{examples[0].petition_id},1"]), encoding="utf-8")
    told = f"1 of 240 petitions are not stored, or hidden, such as '{examples[0].petition_id}'"
    with pytest.raises(ConfigError, match=told):
        read_split(conn, SOURCE, WISHED, "mine", path)


def test_a_source_without_petitions_is_told(conn):
    with pytest.raises(EmptyWindowError, match="no petition of assembly is stored"):
        read_split(conn, Source("assembly"), Days(), "category", None)


@pytest.mark.slow
def test_the_command_writes_a_folder_and_prints_bert_beside_words(engine, database_url, tmp_path, monkeypatch):
    with engine.begin() as conn:
        store(conn)
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ACCELERATOR", "cpu")
    asked = ["--source", "sample", "--model", str(write_model(tmp_path / "model")), "--output", str(tmp_path / "tuned")]
    done = CliRunner().invoke(main, ["finetune", "bert", "--task", "category", "--minutes", "0", "--json", *asked])
    assert done.exit_code == 0, done.output
    rows = {row["by"]: row for row in json.loads(done.stdout)}
    assert set(rows) == {"BERT", "BERT, head alone (uncalibrated)", "TF-IDF, logistic regression"}
    assert "버스" in (tmp_path / "tuned" / "README.md").read_text(encoding="utf-8")
    late = ["--test-from", "2030-01-01"]
    failed = CliRunner().invoke(main, ["finetune", "bert", "--task", "category", *late, *asked])
    assert failed.exit_code == 1
    assert "the days must follow each other" in failed.output
    neither = CliRunner().invoke(main, ["finetune", "bert", *asked])
    assert neither.exit_code == 2
    assert "give --task or --labels" in neither.output


@pytest.mark.slow
def test_the_commands_of_heads_write_what_the_step_of_labels_runs(engine, database_url, tmp_path, monkeypatch):
    with engine.begin() as conn:
        examples = store(conn, 400)
    path = tmp_path / "mine.csv"
    lines = [f"{number},{one.petition_id},{one.label}" for number, one in enumerate(examples[1:])]
    path.write_text("\n".join(["number,petition_id,theme", *lines]), encoding="utf-8")
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    output = tmp_path / "themes"
    asked = ["finetune", "stack", "--labels", str(path), "--output", str(output), "--json", "--source", "sample"]
    done = CliRunner().invoke(main, [*asked, "--column", "theme", "--parts", "words"])
    assert done.exit_code == 0, done.output
    rows = {row["by"]: row for row in json.loads(done.stdout)}
    assert rows["head"]["accuracy"] > 0.9
    window = Window(since=DAYS.since, until=DAYS.until)
    settings = Settings(source="sample", scorers=(str(output),))
    run = Run(settings=settings, engine=engine, artifacts=None, source=SOURCE, window=window)
    assert label_texts(run, "themes") == 399, "one is hidden"
    assert label_texts(run, "themes") == 0
    with engine.connect() as conn:
        said = dict(conn.execute(text("SELECT petition_id, label FROM petitions.petition_label WHERE rank = 1")).all())
    assert sum(said[one.petition_id] == one.label for one in examples[1:]) > 360
    failed = CliRunner().invoke(main, asked)
    assert failed.exit_code == 1
    assert "petition_id and label among them, once each, got 'number,petition_id,theme'" in failed.output
