"""Old fits go with all that is theirs; what readers see, and the ids that topics were given, stay."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, RUN, WINDOW, make_model, make_petitions, make_shares, make_topics, write_all
from petitions.commands.prune import delete_orphans, list_old, list_orphans, prune_fits
from petitions.errors import ConfigError, TransientError, WeightsError
from petitions.records import Source
from petitions.store import retention
from petitions.store.artifacts import ArtifactStore
from petitions.store.publishing import publish
from petitions.store.runs import fail_step, record_model
from petitions.store.topic_reads import read_highest_id
from petitions.store.topics import TopicEvent, write_topic_model
from rows import read_all_rows

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(6)
IDS = [item.petition_id for item in PETITIONS]
SEEN = ("current_topic", "current_petition", "topic_trend", "emerging_topic", "topic_lineage")


def add_fit(conn, number: int, *, is_published: bool = True, topics=None) -> None:
    """Fit-N of the N-th day, whose topics go on from those of the fit before."""
    at = MONDAY + timedelta(days=number)
    topics = topics or make_topics()
    origin = f"fit-{number - 1}"
    events = [
        TopicEvent(kind="continued", topic_id=1, from_model_id=origin, from_topic_id=1, distance=0.1),
        TopicEvent(kind="died", topic_id=None, from_model_id=origin, from_topic_id=2, distance=None),
    ]
    name = f"fit-{number}"
    model = make_model(name, artifact=f"topics/{name}", fitted_at=at, n_topics=len(topics))
    write_topic_model(conn, model, topics, events if number > 1 else [], IDS, make_shares(6)[:, : len(topics)])
    if is_published:
        publish(conn, name, [BERT], at=at)


@pytest.fixture
def pruned(engine, tmp_path):
    """Four published fits with scores and folders, and a folder of a fit that was killed before its rows."""
    artifacts = ArtifactStore(str(tmp_path))
    with engine.begin() as conn:
        write_all(conn, PETITIONS, "fit-1")
        conn.execute(text("UPDATE petitions.topic_model SET artifact = 'topics/fit-1'"))
        publish(conn, "fit-1", [BERT], at=MONDAY)
        for number in (2, 3, 4):
            add_fit(conn, number)
            conn.execute(
                text(f"""
                INSERT INTO petitions.petition_score
                SELECT petition_id, encoder, score, 'fit-{number}', value, content_hash
                FROM petitions.petition_score WHERE model_id = 'fit-1'
            """)
            )
    for name in ("fit-1", "fit-2", "fit-3", "fit-4", "killed"):
        artifacts.write(f"topics/{name}/model.bin", b"x")
    artifacts.write("raw/a.warc.gz", b"x")
    return engine, artifacts


def see(engine) -> dict[str, list]:
    with engine.connect() as conn:
        return {
            view: conn.execute(text(f"SELECT v::text FROM petitions.{view} AS v ORDER BY 1")).all() for view in SEEN
        }


def names(conn) -> list[str]:
    return list(conn.scalars(text("SELECT model_id FROM petitions.topic_model ORDER BY 1")))


def test_old_fits_go_with_all_that_is_theirs_and_readers_see_the_same(pruned):
    engine, artifacts = pruned
    before = see(engine)
    assert [fit.model_id for fit in prune_fits(engine, 2)] == ["fit-1", "fit-2"]
    assert [*delete_orphans(engine, artifacts)] == ["topics/fit-1", "topics/fit-2", "topics/killed"]
    after = see(engine)
    for view in ("current_topic", "current_petition", "topic_trend", "emerging_topic"):
        assert after[view] == before[view] != [] or view == "emerging_topic"
    rows = read_all_rows(engine)
    for table in ("topic", "topic_term", "petition_topic", "petition_score", "topic_event"):
        assert rows[table] and not [row for row in rows[table] if "fit-1" in row or "fit-2" in row], table
    assert len([row for row in rows["petition_score"] if "'next_sentence'" in row]) == 6, "of no fit, so it stays"
    assert artifacts.list() == ["raw/a.warc.gz", "topics/fit-3/model.bin", "topics/fit-4/model.bin"]


def test_the_oldest_fit_that_stays_still_tells_where_its_topics_came_from(pruned):
    engine, _ = pruned
    assert [fit.model_id for fit in prune_fits(engine, 2)] == ["fit-1", "fit-2"]
    with engine.connect() as conn:
        told = conn.execute(
            text("SELECT kind, topic_id, from_model_id, from_topic_id FROM topic_event ORDER BY model_id, kind")
        ).all()
        lineage = conn.execute(text("SELECT model_id, from_topic_id FROM topic_lineage ORDER BY step")).all()
    assert told == [("continued", 1, None, 1), ("died", None, None, 2), ("continued", 1, "fit-3", 1)] + [
        ("died", None, "fit-3", 2)
    ]
    assert lineage == [("fit-4", 1), ("fit-3", 1)]


def test_a_second_prune_finds_nothing(pruned):
    engine, artifacts = pruned
    assert len([*prune_fits(engine, 1)]) == 3
    assert len([*delete_orphans(engine, artifacts)]) == 4
    assert ([*prune_fits(engine, 1)], [*delete_orphans(engine, artifacts)]) == ([], [])


def test_the_published_fit_stays_though_others_are_younger(pruned):
    engine, _ = pruned
    with engine.begin() as conn:
        for number in (5, 6):
            add_fit(conn, number, is_published=False)
    assert [fit.model_id for fit in prune_fits(engine, 1)] == ["fit-1", "fit-2", "fit-3", "fit-5"]


def test_an_older_fit_that_was_gone_back_to_counts_as_the_latest(pruned):
    engine, _ = pruned
    with engine.begin() as conn:
        publish(conn, "fit-1", [BERT], at=MONDAY + timedelta(days=9))
    assert [fit.model_id for fit in prune_fits(engine, 1)] == ["fit-2", "fit-3", "fit-4"]


def test_no_topic_id_is_given_twice_since_the_fit_with_the_highest_one_stays(conn):
    write_all(conn, PETITIONS)
    publish(conn, "fit-1", [BERT], at=MONDAY)  # gave 3
    for number in (2, 3):
        add_fit(conn, number, topics=make_topics()[:2])
    assert read_highest_id(conn, Source("sample")) == 3
    assert [fit.model_id for fit in retention.list_old_fits(conn, 1)] == ["fit-2"]
    assert retention.drop_fit(conn, "fit-2", 1)
    assert (names(conn), read_highest_id(conn, Source("sample"))) == (["fit-1", "fit-3"], 3)


def test_each_source_keeps_its_own(conn):
    write_all(conn, PETITIONS)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    add_fit(conn, 2)
    conn.execute(text("UPDATE topic_model SET source = 'assembly' WHERE model_id = 'fit-2'"))
    assert retention.list_old_fits(conn, 1) == []


def test_the_fit_of_a_run_that_is_not_done_stays(conn):
    write_all(conn, PETITIONS)
    add_fit(conn, 2)
    record_model(conn, RUN, "fit-1")
    assert retention.list_old_fits(conn, 1) == []
    fail_step(conn, RUN, "encode bert", WeightsError("damaged"), at=MONDAY)
    assert [fit.model_id for fit in retention.list_old_fits(conn, 1)] == ["fit-1"]


def test_a_fit_that_was_published_since_it_was_listed_stays(pruned):
    engine, _ = pruned
    fits = prune_fits(engine, 1)
    assert next(fits).model_id == "fit-1"
    with engine.begin() as conn:
        publish(conn, "fit-2", [BERT], at=MONDAY + timedelta(days=9))
    assert [fit.model_id for fit in fits] == ["fit-3"], "and fit-4 was not listed then"


def test_nothing_goes_while_a_step_is_at_work(pruned):
    engine, artifacts = pruned
    with engine.connect() as lock:
        lock.execute(text("SELECT pg_advisory_lock(hashtext('petitions.step'), hashtext('a run fit_topics'))"))
        for act in (
            lambda: [*prune_fits(engine, 1)],
            lambda: list_orphans(engine, artifacts),
            lambda: [*delete_orphans(engine, artifacts)],
        ):
            with pytest.raises(TransientError, match="1 steps of the pipeline are at work"):
                act()
        lock.execute(text("SELECT pg_advisory_unlock_all()"))
    assert len(artifacts.list("topics")) == 5
    assert len(list_old(engine, 1)) == 3


def test_the_lock_that_is_looked_for_is_that_of_a_step(pruned, monkeypatch):
    from petitions.pipeline import Pipeline
    from petitions.settings import Settings

    engine, artifacts = pruned
    pipeline = Pipeline(
        settings=Settings.from_env(), engine=engine, artifacts=artifacts, source=Source("sample"), window=WINDOW
    )
    with pipeline.step("fit_topics"), pytest.raises(TransientError, match="at work"):
        list_orphans(engine, artifacts)


def test_folders_stay_where_the_database_has_no_fit_at_all(engine, tmp_path):
    artifacts = ArtifactStore(str(tmp_path))
    artifacts.write("topics/fit-1/model.bin", b"x")
    assert list_orphans(engine, artifacts) == [*delete_orphans(engine, artifacts)] == []


def test_keeping_none_is_refused(engine):
    with pytest.raises(ConfigError, match="--keep must be at least 1, got 0"):
        list_old(engine, 0)
