"""A new score of a text is a function and its name in the row of its encoder: it is computed, stored and checked."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from sqlalchemy import text

from invented import BERT, WINDOW, make_petitions, write_all
from petitions.encoders import registry
from petitions.encoders.registry import find_encoder
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps import encoders
from petitions.steps.encode import encode
from petitions.steps.score import make_scores, score_texts
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import read_texts
from petitions.store.scores import Score, read_unscored, upsert_scores
from petitions.store.upsert import Counts
from petitions.text.keywords import name_extractor
from rows import run_checks

SOURCE = Source("sample")


@dataclass
class Reader:
    """An encoder of no weights."""

    name: str = "reader@0123456789ab"


def score_length(encoder, texts):
    """How long the title is beside the longest."""
    lengths = np.array([len(text.title) for text in texts], np.float32)
    return lengths / lengths.max()


@pytest.mark.postgres
def test_a_new_score_is_computed_stored_and_checked_by_its_row(conn, monkeypatch):
    length = registry.ScoreEntry(of_text=f"{__name__}:score_length", most=0.98)
    row = replace(registry.ENCODERS["bert"], scores={"title_length": length})
    monkeypatch.setattr(registry, "ENCODERS", {"bert": row})
    write_all(conn, make_petitions(12))
    texts = read_unscored(conn, SOURCE, WINDOW, Reader.name, row.text_scores)
    assert len(texts) == 12
    scores = make_scores(Reader(), "bert", texts)
    assert upsert_scores(conn, scores) == Counts(inserted=12)
    assert read_unscored(conn, SOURCE, WINDOW, Reader.name, row.text_scores) == []
    ranges = {name: (item.least, item.most) for name, item in row.scores.items()}
    checks = {item.name: item for item in run_checks(conn, SOURCE, WINDOW, "fit-1", {Reader.name: ranges})}
    longest = max(len(text.title) for text in read_texts(conn, SOURCE, WINDOW))
    n_out = sum(len(text.title) / longest > 0.981 for text in texts)
    assert 0 < n_out < 12
    assert checks[f"scores_out_of_range {Reader.name}"].value == n_out
    assert checks[f"scores_missing {Reader.name}"].value == 0


@pytest.mark.postgres
def test_keywords_are_found_once_for_a_text_and_again_by_another_version(engine, tmp_path):
    with engine.begin() as conn:
        write_all(conn, make_petitions(4))
        texts = read_texts(conn, SOURCE, WINDOW)
        upsert_scores(conn, make_scores_of(texts))
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore(str(tmp_path)), source=SOURCE, window=WINDOW)
    with run.step("encode bert") as progress:
        progress.made_by = BERT
    assert score_texts(run, "bert") == 4  # those of write_all are of another version
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT DISTINCT extractor FROM petitions.petition_keyword")).scalars().all()
        (words,) = conn.execute(
            text("SELECT array_agg(word ORDER BY rank) FROM petitions.petition_keyword GROUP BY petition_id LIMIT 1")
        ).scalars()
    assert rows == [name_extractor()]
    assert "건널목" in words[:2]
    assert score_texts(run, "bert") == 0


@pytest.mark.postgres
def test_what_encode_reads_at_once_is_stored_with_the_vectors_and_not_asked_again(engine, tmp_path, monkeypatch):
    with engine.begin() as conn:
        write_all(conn, make_petitions(4))
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore(str(tmp_path)), source=SOURCE, window=WINDOW)
    name, asked = find_encoder("bert").name(run.settings), []

    def read_once(texts):
        asked.extend(texts)
        return np.eye(len(texts), 8, dtype=np.float32), {"next_sentence": np.full(len(texts), 0.25, np.float32)}

    monkeypatch.setattr(encoders, "load_reader", lambda *_: (name, read_once))
    assert encode(run, "bert") == len(asked) == 4
    with engine.connect() as conn:
        assert read_unscored(conn, SOURCE, WINDOW, name, ("next_sentence",)) == []
        values = text("SELECT DISTINCT value FROM petitions.petition_score WHERE encoder = :name")
        assert conn.execute(values, {"name": name}).scalars().all() == [0.25]
    monkeypatch.setattr(encoders, "open_encoder", None)  # step score loads no weights
    assert score_texts(run, "bert") == 4  # their keywords
    assert encode(run, "bert") == 0


def make_scores_of(texts):
    return [
        Score(
            petition_id=item.petition_id, encoder=BERT, score="next_sentence", value=0.5, content_hash=item.content_hash
        )
        for item in texts
    ]
