"""The labels of a fine-tuned model: stored once under the name of its weights, shown when they are published."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, RUN, WINDOW, make_petitions, write_all
from petitions.encoders.scorers import list_scorers, name_scorer
from petitions.errors import ConfigError, PermanentError, WeightsError
from petitions.pipeline import Pipeline
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps import label as step
from petitions.store import labels as store
from petitions.store.artifacts import ArtifactStore
from petitions.store.check_results import plan_results, write_check
from petitions.store.checks import plan_checks, run_check
from petitions.store.petitions import upsert_petitions
from petitions.store.publishing import publish
from petitions.training.start_folder import write_start
from rows import read_versions
from tiny_labels import write_model

pytestmark = pytest.mark.slow  # each loads networks

SOURCE = Source("sample")


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scorers")
    (folder / "themes").mkdir()
    write_start(write_model(folder / "teacher"), folder / "themes", ["버스", "급식", "공원", "소음"], "")
    return folder / "themes"


def open_run(engine, tmp_path, scorer):
    settings = Settings(source="sample", scorers=(str(scorer),), accelerator="cpu")
    return Pipeline(
        settings=settings, engine=engine, artifacts=ArtifactStore(str(tmp_path)), source=SOURCE, window=WINDOW
    )


def read_rows(engine):
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text("SELECT * FROM petitions.petition_label ORDER BY 1, 2, 3"))]


@pytest.mark.postgres
def test_each_text_is_labelled_once_and_an_edited_one_alone_again(engine, tmp_path, scorer):
    petitions = make_petitions(9)
    with engine.begin() as conn:
        upsert_petitions(conn, petitions, seen_at=MONDAY)
    run = open_run(engine, tmp_path, scorer)
    assert run.text_scorers == ("bert", "themes")
    assert run.score_texts("themes") == 9
    rows = read_rows(engine)
    assert len(rows) == 9 * 3
    assert {row[1] for row in rows} == {name_scorer(str(scorer))}
    before = read_versions(engine)["petition_label"]
    assert run.score_texts("themes") == 0
    assert read_versions(engine)["petition_label"] == before
    with engine.begin() as conn:
        upsert_petitions(conn, [replace(petitions[0], body="다른 글")], seen_at=MONDAY)
    assert run.score_texts("themes") == 1
    changed = [new for new, old in zip(read_rows(engine), rows, strict=True) if new != old]
    assert {row[0] for row in changed} == {petitions[0].petition_id}


@pytest.mark.postgres
def test_a_run_that_ends_between_two_chunks_goes_on_where_it_was(engine, tmp_path, scorer, monkeypatch):
    with engine.begin() as conn:
        upsert_petitions(conn, make_petitions(9), seen_at=MONDAY)
    run = open_run(engine, tmp_path, scorer)
    monkeypatch.setattr(step, "CHUNK", 4)
    write, n_written = store.upsert_labels, []

    def write_once(conn, given):
        write(conn, given)
        if n_written:
            raise PermanentError("killed before the commit of the second chunk")
        n_written.append(len(given))

    monkeypatch.setattr(store, "upsert_labels", write_once)
    with pytest.raises(PermanentError, match="killed"):
        run.score_texts("themes")
    assert len(read_rows(engine)) == 4 * 3
    monkeypatch.setattr(store, "upsert_labels", write)
    assert run.score_texts("themes") == 5
    assert len({row[0] for row in read_rows(engine)}) == 9


@pytest.mark.postgres
def test_readers_see_the_labels_of_what_is_published_and_only_what_is_whole(engine, tmp_path, scorer):
    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
    run, name = open_run(engine, tmp_path, scorer), name_scorer(str(scorer))
    run.score_texts("themes")
    with engine.begin() as conn:
        planned = plan_checks(conn, SOURCE, WINDOW, "fit-1", dict.fromkeys((BERT, ELMO), {}), [name])
        (labels,) = [item for item in planned if item.encoder == name]
        assert labels.name == f"labels_missing {name}"
        assert run_check(conn, labels).passed
        seen = "SELECT scorer, label, rank FROM petitions.labelled_petition"
        assert conn.execute(text(seen)).all() == []
        publish(conn, "fit-1", [BERT, ELMO, name], at=MONDAY)
        shown = conn.execute(text(seen)).all()
        assert len(shown) == 6 * 3 and {row.scorer for row in shown} == {name}
        conn.execute(text("DELETE FROM petitions.petition_label WHERE petition_id = 'sample:a-001'"))
        assert not run_check(conn, labels).passed


@pytest.mark.postgres
def test_a_fit_is_published_by_the_steps_of_its_scorers_once_their_labels_are_checked(engine, tmp_path, scorer):
    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
    run, name = open_run(engine, tmp_path, scorer), name_scorer(str(scorer))
    with pytest.raises(ConfigError, match="has not done the step 'score themes' yet"), engine.connect() as conn:
        from petitions.store.runs import read_made_by

        read_made_by(conn, RUN, "score themes")
    run.score_texts("themes")
    from petitions.store.checks import find_faults

    with engine.begin() as conn:
        planned = plan_checks(conn, SOURCE, WINDOW, "fit-1", {}, [name])
        plan_results(conn, "fit-1", planned, at=MONDAY)
        results = [replace(run_check(conn, item), passed=True) for item in planned]
        for result in results:
            write_check(conn, "fit-1", result, at=MONDAY)
    assert find_faults(results, [name]) == []
    assert any("embeddings_missing" in fault for fault in find_faults(results, [name, BERT]))


def test_scorers_are_called_by_their_folders_and_no_two_alike():
    assert list_scorers(["/a/category", "me/moderation@abc"]) == {
        "category": "/a/category",
        "moderation": "me/moderation@abc",
    }
    for models in (["/a/x", "/b/x"], ["/a/bert"], ["/"]):
        with pytest.raises(ConfigError, match="PETITIONS_SCORERS must name folders of different names"):
            list_scorers(models)


def test_the_setting_is_a_list_with_commas():
    assert Settings.from_env({"PETITIONS_SCORERS": "/a/x, /b/y,"}).scorers == ("/a/x", "/b/y")
    assert Settings.from_env({}).scorers == ("moderation-words",)
    assert Settings.from_env({"PETITIONS_SCORERS": "none"}).scorers == ()


def test_a_folder_without_labels_is_told_before_a_run_begins(tmp_path, scorer):
    run = open_run(None, tmp_path, scorer.parent / "teacher")
    with pytest.raises(WeightsError, match="architectures must be BertForSequenceClassification alone"):
        run.run()
