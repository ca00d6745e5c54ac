from dataclasses import replace
from datetime import date, timedelta

import pytest

from invented import MONDAY, PETITION, make_petitions
from petitions.errors import SiteChangedError
from petitions.records import Hidden, Source
from petitions.store.petitions import mark_hidden, upsert_petitions
from petitions.store.volumes import check_volume, find_oddity, read_days

UNTIL = date(2024, 7, 1)
LARGE = [20] * 70  # ten weeks of 140
SMALL = [2, 2, 2, 2, 2, 0, 0] * 10  # ten weeks of 10, none at weekends


def write_days(conn, days: list[int], until: date = UNTIL, source: Source = Source("assembly")) -> None:
    """Store so many petitions for each of the days before `until`."""
    petitions = [
        replace(PETITION, source=source, source_id=f"{begins_on}-{number}", begins_on=begins_on, ends_on=begins_on)
        for ago, n in enumerate(reversed(days), start=1)
        for begins_on in [until - timedelta(days=ago)]
        for number in range(n)
    ]
    upsert_petitions(conn, petitions, seen_at=MONDAY)


@pytest.mark.parametrize(
    ("before", "latest"),
    [
        (LARGE, [20] * 14),
        (LARGE, [*[20] * 11, 0, 0, 0]),  # a long weekend
        (LARGE, [*[20] * 7, *[8] * 7]),  # the news is over
        (LARGE, [120] * 14),  # the news of February 2020
        (SMALL, [*[2, 2, 2, 2, 2, 0, 0], *[0] * 7]),  # a week of holidays
        (SMALL, [5] * 14),
        ([0] * 70, [*[1] * 12, 0, 0]),
        ([0] * 70, [0] * 14),
    ],
)
def test_weekends_holidays_and_news_are_as_usual(before, latest):
    assert find_oddity([*before, *latest]) is None


@pytest.mark.parametrize(
    ("before", "latest", "n_days", "n_petitions", "expected"),
    [
        (LARGE, [*[20] * 9, 0, 0, 0, 0, 0], 5, 0, (13, 1000)),  # silence
        (LARGE, [*[20] * 7, *[6] * 7], 7, 42, (47, 1400)),  # less than a third
        (LARGE, [9] * 14, 14, 126, (140, 2800)),  # less than half
        (LARGE, [*[20] * 13, 32 * 20 * 2], 5, 1360, (13, 1000)),
        (SMALL, [0] * 14, 14, 0, (1, 200)),
        (SMALL, [*[1] * 9, *[64] * 5], 5, 320, (0, 71)),
        ([5_000 // 7] * 70, [*[5_000 // 7] * 9, *[250 // 7] * 5], 5, 175, (447, 35_700)),  # April 2019
    ],
)
def test_a_fall_or_a_rise_far_off_the_weeks_before_is_found(before, latest, n_days, n_petitions, expected):
    found = find_oddity([*before, *latest])
    assert (found.n_days, found.n_petitions, found.low, found.high) == (n_days, n_petitions, *expected)


def test_one_loud_week_does_not_move_what_is_expected():
    weeks = [*[20] * 35, *[400] * 7, *[20] * 28]
    assert find_oddity([*weeks, *[20] * 14]) is None
    assert find_oddity([*weeks, *[0] * 14]).usual == 140


def test_fewer_than_four_full_weeks_before_give_no_verdict():
    assert find_oddity([*[20] * 27, *[0] * 14]) is None
    assert find_oddity([*[20] * 28, *[0] * 14]).n_weeks == 4


def test_a_new_level_is_usual_once_the_weeks_have_gone_on():
    days = [*[100] * 70, *[5] * 28]
    assert find_oddity(days).usual == 700
    assert find_oddity([*days, *[5] * 42]) is None


@pytest.mark.postgres
def test_the_days_of_one_source_are_read_from_the_first_stored_petition_hidden_ones_too(conn):
    write_days(conn, [3, 0, 0, 2, 1])
    write_days(conn, [4], source=Source("bluehouse"))
    write_days(conn, [7], until=UNTIL + timedelta(days=1))
    hidden = Hidden(source=Source("assembly"), source_id="2024-06-30-0", url=PETITION.url, artifact="raw#0")
    assert mark_hidden(conn, [hidden], seen_at=MONDAY) == []
    assert read_days(conn, Source("assembly"), UNTIL) == [3, 0, 0, 2, 1]


@pytest.mark.postgres
def test_days_before_the_given_one_and_the_compared_weeks_are_left_out(conn):
    upsert_petitions(conn, make_petitions(90), seen_at=MONDAY)  # one a day, April 1 to June 29
    assert len(read_days(conn, Source("sample"), UNTIL)) == 84
    assert read_days(conn, Source("sample"), UNTIL, date(2024, 6, 28)) == [1, 1, 0]
    assert read_days(conn, Source("sample"), UNTIL, date(2024, 7, 1)) == []
    assert read_days(conn, Source("sample"), UNTIL, date(2024, 7, 9)) == []


@pytest.mark.postgres
def test_an_empty_store_has_no_days_and_passes(conn):
    assert read_days(conn, Source("assembly"), UNTIL) == []
    check_volume(conn, Source("assembly"), UNTIL)


@pytest.mark.postgres
def test_a_fall_stops_the_crawl_until_the_setting_accepts_the_new_level(conn):
    write_days(conn, [*[8] * 79, 0, 0, 1, 0, 0])
    with pytest.raises(SiteChangedError) as caught:
        check_volume(conn, Source("assembly"), UNTIL)
    assert str(caught.value) == (
        "assembly: 1 petitions began from 2024-06-26 to before 2024-07-01, expected 5 to 400 by the 10 weeks before "
        "2024-06-17 (median 56 a week); if the site is right, PETITIONS_VOLUME_SINCE=2024-06-26 accepts the new level"
    )
    check_volume(conn, Source("assembly"), UNTIL, since=date(2024, 6, 26))
