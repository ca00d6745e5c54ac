"""The step encode stores how much an encoder counts in search, as it was measured with its weights."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from petitions.errors import WeightsError
from petitions.pipeline import Pipeline
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.steps.encode import SEARCH_FILE, keep_weight
from petitions.store.artifacts import ArtifactStore

pytestmark = pytest.mark.postgres
STORED = text("SELECT encoder, search_weight, similar_weight FROM petitions.encoder_weight ORDER BY 1")


@pytest.fixture
def run(engine, tmp_path) -> Pipeline:
    return Pipeline(
        settings=replace(Settings(source="sample"), embedding_model=str(tmp_path)),
        engine=engine,
        artifacts=ArtifactStore(str(tmp_path / "artifacts")),
        source=Source("sample"),
        window=Window.ending(date(2026, 11, 20)),
    )


def test_the_weight_beside_the_weights_is_stored_once(run, engine, tmp_path):
    keep_weight(run, "bert", "bert@1")
    (tmp_path / SEARCH_FILE).write_text('{"search_weight": 0.2, "similar_weight": 0.5}')
    keep_weight(run, "bert", "bert@1")
    (tmp_path / SEARCH_FILE).write_text('{"search_weight": 1, "similar_weight": 1}')
    for name in ("bert@1", "bert@2"):
        keep_weight(run, "bert", name)
    with engine.connect() as conn:
        assert conn.execute(STORED).all() == [("bert@1", 0.2, 0.5), ("bert@2", 1, 1)]


def test_the_weight_of_an_encoder_that_is_not_searched_is_kept_too(run, tmp_path):
    run = replace(run, settings=replace(run.settings, elmo_model=str(tmp_path)))
    (tmp_path / SEARCH_FILE).write_text('{"search_weight": 0.1, "similar_weight": 0.2}')
    keep_weight(run, "elmo", "elmo@1")
    with run.engine.connect() as conn:
        assert conn.execute(STORED).all() == [("elmo@1", 0.1, 0.2)]


@pytest.mark.parametrize(
    "held",
    ["", "[]", "{}", '{"search_weight": "a", "similar_weight": 0}', '{"search_weight": -1, "similar_weight": 0}'],
)
def test_a_file_without_two_weights_is_refused_by_name(run, tmp_path, held):
    (tmp_path / SEARCH_FILE).write_text(held)
    with pytest.raises(WeightsError, match=SEARCH_FILE):
        keep_weight(run, "bert", "bert@1")
