from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from copied import write_copies
from invented import (
    BERT,
    ELMO,
    MONDAY,
    TUESDAY,
    WINDOW,
    make_petitions,
    make_vectors,
    write_all,
    write_fit,
)
from petitions.errors import ParseError, PermanentError, PetitionsError
from petitions.records import Hidden, Source
from petitions.store.labels import GivenLabels, upsert_labels
from petitions.store.petitions import mark_hidden, read_texts, record_agreements, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.readers import (
    read_current_topics,
    read_similar,
    read_trends,
)
from petitions.store.runs import begin_run, fail_step
from rows import read_petition, search_petitions

pytestmark = pytest.mark.postgres

PETITIONS = make_petitions(12)
SAMPLE = Source("sample")
WEEKS_OF_MAY = (date(2024, 5, 6), date(2024, 5, 13))
VIEWS = (
    "current_model", "current_topic", "current_petition", "topic_trend", "topic_month", "emerging_topic",
    "topic_by_category", "topic_top_petition", "topic_lineage", "agreement_curve", "duplicate_petition",
    "rewritten_petition", "petition_copy_group",
)  # fmt: skip


@pytest.fixture
def published(conn):
    write_all(conn, PETITIONS)
    write_copies(conn)
    publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    return conn


def read_emerging(conn, source):
    query = text("SELECT * FROM petitions.emerging_topic WHERE source = :source ORDER BY z DESC, topic_id")
    return conn.execute(query, {"source": source}).mappings().all()


def read(conn, query: str) -> list[tuple]:
    return [tuple(row) for row in conn.exec_driver_sql(query)]


def all_subclasses(kind: type) -> list[type]:
    return [found for child in kind.__subclasses__() for found in (child, *all_subclasses(child))]


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
    assert (row["next_sentence"], row["moderation"]) == (0.75, None)
    assert row["topic_similarity"] == 0.5, "of the first encoder that was published"
    assert (row["keywords"], row["model_id"], row["encoder"]) == (["신호등", "학교"], "fit-1", BERT)


def test_moderation_is_what_a_published_scorer_of_that_name_gives_the_text_as_it_stands(published):
    scorer, other = "moderation-words@0123456789ab", "mine@0123456789ab"
    (item,) = [one for one in read_texts(published, SAMPLE, WINDOW) if one.petition_id == "sample:a-002"]
    given = GivenLabels(
        petition_id=item.petition_id,
        scorer=scorer,
        content_hash=item.content_hash,
        labels=[("untouched", 0.75), ("moderated", 0.25)],
    )
    upsert_labels(published, [given, replace(given, scorer=other, labels=[("moderated", 0.9)])])
    assert read_petition(published, "sample:a-002")["moderation"] is None, "its scorer is not published"
    publish(published, "fit-1", [BERT, ELMO, other, scorer], at=MONDAY)
    row = read_petition(published, "sample:a-002")
    assert (row["moderation"], row["moderation_scorer"]) == (0.25, scorer)
    upsert_labels(published, [replace(given, content_hash="of an older text")])
    assert read_petition(published, "sample:a-002")["moderation"] is None


def test_the_topics_of_the_published_fit_stand_with_their_petitions(published):
    rows = read_current_topics(published, SAMPLE)
    assert [(row["topic_id"], row["label"], row["n_petitions"], row["n_agreements"]) for row in rows] == [
        (1, "건널목", 4, 48),
        (2, "급식", 4, 48),
        (3, "주택", 4, 48),
    ]
    for name in ("share", "balanced_share", "agreement_share"):
        assert [row[name] for row in rows] == pytest.approx([1 / 3] * 3), "by main topic"
    assert [row["mixture_share"] for row in rows] == [0.5, 0.25, 0.25], "of the fit"
    assert [(row["n_open"], row["n_mixed"]) for row in rows] == [(4, 0)] * 3, "all are open, and 0.8 of their topic"
    assert read_current_topics(published, Source("assembly")) == []


def test_a_fit_that_is_not_published_changes_no_view(published):
    def read_views() -> list:
        return [published.execute(text(f"SELECT * FROM petitions.{view} ORDER BY 1, 2, 3")).all() for view in VIEWS]

    before = read_views()
    write_all(published, PETITIONS, "fit-2", mark="!")
    assert read_views() == before


