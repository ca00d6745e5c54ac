"""The steps over the sample, without the encoders: idempotent, locked, and never published unchecked."""

import io
import logging
import shutil
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pkgutil import resolve_name

import numpy as np
import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from safetensors.numpy import load_file, save_file
from sqlalchemy import text

from encoders.tiny_folders import write_tiny_xlmr
from invented import make_vectors
from petitions.encoders.registry import ENCODERS, find_encoder
from petitions.errors import (
    CheckFailedError,
    ConfigError,
    EmptyWindowError,
    PermanentError,
    TransientError,
    WeightsError,
)
from petitions.pipeline import Pipeline, today_in_seoul
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.sources.sample import read_sample
from petitions.steps import lasting_ids, new_fit
from petitions.steps.lasting_ids import TOPICS_FILE
from petitions.steps.score import count_left
from petitions.store import publishing, runs
from petitions.store.artifacts import ArtifactStore
from petitions.store.parts import Part
from petitions.store.petitions import read_texts
from petitions.store.scores import Keywords, Score, upsert_keywords, upsert_scores
from petitions.store.topic_reads import read_topic_model, read_topics
from petitions.store.vectors import upsert_embeddings
from petitions.text.keywords import name_extractor
from petitions.topics import gate, refit
from petitions.topics.lda import fit_topics
from rows import read_all_rows, read_versions
from stand_in import ASSEMBLY_DATA, run_stand_in

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
WINDOW = Window.ending(date(2026, 11, 20))
N = sum(1 for _ in read_sample(WINDOW))
NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


@pytest.fixture
def pipeline(engine, tmp_path) -> Pipeline:
    return Pipeline(
        settings=Settings(source="sample", scorers=()),
        engine=engine,
        artifacts=ArtifactStore(str(tmp_path / "artifacts")),
        source=Source("sample"),
        window=WINDOW,
        clock=lambda: NOW,
    )


def publish_first(pipeline, engine):
    """Publish a fit of the window; gives it, and the pipeline of the night after, ready to fit."""
    pipeline.crawl()
    pipeline.tokenize()
    first = pipeline.fit_topics()
    with engine.begin() as conn:
        publishing.publish(conn, first, ["bert"], at=NOW)
    tonight = replace(pipeline, window=Window.ending(date(2026, 11, 21)))
    tonight.crawl()
    tonight.tokenize()
    return first, tonight


def test_the_day_is_a_korean_day():
    assert today_in_seoul(lambda: datetime(2026, 11, 20, 16, tzinfo=UTC)) == date(2026, 11, 21)


def test_crawl_tokenize_and_fit_again_change_no_row(pipeline, engine, monkeypatch, caplog):
    assert pipeline.crawl() == N
    assert pipeline.tokenize() == N
    model_id = pipeline.fit_topics()
    before = read_versions(engine)
    assert pipeline.crawl() == N
    assert pipeline.tokenize() == 0
    monkeypatch.setitem(sys.modules, "petitions.steps.new_fit", None)  # to import it is an error
    with caplog.at_level(logging.INFO):
        assert pipeline.fit_topics() == model_id
    assert f"nothing has changed: the fit {model_id} is found, not made again" in caplog.messages
    after = read_versions(engine)
    assert {name for name in before if before[name] != after[name]} == {"pipeline_step"}
    with engine.connect() as conn:
        steps = dict(conn.execute(text("SELECT step, rows_in FROM petitions.pipeline_step")).all())
    assert steps == {"crawl": N, "tokenize": 0, "fit_topics": N}


