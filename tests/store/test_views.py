from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, TUESDAY, WINDOW, make_petitions, make_vectors, write_all, write_fit
from petitions.errors import ConfigError, PermanentError
from petitions.records import Hidden, Source
from petitions.store.petitions import mark_hidden, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.readers import (
    read_current_topics,
    read_emerging,
    read_petition,
    read_similar,
    read_trends,
    search_petitions,
)

pytestmark = pytest.mark.postgres

PETITIONS = make_petitions(12)
SAMPLE = Source.SAMPLE
VIEWS = ("current_topic", "current_petition", "topic_trend", "emerging_topic")


@pytest.fixture
def published(conn):
    write_all(conn, PETITIONS)
    publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    return conn


def count(conn, view: str) -> int:
    return conn.scalar(text(f"SELECT count(*) FROM petitions.{view}"))


def test_nothing_is_seen_before_the_first_fit_is_published(conn):
    write_all(conn, PETITIONS)
    for view in VIEWS:
        assert count(conn, view) == 0
    assert search_petitions(conn, np.ones(4, dtype=np.float32), 5) == []


def test_a_petition_stands_with_its_topic_scores_and_keywords(published):
    row = read_petition(published, "sample:a-002")
    assert (row["title"], row["topic_id"], row["topic_label"]) == (PETITIONS[1].title, 2, "급식")
    assert row["topic_share"] == pytest.approx(0.8)
    assert (row["next_sentence"], row["moderation"], row["pseudo_log_likelihood"]) == (0.75, None, None)
    assert row["topic_similarity"] == 0.5, "of the first encoder that was published"
    assert (row["keywords"], row["model_id"], row["encoder"]) == (["신호등", "학교"], "fit-1", BERT)


def test_the_topics_of_the_published_fit_stand_with_their_petitions(published):
    rows = read_current_topics(published, SAMPLE)
    assert [(row["topic_id"], row["label"], row["n_petitions"]) for row in rows] == [
        (1, "건널목", 4),
        (2, "급식", 4),
        (3, "주택", 4),
    ]
    assert read_current_topics(published, Source.ASSEMBLY) == []


def test_a_fit_that_is_not_published_changes_no_view(published):
    def read_views() -> list:
        return [published.execute(text(f"SELECT * FROM petitions.{view} ORDER BY 1, 2, 3")).all() for view in VIEWS]

    before = read_views()
    write_all(published, PETITIONS, "fit-2", mark="!")
    assert read_views() == before


def test_a_hidden_petition_leaves_every_view_and_function(published):
    hidden = Hidden(source=SAMPLE, source_id="a-001", url="", artifact="raw#0")
    mark_hidden(published, [hidden], seen_at=TUESDAY)
    assert count(published, "current_petition") == 11
    assert sum(row["n_petitions"] for row in read_current_topics(published, SAMPLE)) == 11
    assert sum(row["n_petitions"] for row in read_trends(published, SAMPLE)) == 11
    assert "sample:a-001" not in {row["petition_id"] for row in search_petitions(published, make_vectors(12)[0], 50)}
    with pytest.raises(ConfigError, match="no published petition is called 'sample:a-001'"):
        read_petition(published, "sample:a-001")


def test_a_petition_that_came_after_the_fit_has_no_topic_yet(published):
    late = replace(PETITIONS[0], source_id="z-999", begins_on=date(2024, 6, 30), ends_on=date(2024, 7, 30))
    outside = replace(late, source_id="z-998", begins_on=WINDOW.until)
    upsert_petitions(published, [late, outside], seen_at=TUESDAY)
    assert count(published, "current_petition") == 13
    row = read_petition(published, "sample:z-999")
    assert (row["topic_id"], row["next_sentence"], row["keywords"]) == (None, None, [])


def test_every_week_of_the_window_stands_in_the_trend_and_shares_of_a_week_sum_to_one(published):
    rows = read_trends(published, SAMPLE)
    weeks = sorted({row["week"] for row in rows})
    assert (weeks[0], weeks[-1], len(rows)) == (date(2024, 4, 1), date(2024, 6, 24), 13 * 3)
    first = [row for row in rows if row["week"] == weeks[0]]  # petitions 1 to 6 begin on 2 to 7 April
    assert [(row["n_petitions"], row["n_agreements"], row["model_id"]) for row in first] == [(2, 24, "fit-1")] * 3
    assert sum(row["share"] for row in first) == pytest.approx(1)
    assert [row["share"] for row in rows if row["week"] == weeks[-1]] == [0, 0, 0]


def test_an_emerging_topic_shows_the_counts_from_which_its_growth_follows(conn):
    petitions = make_petitions(60)
    for number in range(0, 60, 3):  # topic 1 is all of the last weeks
        begins_on = WINDOW.until - timedelta(days=1 + number // 3)
        petitions[number] = replace(petitions[number], begins_on=begins_on, ends_on=WINDOW.until)
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    row = read_emerging(conn, SAMPLE)[0]
    assert (row["topic_id"], row["n_recent"], row["n_recent_all"], row["n_before"]) == (1, 20, 20, 0)
    assert (row["n_before_all"], row["growth"]) == (40, None)
    assert row["z"] == pytest.approx(1 / np.sqrt(1 / 3 * 2 / 3 * (1 / 20 + 1 / 40)))


def test_search_gives_the_nearest_by_exact_cosine(published):
    vectors = make_vectors(12)
    rows = search_petitions(published, vectors[5], 3)
    assert rows[0]["petition_id"] == PETITIONS[5].petition_id
    assert rows[0]["similarity"] == pytest.approx(1, abs=1e-6)
    nearest = np.argsort(-(vectors @ vectors[5]), kind="stable")[:3]
    assert {row["petition_id"] for row in rows} == {PETITIONS[number].petition_id for number in nearest}
    assert rows[1]["title"], rows[1]["url"]


def test_similar_petitions_leave_the_petition_itself_out(published):
    rows = read_similar(published, "sample:a-001", 2)
    assert [row["petition_id"] for row in rows] == ["sample:a-002", "sample:a-003"]


def test_a_vector_of_another_width_and_an_unknown_petition_are_named(conn):
    write_all(conn, PETITIONS)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    with pytest.raises(PermanentError, match="no published encoder gives vectors of 7 numbers"), conn.begin_nested():
        search_petitions(conn, np.ones(7, dtype=np.float32), 5)
    with pytest.raises(PermanentError, match="no published petition is called sample:none"), conn.begin_nested():
        read_similar(conn, "sample:none", 5)


def test_one_source_published_does_not_show_another(published):
    write_fit(published, PETITIONS, "fit-2")
    assert {row.source for row in published.execute(text("SELECT source FROM petitions.current_topic"))} == {"sample"}
    assert count(published, "current_topic") == 3
