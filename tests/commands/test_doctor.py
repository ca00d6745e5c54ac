"""The doctor says what is there and what is missing, and never fails itself."""

import re
from functools import partial

import pytest
from sqlalchemy import text

from encoders.test_bad_folders import BAD
from encoders.tiny_folders import copy_tiny, write_tiny_xlmr
from invented import BERT, MONDAY, make_petitions, write_all
from petitions.commands.doctor import Finding, _examine, _examine_encoder, _examine_fits, examine
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore
from petitions.store.publishing import publish

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def settings(monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PETITIONS_SOURCE", "sample")
    return monkeypatch


def test_a_whole_installation_is_fit(settings):
    findings = {item.part: item for item in examine()}
    assert all(item.is_fit for item in findings.values()), findings
    assert "pgvector" in findings["database"].found
    assert "next sentence" in findings["bert"].found
    assert "; computed by " in findings["bert"].found and "fastest here" in findings["bert"].found
    assert findings["elmo"].found.startswith("elmo-small@")


def test_each_missing_part_is_named_and_the_others_are_looked_at(settings):
    settings.setenv("PETITIONS_DATABASE_URL", "postgresql://reader:hidden@127.0.0.1:1/none")
    settings.setenv("PETITIONS_BERT_MODEL", "/nowhere/bert")
    settings.setenv("PETITIONS_SOURCE", "bluehouse")
    settings.setenv("PETITIONS_BLUEHOUSE_URL", "http://127.0.0.1:1")
    findings = {item.part: item for item in examine()}
    unfit = {part for part, item in findings.items() if not item.is_fit}
    assert unfit == {"database", "schema", "words", "fits", "bert", "codes", "set aside", "site"}
    assert findings["bert"].found == "no such model folder: /nowhere/bert"
    assert findings["site"].found == "http://127.0.0.1:1 does not answer: nothing listens there"
    assert "hidden" not in findings["database"].found


@pytest.mark.parametrize("kind", BAD)
def test_broken_weights_are_a_finding(settings, tmp_path, kind):
    breaks, message = BAD[kind]
    folder = tmp_path / "model"
    folder.mkdir()
    breaks(copy_tiny(folder))
    settings.setenv("PETITIONS_EMBEDDING_MODEL", str(folder))
    found = _examine("bert", partial(_examine_encoder, "bert"), Settings.from_env())
    assert not found.is_fit
    assert re.search(message, found.found)


def test_weights_without_a_head_that_a_score_needs_are_a_finding(settings, tmp_path):
    for name in ("PETITIONS_BERT_MODEL", "PETITIONS_EMBEDDING_MODEL"):
        settings.setenv(name, str(write_tiny_xlmr(tmp_path)))
    found = _examine("bert", partial(_examine_encoder, "bert"), Settings.from_env())
    assert not found.is_fit
    assert "no head for next sentence, which next_sentence needs" in found.found


def test_a_published_fit_without_its_files_is_a_finding(settings, engine):
    def look() -> Finding:
        return _examine("fits", _examine_fits, Settings.from_env())

    assert (look().is_fit, look().found) == (True, "nothing is published")
    with engine.begin() as conn:
        write_all(conn, make_petitions(300))
        publish(conn, "fit-1", [BERT], at=MONDAY)
        path = conn.scalar(text("SELECT artifact FROM topic_model WHERE model_id = 'fit-1'"))
    assert not look().is_fit
    assert f"{path}/topics.npz" in look().found and "begins anew" in look().found
    ArtifactStore(Settings.from_env().artifacts).write(f"{path}/topics.npz", b"")
    ArtifactStore(Settings.from_env().artifacts).write(f"{path}/pyldavis.html", b"")
    assert (look().is_fit, look().found) == (True, "those published have their files")


def test_what_nobody_foresaw_is_a_finding_too(settings):
    def fall(settings):
        raise KeyError("weights")

    found = _examine("bert", fall, Settings.from_env())
    assert (found.is_fit, found.found) == (False, "KeyError: 'weights'")


def test_the_recall_of_search_is_told_and_a_low_one_is_unfit(settings, engine):
    def examine_recall():
        return {item.part: item for item in examine(with_recall=True)}["recall"]

    settings.setenv("PETITIONS_BERT_MODEL", "/nowhere/bert")  # nothing to load
    settings.setenv("PETITIONS_ELMO_MODEL", "/nowhere/elmo")
    assert examine_recall().found == "nothing is published"
    with engine.begin() as conn:
        write_all(conn, make_petitions(300))
        publish(conn, "fit-1", [BERT], at=MONDAY)
    assert examine_recall().found == f"{BERT} exact, no index"
    with engine.begin() as conn:
        conn.execute(text("SELECT petitions.prepare_search(:encoder, 1)"), {"encoder": BERT})
    assert (examine_recall().is_fit, examine_recall().found) == (True, f"{BERT} recall@10 1.000")
    with engine.begin() as conn:  # so shortly searched, the index finds too little
        conn.execute(text("ALTER FUNCTION petitions.nearest_petitions SET hnsw.ef_search = 1"))
        conn.execute(text("ALTER FUNCTION petitions.nearest_petitions SET hnsw.iterative_scan = off"))
        conn.execute(text(f"ALTER DATABASE {engine.url.database} SET enable_seqscan = off"))
    engine.dispose()
    low = examine_recall()
    assert not low.is_fit
    assert "must be at least 0.98" in low.found


def test_a_setting_that_cannot_be_is_the_only_finding(settings):
    settings.setenv("PETITIONS_TOPICS", "many")
    (finding,) = examine()
    assert (finding.part, finding.is_fit) == ("settings", False)
    assert finding.found == "PETITIONS_TOPICS must be a number or auto, got 'many'"