def test_another_number_of_topics_is_another_fit_and_its_topics_keep_their_ids(pipeline, engine):
    pipeline.crawl()
    pipeline.tokenize()
    first = pipeline.fit_topics()
    with engine.begin() as conn:
        publishing.publish(conn, first, ["bert"], at=NOW)
    fewer = replace(pipeline, settings=Settings(source="sample", topics=8))
    second = fewer.fit_topics()
    assert second != first
    with engine.connect() as conn:
        kinds = text("SELECT kind, count(*) FROM petitions.topic_event WHERE model_id = :id GROUP BY kind")
        events = Counter(dict(conn.execute(kinds, {"id": second}).all()))
        ids = conn.execute(text("SELECT topic_id FROM petitions.topic WHERE model_id = :id"), {"id": second})
        assert events["continued"] + events["born"] + events["split"] == 8
        assert events["continued"] + events["died"] + events["merged"] == 9
        assert events["continued"] >= 4
        assert sum(topic_id > 9 for topic_id in ids.scalars()) == events["born"] + events["split"]


def test_the_next_night_keeps_ids_and_names_and_tells_how_many_petitions_changed(pipeline, engine):
    first, tonight = publish_first(pipeline, engine)
    second = tonight.fit_topics()
    with engine.connect() as conn:
        model = read_topic_model(conn, second)
        before, after = ({item.topic_id: item for item in read_topics(conn, name)} for name in (first, second))
        kinds = text("SELECT kind FROM petitions.topic_event WHERE model_id = :id AND from_model_id = :first")
        events = conn.execute(kinds, {"id": second, "first": first}).scalars().all()
    kept = before.keys() & after.keys()
    assert events.count("continued") == len(kept) >= 7
    assert sum(before[topic_id].label == after[topic_id].label for topic_id in kept) >= len(kept) - 1
    assert 0 <= model.changed_share < 0.3


def test_topics_are_found_anew_only_where_enough_petitions_have_come_or_gone_since(pipeline, engine, monkeypatch):
    made = []

    def count_fits(documents, settings, start=None):
        made.append("anew" if start is None else "goes on")
        return fit_topics(documents, settings, start)

    monkeypatch.setattr(refit, "fit_topics", count_fits)
    _, tonight = publish_first(pipeline, engine)
    second = tonight.fit_topics()
    assert made == ["anew", "goes on"]
    with engine.begin() as conn:
        publishing.publish(conn, second, ["bert"], at=NOW)
    monkeypatch.setattr(lasting_ids, "MOST_TURNOVER", -1)
    replace(tonight, window=Window.ending(date(2026, 11, 22))).fit_topics()
    assert made[2:] == ["anew", "goes on"]


def test_a_fit_of_an_older_version_is_gone_on_from_and_is_no_measure(pipeline, engine, monkeypatch):
    first, tonight = publish_first(pipeline, engine)
    with engine.begin() as conn:
        path = conn.scalar(text("SELECT artifact FROM petitions.topic_model"))
        conn.execute(text("UPDATE petitions.topic_model SET engine = 'gensim LdaModel 4.3.0'"))
    kept = np.load(io.BytesIO(pipeline.artifacts.read(f"{path}/{TOPICS_FILE}")))
    older = io.BytesIO()
    np.savez(older, **{name: kept[name] for name in kept.files if name not in ("label_terms", "turnover")})
    pipeline.artifacts.write(f"{path}/{TOPICS_FILE}", older.getvalue())
    monkeypatch.setattr(gate, "MOST_CHANGED", -0.01)
    second = tonight.fit_topics()
    with engine.connect() as conn:
        ids = [{item.topic_id for item in read_topics(conn, name)} for name in (first, second)]
    assert len(ids[0] & ids[1]) >= 7


@pytest.mark.parametrize("found", [None, b"", b"PK cut off"], ids=["gone", "empty", "broken"])
def test_a_night_whose_published_fit_has_lost_its_files_is_fitted_anew_under_the_same_ids(
    pipeline, engine, tmp_path, caplog, found
):
    first, tonight = publish_first(pipeline, engine)
    shutil.rmtree(tmp_path / "artifacts")
    if found is not None:
        tonight.artifacts.write(f"topics/{first}/{TOPICS_FILE}", found)
    second = tonight.fit_topics()
    assert "cannot be gone on from" in caplog.text and f"topics/{first}/{TOPICS_FILE}" in caplog.text
    with engine.connect() as conn:
        model = read_topic_model(conn, second)
        before, after = ({item.topic_id: item for item in read_topics(conn, name)} for name in (first, second))
    kept = before.keys() & after.keys()
    assert len(kept) >= 7  # by the words that Postgres has kept, and the petitions
    shared = [{term.term for term in before[key].terms} & {term.term for term in after[key].terms} for key in kept]
    assert min(map(len, shared)) >= 3
    assert 0 <= model.changed_share <= 1
    assert tonight.artifacts.exists(f"topics/{second}/{TOPICS_FILE}")  # the next night goes on as ever