def test_a_hidden_petition_leaves_every_view_and_function(published):
    hidden = Hidden(source=SAMPLE, source_id="a-001", url="", artifact="raw#0")
    mark_hidden(published, [hidden], seen_at=TUESDAY)
    for view in ("current_petition", "topic_top_petition"):
        assert count(published, view) == 11
    assert sum(row["n_petitions"] for row in read_current_topics(published, SAMPLE)) == 11
    assert sum(row["n_petitions"] for row in read_trends(published, SAMPLE)) == 11
    assert "sample:a-001" not in {row["petition_id"] for row in search_petitions(published, make_vectors(12)[0], 50)}


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
    for name in ("share", "balanced_share", "agreement_share"):
        assert [row[name] for row in rows if row["week"] == weeks[-1]] == [0, 0, 0]


def test_a_week_is_shared_by_petitions_by_categories_and_by_agreements(conn):
    traits = (("가", 10), ("가", 0), ("가", 30), ("나", 60), ("나", 0))  # topics 1, 2, 3, 1, 2 in one week
    quiet = [("가", 0), ("나", 0), ("나", 0)]  # topics 3, 1, 2 in the next
    weeks = [WEEKS_OF_MAY[0]] * 5 + [WEEKS_OF_MAY[1]] * 3
    petitions = [
        replace(item, category=category, n_agreements=n, begins_on=week, ends_on=WINDOW.until)
        for item, (category, n), week in zip(make_petitions(8), [*traits, *quiet], weeks, strict=True)
    ]
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    loud, after = ([row for row in read_trends(conn, SAMPLE) if row["week"] == week] for week in WEEKS_OF_MAY)
    assert [(row["n_petitions"], row["n_agreements"]) for row in loud] == [(2, 70), (2, 0), (1, 30)]
    assert [row["share"] for row in loud] == pytest.approx([2 / 5, 2 / 5, 1 / 5])
    # each topic has 1/3 of the category 가, the first two have 1/2 of 나
    assert [row["balanced_share"] for row in loud] == pytest.approx([5 / 12, 5 / 12, 1 / 6])
    assert [row["agreement_share"] for row in loud] == pytest.approx([0.7, 0, 0.3])
    assert [row["balanced_share"] for row in after] == pytest.approx([1 / 4, 1 / 4, 1 / 2])
    assert [row["agreement_share"] for row in after] == pytest.approx([1 / 3] * 3), "nobody agreed: petitions count"


