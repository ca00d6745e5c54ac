"""What the views and functions answer of periods, of agreements at equal age, and of whom and where a text names."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, PETITION, WINDOW, make_petitions, write_all
from petitions.errors import PermanentError
from petitions.records import Source, Status, Window
from petitions.store.mentions import upsert_mentions
from petitions.store.petitions import read_texts, record_agreements, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.readers import read_trends
from petitions.store.tokens import PetitionTokens, upsert_tokens

pytestmark = pytest.mark.postgres

SAMPLE = Source("sample")
APRIL, MAY, JUNE = (date(2024, month, 2) for month in (4, 5, 6))
PERIODS = {"since_a": date(2024, 4, 1), "until_a": date(2024, 5, 1), "since_b": MAY, "until_b": date(2024, 7, 1)}


def read(conn, query, **values):
    return [tuple(row) for row in conn.execute(text(query), values)]


def publish_all(conn, petitions):
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)


def begin_on(petition, day, **changes):
    return replace(petition, begins_on=day, ends_on=day + timedelta(days=30), **changes)


def test_a_week_that_the_window_cuts_short_tells_its_days(conn):
    publish_all(conn, make_petitions(3))
    conn.execute(text("UPDATE petitions.topic_model SET since = '2024-04-07', until = '2024-06-25'"))
    days = {row["week"]: row["n_days"] for row in read_trends(conn, SAMPLE)}
    assert (days.pop(date(2024, 4, 1)), days.pop(date(2024, 6, 24)), set(days.values())) == (1, 1, {7})
    months = read(conn, "SELECT month, n_days FROM petitions.topic_month WHERE topic_id = 1 ORDER BY month")
    assert [n_days for _, n_days in months] == [24, 31, 24]


def test_sums_of_agreements_tell_how_many_petitions_are_still_open(conn):
    petitions = make_petitions(6)
    petitions[0] = replace(petitions[0], status=Status.ENDED)
    publish_all(conn, petitions)
    for view in ("current_topic", "topic_trend", "topic_month", "topic_by_category"):
        query = f"SELECT sum(n_open), sum(n_petitions) FROM petitions.{view} GROUP BY topic_id ORDER BY topic_id"  # noqa: S608
        assert read(conn, query) == [(1, 2), (2, 2), (2, 2)], view


def test_weeks_compare_by_agreements_at_seven_days_where_we_looked(conn):
    old, young, unseen = (begin_on(item, day) for item, day in zip(make_petitions(3), (APRIL, JUNE, JUNE), strict=True))
    young, unseen = replace(young, source_id="a-004"), replace(unseen, source_id="a-007")  # of topic 1, as a-001
    fillers = [begin_on(item, MAY) for item in make_petitions(7) if item.source_id not in ("a-001", "a-004", "a-007")]
    publish_all(conn, sorted([old, young, unseen, *fillers], key=lambda item: item.source_id))
    for petition, after, n_agreements in (
        (old, 6, 90),
        (old, 7, 100),
        (old, 30, 1000),
        (young, 7, 300),
        (unseen, 8, 5),
    ):
        known = replace(petition, n_agreements=n_agreements)
        record_agreements(conn, [known], seen_on=petition.begins_on + timedelta(days=after))
    query = """
        SELECT week, n_petitions, n_looked, n_agreements_day_7, mean_agreements_day_7
        FROM petitions.topic_trend_day_7 WHERE topic_id = 1 ORDER BY week
    """
    assert read(conn, query) == [(date(2024, 4, 1), 1, 1, 100, 100.0), (date(2024, 5, 27), 2, 1, 300, 300.0)]
    query = "SELECT n_agreements_day_7 FROM petitions.current_petition WHERE petition_id = :id"
    assert read(conn, query, id=old.petition_id) == [(100,)]
    assert read(conn, query, id=unseen.petition_id) == [(None,)]


def test_the_day_of_the_threshold_is_told_where_we_saw_it_pass(conn):
    passed, known_over, never = (begin_on(item, MAY) for item in make_petitions(3))
    publish_all(conn, [passed, known_over, never])
    for petition, after, n in (
        (passed, 3, 199_999),
        (passed, 4, 200_000),
        (passed, 5, 250_000),
        (known_over, 9, 10**6),
    ):
        record_agreements(conn, [replace(petition, n_agreements=n)], seen_on=MAY + timedelta(days=after))
    query = "SELECT threshold, reached_threshold_on FROM petitions.current_petition ORDER BY petition_id"
    assert read(conn, query) == [(200_000, date(2024, 5, 6)), (200_000, None), (200_000, None)]


def test_the_threshold_is_that_of_the_day_a_petition_began(conn):
    query = """
        SELECT n_agreements FROM petitions.agreement_threshold
        WHERE source = 'assembly' AND since <= :day ORDER BY since DESC LIMIT 1
    """
    assert read(conn, query, day=date(2021, 12, 8)) == [(100_000,)]
    assert read(conn, query, day=date(2021, 12, 9)) == [(50_000,)]


def test_topics_that_rose_and_fell_between_two_periods_are_all_there(conn):
    days = [MAY, APRIL, APRIL, MAY, MAY, APRIL, MAY, MAY, APRIL]  # topic 1 in b alone, 2 in both, 3 in a alone
    publish_all(conn, [begin_on(item, day) for item, day in zip(make_petitions(9), days, strict=True)])
    query = """
        SELECT topic_id, n_a, n_a_all, n_b, n_b_all, round(z::numeric, 2)::float
        FROM petitions.rising_topic(:since_a, :until_a, :since_b, :until_b, 'sample')
    """
    p = 3 / 9
    z = 0.6 / (p * (1 - p) * (1 / 4 + 1 / 5)) ** 0.5
    rows = read(conn, query, **PERIODS)
    assert [row[:5] for row in rows] == [(1, 0, 4, 3, 5), (2, 1, 4, 2, 5), (3, 3, 4, 0, 5)]
    assert rows[0][5] == pytest.approx(z, abs=0.01)
    assert rows[2][5] < -2


def test_a_period_without_petitions_gives_no_z(conn):
    publish_all(conn, [begin_on(item, MAY) for item in make_petitions(3)])
    query = "SELECT DISTINCT share_a, z FROM petitions.rising_topic(:since_a, :until_a, :since_b, :until_b)"
    assert read(conn, query, **PERIODS) == [(None, None)]
    query = "SELECT DISTINCT share_b, z FROM petitions.rising_topic(:since_b, :until_b, :since_a, :until_a)"
    assert read(conn, query, **PERIODS) == [(None, None)]


@pytest.mark.parametrize("function", ["rising_topic", "rising_term"])
def test_a_period_that_ends_before_it_begins_is_refused(conn, function):
    query = text(f"SELECT * FROM petitions.{function}('2024-05-01', '2024-05-01', '2024-06-01', '2024-07-01')")  # noqa: S608
    with pytest.raises(PermanentError, match="must begin before it ends, got 2024-05-01 to 2024-05-01"):
        conn.execute(query)


def test_words_that_rose_and_fell_are_counted_by_petition_before_the_window_too(conn):
    older = begin_on(replace(PETITION, source_id="b-001"), date(2024, 2, 1))
    petitions = [begin_on(item, JUNE) for item in make_petitions(3)]
    publish_all(conn, petitions)
    upsert_petitions(conn, [older], seen_at=MONDAY)
    words = {"sample:b-001": ["급식", "급식", "학교"], "sample:a-001": ["소음", "학교"], "sample:a-002": ["소음"]}
    everything = Window(since=date(2024, 1, 1), until=WINDOW.until)
    tokens = [
        PetitionTokens(
            petition_id=item.petition_id, tokenizer="mecab-1", content_hash=item.content_hash,
            tokens=words.get(item.petition_id, []),
        )
        for item in read_texts(conn, SAMPLE, everything)
    ]  # fmt: skip
    upsert_tokens(conn, tokens)
    query = """
        SELECT term, n_a, n_a_all, n_b, n_b_all, sign(z)
        FROM petitions.rising_term('2024-01-01', '2024-04-01', '2024-04-01', '2024-07-01', 'sample', at_least => 1)
    """
    assert read(conn, query) == [("소음", 0, 1, 2, 3, 1), ("학교", 1, 1, 1, 3, -1), ("급식", 1, 1, 0, 3, -1)]


@pytest.mark.parametrize(
    ("body", "addressees"),
    [
        ("국토부 장관과 서울시청에 바랍니다.", {"국토교통부", "지방자치단체"}),
        ("이 요구청원을 올립니다. 텔레비전을 시청하다가", set()),
        ("교육부와 교육청, 국회의원 여러분", {"교육부", "교육청", "국회"}),
        ("강남구청장과 수원시의회", {"지방자치단체"}),
        ("대통령님께 드립니다", {"대통령"}),
        ("복지부는 답하라", {"보건복지부"}),
    ],
)
def test_those_whom_a_text_names_are_found_by_full_and_short_names(conn, body, addressees):
    publish_all(conn, [replace(item, title="제목", purpose="", body=body) for item in make_petitions(1)])
    assert {name for (name,) in read(conn, "SELECT addressee FROM petitions.addressed_to")} == addressees


@pytest.mark.parametrize(
    ("body", "regions"),
    [
        ("서울과 경기도 수원시", {("서울", "서울"), ("경기", "경기"), ("수원시", "경기")}),
        ("부산물을 넣은 대구탕, 세종대왕, 축구 경기와 경기 침체", set()),
        ("충청도와 제주", {("충북", "충북"), ("충남", "충남"), ("제주", "제주")}),
    ],
)
def test_regions_that_a_text_names_are_no_parts_of_other_words(conn, body, regions):
    publish_all(conn, [replace(item, title="제목", purpose="", body=body) for item in make_petitions(1)])
    assert set(read(conn, "SELECT region, province FROM petitions.named_region")) == regions


def test_what_texts_name_is_looked_for_once_and_again_where_text_or_list_was_edited(conn):
    petitions = [replace(item, title="국회에", purpose="", body="국회와 서울시") for item in make_petitions(2)]
    publish_all(conn, petitions)
    query = "SELECT petition_id, addressee, n_mentions, is_in_title FROM petitions.addressed_to ORDER BY 1, 2"
    found, regions = read(conn, query), read(conn, "SELECT * FROM petitions.named_region ORDER BY 1, 2")
    assert found == [("sample:a-001", "국회", 2, True), ("sample:a-002", "국회", 2, True)]
    assert upsert_mentions(conn, SAMPLE, WINDOW, limit=1) == ["sample:a-001"]
    assert upsert_mentions(conn, SAMPLE, WINDOW, after="sample:a-001") == ["sample:a-002"]
    assert upsert_mentions(conn, SAMPLE, WINDOW) == []
    assert read(conn, query) == found
    assert read(conn, "SELECT * FROM petitions.named_region ORDER BY 1, 2") == regions
    conn.execute(text("UPDATE petitions.petition_mentions SET mentions = '[]'"))
    assert read(conn, query) == []  # no text was read
    upsert_petitions(conn, [replace(petitions[0], body="법원에")], seen_at=MONDAY)
    assert [row[1] for row in read(conn, query)] == ["국회", "법원"]
    assert upsert_mentions(conn, SAMPLE, WINDOW) == ["sample:a-001"]
    conn.execute(text("UPDATE petitions.petition_mentions SET lists = 'of yesterday'"))
    assert [row[1] for row in read(conn, query)] == ["국회", "법원", "국회"]
    assert len(upsert_mentions(conn, SAMPLE, WINDOW)) == 2


def test_every_column_that_a_reader_sees_has_a_comment(conn):
    query = """
        SELECT c.relname || '.' || a.attname FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'petitions'::regnamespace AND has_table_privilege('petition_reader', c.oid, 'SELECT')
            AND c.relname <> 'alembic_version' AND col_description(c.oid, a.attnum) IS NULL
        ORDER BY 1
    """
    assert read(conn, query) == []


def test_a_day_is_the_same_whatever_the_clock_of_the_reader(conn):
    petitions = make_petitions(9)
    publish_all(conn, petitions)
    record_agreements(conn, petitions, seen_on=date(2024, 4, 9))
    days = read(
        conn,
        """
        SELECT c.relname, string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.atttypid = 'date'::regtype
        WHERE c.relnamespace = 'petitions'::regnamespace AND has_table_privilege('petition_reader', c.oid, 'SELECT')
        GROUP BY c.relname
        """,
    )
    told = []
    for zone in ("Asia/Seoul", "America/Los_Angeles"):
        conn.execute(text(f"SET LOCAL timezone = '{zone}'"))
        queries = {view: f"SELECT {names} FROM petitions.{view}" for view, names in days}  # noqa: S608 - ours
        told.append({view: sorted(read(conn, query), key=str) for view, query in queries.items()})
    assert told[0] == told[1]
    assert told[0]["topic_trend"] and told[0]["agreement_curve"]