def test_a_fit_that_moves_too_many_petitions_is_not_published(pipeline, engine, monkeypatch):
    first, tonight = publish_first(pipeline, engine)
    monkeypatch.setattr(gate, "MOST_CHANGED", -0.01)
    with pytest.raises(CheckFailedError, match=r"no fit from 3 seeds may .* of the petitions changed their topic"):
        tonight.fit_topics()
    with engine.connect() as conn:
        shown = conn.execute(text("SELECT DISTINCT model_id FROM petitions.current_topic")).scalars().all()
        n_fits = conn.execute(text("SELECT count(*) FROM petitions.topic_model")).scalar_one()
        state = conn.execute(text("SELECT state FROM petitions.recent_run ORDER BY until")).scalars().all()
    assert shown == [first]
    assert n_fits == 1
    assert state[-1] == "failed"


def test_the_published_fit_is_no_measure_of_older_nights_nor_of_other_petitions(pipeline, engine, monkeypatch):
    _, tonight = publish_first(pipeline, engine)
    monkeypatch.setattr(gate, "MOST_CHANGED", -0.01)
    older = replace(pipeline, window=Window.ending(date(2026, 11, 19)))
    older.crawl()
    older.tokenize()
    assert older.fit_topics()
    monkeypatch.setattr(gate, "LEAST_COMMON", 1.01)
    assert tonight.fit_topics()


@pytest.mark.parametrize(("published_months", "months"), [(3, 1), (1, 3)])
def test_a_window_of_another_length_is_not_measured_by_the_published_fit(
    pipeline, engine, monkeypatch, published_months, months
):
    first = replace(
        pipeline, settings=Settings(source="sample", topics=3), window=Window.ending(WINDOW.until, published_months)
    )
    publish_first(first, engine)
    monkeypatch.setattr(gate, "MOST_NPMI_LOST", -1.0)  # any fit that is measured is refused
    other = replace(first, window=Window.ending(WINDOW.until, months))
    other.crawl()
    other.tokenize()
    assert other.fit_topics()
    again = replace(first, settings=Settings(source="sample", topics=3), window=Window.ending(date(2026, 11, 21)))
    if published_months == 3:
        again.crawl()
        again.tokenize()
        with pytest.raises(CheckFailedError, match="NPMI is"):
            again.fit_topics()


def test_auto_chooses_a_number_of_topics_and_keeps_it_with_what_speaks_for_it(pipeline, engine, monkeypatch):
    auto = replace(pipeline, settings=Settings(source="sample", topics="auto"))
    auto.crawl()
    auto.tokenize()
    model_id = auto.fit_topics()
    with engine.connect() as conn:
        model = read_topic_model(conn, model_id)
    tried = {point.n_topics: point for point in model.curve}
    assert model.n_topics in tried
    assert model.stability == tried[model.n_topics].stability
    assert max(tried) <= N // 20
    monkeypatch.setattr(new_fit, "choose_n_topics", None)  # is not called again while little is new
    with engine.begin() as conn:
        publishing.publish(conn, model_id, ["bert"], at=NOW)
    second = replace(auto, window=Window.ending(date(2026, 11, 21))).fit_topics()
    with engine.connect() as conn:
        found = read_topic_model(conn, second)
    assert (found.n_topics, found.curve, found.stability) == (model.n_topics, model.curve, model.stability)


def leave_shown(pipeline, engine, n_petitions):
    """Crawl and tokenize the sample, and leave so few of its petitions in sight."""
    pipeline.crawl()
    pipeline.tokenize()
    with engine.begin() as conn:
        rest = "SELECT petition_id FROM petitions.petition ORDER BY petition_id OFFSET :n"
        hide = text(f"UPDATE petitions.petition SET status = 'hidden' WHERE petition_id IN ({rest})")
        conn.execute(hide, {"n": n_petitions})