def test_an_emerging_topic_shows_the_counts_from_which_its_growth_follows(conn):
    petitions = make_petitions(60)
    for number in range(0, 60, 3):  # topic 1 is all of the last weeks
        begins_on = WINDOW.until - timedelta(days=1 + number // 3)
        petitions[number] = replace(petitions[number], begins_on=begins_on, ends_on=WINDOW.until)
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    (row,) = read_emerging(conn, SAMPLE)
    assert (row["topic_id"], row["n_recent"], row["n_recent_all"], row["n_before"]) == (1, 20, 20, 0)
    assert (row["n_before_all"], row["growth"]) == (40, None)
    assert row["z"] == pytest.approx(1 / np.sqrt(1 / 3 * 2 / 3 * (1 / 20 + 1 / 40)))


def test_the_growth_of_a_topic_that_was_there_is_by_the_months_before(conn):
    recent, before = date(2024, 6, 10), date(2024, 4, 2)
    days = [recent, before, before, recent, recent, before, before, before, before, recent, before, before]
    petitions = [
        replace(item, begins_on=day, ends_on=WINDOW.until) for item, day in zip(make_petitions(12), days, strict=True)
    ]  # topic 1 has 3 of 4 in the last weeks and 1 of 8 before, topic 2 has 1 of 4 and 3 of 8, topic 3 none and 4
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    (row,) = read_emerging(conn, SAMPLE)
    assert (row["n_recent"], row["n_recent_all"], row["n_before"], row["n_before_all"]) == (3, 4, 1, 8)
    assert (row["share_recent"], row["share_before"], row["growth"]) == (0.75, 0.125, 6)
    assert row["z"] == pytest.approx(0.625 / np.sqrt(1 / 3 * 2 / 3 * (1 / 4 + 1 / 8)))


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


def test_a_month_is_shared_as_a_week_is_and_empty_months_are_there(conn):
    days = [date(2024, 4, 30)] * 2 + [date(2024, 6, 1)] * 4  # topics 1, 2 in April, 3, 1, 2, 3 in June
    petitions = [
        replace(item, n_agreements=number, begins_on=day, ends_on=WINDOW.until)
        for number, (item, day) in enumerate(zip(make_petitions(6), days, strict=True))
    ]
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    query = "SELECT month, n_petitions, share, agreement_share FROM petitions.topic_month ORDER BY month, topic_id"
    assert read(conn, query) == [
        *((date(2024, 4, 1), *row) for row in [(1, 0.5, 0), (1, 0.5, 1), (0, 0, 0)]),
        *[(date(2024, 5, 1), 0, 0, 0)] * 3,
        *((date(2024, 6, 1), *row) for row in [(1, 0.25, 3 / 14), (1, 0.25, 4 / 14), (2, 0.5, 0.5)]),
    ]


def test_the_topics_of_a_category_sum_to_one(conn):
    petitions = [
        replace(item, category=category, n_agreements=10 * number)
        for number, (item, category) in enumerate(zip(make_petitions(5), "가가가가나", strict=True), start=1)
    ]
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    query = "SELECT category, topic_id, n_petitions, share, n_agreements FROM petitions.topic_by_category ORDER BY 1, 2"
    assert read(conn, query) == [
        ("가", 1, 2, 0.5, 50),
        ("가", 2, 1, 0.25, 20),
        ("가", 3, 1, 0.25, 30),
        ("나", 2, 1, 1, 50),
    ]


def test_the_most_agreed_petitions_of_a_topic_come_first_and_equal_ones_by_their_id(conn):
    petitions = [
        replace(item, n_agreements=n) for item, n in zip(make_petitions(9), [5, 0, 0, 9] + [0] * 5, strict=True)
    ]
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    query = "SELECT topic_id, rank, petition_id FROM petitions.topic_top_petition WHERE rank <= 2 ORDER BY 1, 2"
    assert read(conn, query) == [
        (1, 1, "sample:a-004"), (1, 2, "sample:a-001"), (2, 1, "sample:a-002"), (2, 2, "sample:a-005"),
        (3, 1, "sample:a-003"), (3, 2, "sample:a-006"),
    ]  # fmt: skip


def test_an_agreement_curve_tells_what_was_gained_since_the_day_we_looked_before(published):
    for day, n_agreements in ((1, 10), (2, 25), (5, 24)):
        record_agreements(published, [replace(PETITIONS[0], n_agreements=n_agreements)], seen_on=date(2024, 6, day))
    query = "SELECT petition_id, seen_on, n_agreements, gain, n_days FROM petitions.agreement_curve ORDER BY seen_on"
    assert read(published, query) == [
        ("sample:a-001", date(2024, 6, 1), 10, None, None),
        ("sample:a-001", date(2024, 6, 2), 25, 15, 1),
        ("sample:a-001", date(2024, 6, 5), 24, -1, 3),
    ]


def test_freshness_tells_of_a_source_that_was_crawled_and_failed_before_its_first_fit(published):
    run_id = begin_run(published, Source("assembly"), WINDOW)
    fail_step(published, run_id, "crawl", ParseError("page 3"), at=TUESDAY)
    query = """
        SELECT
            source, n_petitions, newest_begins_on, last_seen_at, model_id, n_published, failed_run_id, failed_at, error
        FROM petitions.data_freshness ORDER BY source
    """
    assert read(published, query) == [
        ("assembly", None, None, None, None, None, run_id, TUESDAY, "crawl: ParseError: page 3"),
        ("sample", 12, date(2024, 4, 13), MONDAY, "fit-1", 12, None, None, None),
    ]


def test_freshness_counts_the_petitions_of_the_window_that_readers_see(published):
    query = "SELECT n_petitions, newest_begins_on, last_seen_at FROM petitions.data_freshness"
    before = read(published, query)
    assert before == [(12, date(2024, 4, 13), MONDAY)]
    late = replace(PETITIONS[0], source_id="a-999", begins_on=WINDOW.until, ends_on=WINDOW.until + timedelta(days=30))
    upsert_petitions(published, [late], seen_at=TUESDAY)
    assert read(published, query) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PetitionsError, *all_subclasses(PetitionsError)])
def test_a_reader_is_told_the_whole_message_of_an_error_of_ours(conn, kind):
    fail_step(conn, begin_run(conn, SAMPLE, WINDOW), "encode bert", kind("3 of 9"), at=TUESDAY)
    shown = f"encode bert: {kind.__name__}: 3 of 9"
    assert read(conn, "SELECT state, error FROM petitions.recent_run") == [("failed", shown)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ParseError("key a: expected a count, found '건널목'"), "crawl: ParseError: key a: expected a count, found …"),
        (KeyError("건널목"), "crawl: KeyError"),
    ],
)
def test_a_reader_is_not_told_what_an_answer_or_a_text_held(conn, error, shown):
    fail_step(conn, begin_run(conn, SAMPLE, WINDOW), "crawl", error, at=TUESDAY)
    assert read(conn, "SELECT error FROM petitions.recent_run") == [(shown,)]
    assert read(conn, "SELECT error FROM petitions.data_freshness") == [(shown,)]