def test_a_window_too_small_for_the_topics_gets_fewer_and_a_note(pipeline, engine):
    leave_shown(pipeline, engine, 45)
    with engine.connect() as conn:
        model = read_topic_model(conn, pipeline.fit_topics())
    assert model.n_topics == 4
    assert model.note.startswith("4 topics in place of 9: 45 petitions, ")


def test_too_few_petitions_for_any_topics_are_refused_and_nothing_is_written(pipeline, engine):
    leave_shown(pipeline, engine, 19)
    with pytest.raises(EmptyWindowError, match="2 topics, the fewest, need at least 20"):
        pipeline.fit_topics()
    assert read_all_rows(engine)["topic_model"] == []
    with engine.connect() as conn:
        state, error = conn.execute(text("SELECT state, error FROM petitions.recent_run")).one()
    assert state == "failed"
    assert error.startswith("fit_topics: EmptyWindowError: 19 of 19 petitions")


def test_the_same_step_of_the_same_run_is_refused_while_it_is_at_work(pipeline, engine):
    with engine.connect() as other:
        step = f"{pipeline.run_id} crawl"
        lock = text("SELECT pg_advisory_lock(hashtext('petitions.step'), hashtext(:step))")
        other.execute(lock, {"step": step})
        with pytest.raises(TransientError, match="another process is at the step crawl of the run sample_"):
            pipeline.crawl()
        other.execute(text("SELECT pg_advisory_unlock_all()"))
    assert pipeline.crawl() == N


@pytest.mark.timeout(180)  # scores written under another name than is asked for would be asked for without end
def test_weights_that_changed_between_encoding_and_scoring_are_refused_by_name(pipeline, engine):
    pipeline.crawl()
    pipeline.tokenize()
    pipeline.fit_topics()
    with engine.begin() as conn:
        done = runs.StepResult(rows_in=0, rows_out=0, seconds=0, made_by="sentence-small@000000000000")
        runs.record_step(conn, pipeline.run_id, "encode bert", done, at=NOW)
    with pytest.raises(
        ConfigError,
        match="encoded by sentence-small@000000000000, but PETITIONS_BERT_MODEL and PETITIONS_EMBEDDING_MODEL is ",
    ):
        pipeline.score_texts("bert")
    assert read_all_rows(engine)["petition_score"] == []


@pytest.mark.parametrize("ended_by", [KeyboardInterrupt, AirflowTaskTimeout])
def test_a_step_that_is_ended_by_what_is_no_exception_has_failed_by_it(pipeline, engine, ended_by):
    assert not issubclass(ended_by, Exception)
    with pytest.raises(ended_by), pipeline.step("encode bert", Part(number=2, n_parts=8)):
        raise ended_by
    with engine.connect() as conn:
        told = conn.execute(text("SELECT state, error FROM petitions.recent_run")).one()
    assert told == ("failed", f"encode bert 3/8: {ended_by.__name__}")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("encoder", ["bert", "elmo"])
def test_weights_replaced_between_naming_and_loading_write_no_vector(pipeline, engine, tmp_path, monkeypatch, encoder):
    folder = tmp_path / "weights"
    shutil.copytree(getattr(pipeline.settings, f"{encoder}_model"), folder)
    pipeline = replace(pipeline, settings=replace(pipeline.settings, **{f"{encoder}_model": str(folder)}))
    pipeline.crawl()

    told = find_encoder(encoder).name_weights
    name_weights = resolve_name(told)

    def name_and_replace(*models: str, **prompts: str) -> str:
        name, path = name_weights(*models, **prompts), folder / "model.safetensors"
        save_file(load_file(path), path, metadata={"format": "np", "made": "later"})
        return name

    monkeypatch.setattr(told.replace(":", "."), name_and_replace)
    with pytest.raises(ConfigError, match=f"{find_encoder(encoder).variables} was .*weights@.*, but .*weights@.* was"):
        pipeline.encode(encoder)
    assert read_all_rows(engine)["petition_embedding"] == []


def test_a_part_without_new_petitions_loads_no_weights(pipeline, engine, monkeypatch):
    pipeline.crawl()
    part = Part(number=0, n_parts=pipeline.plan_encode())
    name = ENCODERS["bert"].name(pipeline.settings)
    with engine.begin() as conn:
        texts = read_texts(conn, pipeline.source, pipeline.window)
        upsert_embeddings(conn, name, texts, make_vectors(len(texts)))
    monkeypatch.setitem(sys.modules, "petitions.steps.encoders", None)  # to import it is an error
    assert pipeline.encode("bert", part) == 0
    with engine.begin() as conn:
        conn.execute(text("DELETE FROM petitions.petition_embedding"))
    with pytest.raises(ImportError):
        pipeline.encode("bert", part)


def test_a_part_that_failed_by_an_error_is_not_tried_by_another_worker_until_it_is_planned_anew(pipeline):
    pipeline.crawl()
    part = Part(number=2, n_parts=pipeline.plan_encode())
    assert part.n_parts == -(-N // 256)
    damaged = replace(pipeline, settings=replace(pipeline.settings, bert_model="/nowhere/at/all"))
    with pytest.raises(WeightsError):
        damaged.encode_texts(part)
    pipeline.refuse_failed(Part(number=1, n_parts=part.n_parts))
    with pytest.raises(PermanentError, match=f"encode bert 3/{part.n_parts} of sample_.* failed by WeightsError"):
        pipeline.refuse_failed(part)
    pipeline.plan_encode()
    pipeline.refuse_failed(part)


def test_a_planner_that_cannot_name_the_weights_fails_by_the_step_that_needs_them(pipeline, engine):
    pipeline.crawl()
    damaged = replace(pipeline, settings=replace(pipeline.settings, elmo_model="/nowhere/at/all"))
    with pytest.raises(WeightsError):
        damaged.plan_encode()
    with engine.connect() as conn:
        error = conn.scalar(text("SELECT error FROM petitions.recent_run"))
    assert error.startswith("encode elmo: WeightsError: ")


def test_parts_are_by_what_is_left_to_do_and_none_are_planned_where_that_is_nothing(pipeline, engine, monkeypatch):
    pipeline.crawl()
    names = {encoder: ENCODERS[encoder].name(pipeline.settings) for encoder in ENCODERS}
    with engine.begin() as conn:
        texts = read_texts(conn, pipeline.source, pipeline.window)
        for encoder in names.values():
            upsert_embeddings(conn, encoder, texts, make_vectors(len(texts)))
        upsert_scores(conn, [make_score(item, names["bert"]) for item in texts[:-2]])
        of_texts = [make_words(item, names["bert"], name_extractor()) for item in texts[:-2]]
        upsert_keywords(conn, of_texts)
    assert pipeline.plan_encode() == 1
    with engine.begin() as conn:
        upsert_scores(conn, [make_score(item, names["bert"]) for item in texts[-2:]])
        upsert_keywords(conn, [make_words(item, names["bert"], name_extractor()) for item in texts[-2:]])
    for name in ("tensorflow", "transformers", "onnxruntime", "petitions.steps.encoders"):
        monkeypatch.setitem(sys.modules, name, None)  # to import it is an error
    assert pipeline.plan_encode() == 0
    with engine.connect() as conn:
        done = {
            step: (state, made_by, rows)
            for step, state, made_by, rows in conn.execute(
                text("SELECT step, state, made_by, rows_in FROM petitions.pipeline_step WHERE step <> 'crawl'")
            )
        }
    assert done == {
        "encode bert": ("done", names["bert"], 0),
        "encode elmo": ("done", names["elmo"], 0),
        "score bert": ("done", names["bert"], 0),
    }


def test_keywords_by_an_older_extractor_are_left_to_do(pipeline, engine):
    pipeline.crawl()
    name = ENCODERS["bert"].name(pipeline.settings)
    with engine.begin() as conn:
        texts = read_texts(conn, pipeline.source, pipeline.window)
        upsert_scores(conn, [make_score(item, name) for item in texts])
        upsert_keywords(conn, [make_words(item, name, "older") for item in texts[:3]])
    assert count_left(pipeline, "bert") == 3  # the others may have no noun


def make_score(item, encoder):
    return Score(
        petition_id=item.petition_id, encoder=encoder, score="next_sentence", value=0.5, content_hash=item.content_hash
    )


def make_words(item, encoder, extractor):
    return Keywords(
        petition_id=item.petition_id, encoder=encoder, content_hash=item.content_hash, extractor=extractor,
        words=[("건널목", 0.5)],
    )  # fmt: skip


def test_a_head_that_a_score_needs_is_missed_before_anything_is_computed(pipeline, engine, monkeypatch, tmp_path):
    model = str(write_tiny_xlmr(tmp_path))
    headless = replace(pipeline, settings=replace(pipeline.settings, bert_model=model, embedding_model=model))
    with pytest.raises(WeightsError, match="no head for next sentence, which next_sentence needs"):
        headless.run()
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM petitions.petition")).scalar_one() == 0
    pipeline.crawl()
    monkeypatch.setitem(sys.modules, "petitions.steps.encoders", None)  # to import it is an error
    with pytest.raises(WeightsError, match="no head for next sentence"):
        headless.encode("bert")


def test_a_run_that_was_not_checked_is_not_published(pipeline, engine):
    pipeline.crawl()
    pipeline.tokenize()
    model_id = pipeline.fit_topics()
    with pytest.raises(ConfigError, match="has not done the step 'encode bert' yet"):
        pipeline.check(model_id)
    with pytest.raises(CheckFailedError, match="is unchecked"):
        pipeline.publish(model_id)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM petitions.current_topic")).scalar_one() == 0


def test_a_failed_check_is_named_and_the_published_answer_stays(pipeline, engine):
    pipeline.crawl()
    pipeline.tokenize()
    published = pipeline.fit_topics()
    with engine.begin() as conn:
        publishing.publish(conn, published, ["bert"], at=NOW)
        for encoder in ("bert", "elmo"):
            done = runs.StepResult(rows_in=0, rows_out=0, seconds=0, made_by=encoder)
            runs.record_step(conn, pipeline.run_id, f"encode {encoder}", done, at=NOW)
        texts = read_texts(conn, pipeline.source, pipeline.window)
        upsert_embeddings(conn, "bert", texts, 2 * make_vectors(len(texts)))  # of length 2, where 1 is due
    with pytest.raises(CheckFailedError) as caught:
        pipeline.check(published)
    assert "embedding_length_error bert is 1, must be at most 0.001" in str(caught.value)
    assert f"embeddings_missing elmo is {N}, must be at most 0" in str(caught.value)
    assert "embeddings_missing bert" not in str(caught.value)
    with pytest.raises(CheckFailedError, match="has not passed its checks: .*embedding_length_error bert is 1"):
        pipeline.publish(published)
    with engine.connect() as conn:
        shown = conn.execute(text("SELECT DISTINCT model_id FROM petitions.current_topic")).scalars().all()
        checks = dict(conn.execute(text("SELECT name, passed FROM petitions.check_result")).all())
    assert shown == [published]
    assert not checks["embedding_length_error bert"]
    assert checks["embeddings_missing bert"]


def test_a_window_without_petitions_is_refused_by_its_days(pipeline, engine):
    with run_stand_in("assembly", ASSEMBLY_DATA / "2020-01_2024-07.jsonl", today="2024-07-01") as site:
        settings = Settings(source="assembly", site_urls={"assembly": site.url}, requests_per_second=1000)
        empty = replace(pipeline, settings=settings, source=Source("assembly"))
        with pytest.raises(EmptyWindowError, match="assembly has no petition .* 2026-08-20 to before 2026-"):
            empty.crawl()
    assert read_all_rows(engine)["petition"] == []
