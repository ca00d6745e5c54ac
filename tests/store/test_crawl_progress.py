"""Where a crawl goes on, what is covered, and which petitions it has to ask for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from invented import make_petitions
from petitions.crawl.place import DONE, Place
from petitions.records import Reject, Source, Status, Window
from petitions.store.crawl_progress import (
    GOES_ON_FOR,
    begin_crawl,
    count_open,
    read_closed,
    read_odd,
    read_open,
    read_rejected,
    read_statuses,
    write_place,
)
from petitions.store.petitions import insert_rejects, upsert_petitions

pytestmark = pytest.mark.postgres

SOURCE = Source("sample")
WINDOW = Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
MONDAY = datetime(2024, 7, 1, 0, 0, tzinfo=UTC)
PLACE = Place(stage="open", page=7, after="x")


def begin(conn, window=WINDOW, at=MONDAY):
    return begin_crawl(conn, SOURCE, window, at=at)


def finish(conn, window=WINDOW, at=MONDAY):
    write_place(conn, SOURCE, window, Place(stage=DONE), begin(conn, window, at))


def test_a_killed_crawl_goes_on_from_its_place_and_a_finished_or_old_one_begins_anew(conn):
    assert begin(conn).place == Place()
    write_place(conn, SOURCE, WINDOW, PLACE, begin(conn))
    later = MONDAY + timedelta(hours=5)
    assert (begin(conn, at=later).place, begin(conn, at=later).started_at) == (PLACE, MONDAY)
    too_late = MONDAY + GOES_ON_FOR + timedelta(seconds=1)
    assert (begin(conn, at=too_late).place, begin(conn, at=too_late).started_at) == (Place(), too_late)
    finish(conn)
    assert begin(conn).place == Place()


def test_another_window_has_a_place_of_its_own(conn):
    write_place(conn, SOURCE, WINDOW, PLACE, begin(conn))
    assert begin(conn, Window(since=date(2024, 4, 2), until=date(2024, 7, 2))).place == Place()


def test_covered_is_what_finished_crawls_with_an_earlier_begin_have_seen(conn):
    assert begin(conn).covered_until is None
    finish(conn)
    assert begin(conn).covered_until == date(2024, 7, 1)
    assert begin(conn, Window(since=date(2024, 5, 1), until=date(2024, 8, 1))).covered_until == date(2024, 7, 1)
    assert begin(conn, Window(since=date(2024, 3, 1), until=date(2024, 8, 1))).covered_until is None
    ahead = Window(since=date(2024, 4, 1), until=date(2025, 1, 1))
    finish(conn, ahead, MONDAY + timedelta(days=3))
    assert begin(conn).covered_until == date(2024, 7, 4)  # the day of that crawl, not the end of its window
    begin(conn, at=MONDAY + timedelta(days=9))
    assert begin(conn, at=MONDAY + timedelta(days=9)).covered_until == date(2024, 7, 4)


def test_every_third_night_is_thorough_and_only_those_cover(conn):
    days = []
    for n_days in range(7):
        at = MONDAY + timedelta(days=n_days)
        window = Window.ending(at.date())
        if begin(conn, window, at).is_thorough:
            days.append(n_days)
        finish(conn, window, at)
    assert days == [0, 3, 6]
    assert begin(conn, Window.ending(date(2024, 7, 8)), MONDAY + timedelta(days=7)).covered_until == date(2024, 7, 7)


def test_a_thorough_crawl_that_was_killed_is_none_any_more_where_one_of_another_window_was_done_meanwhile(conn):
    start = begin(conn)
    write_place(conn, SOURCE, WINDOW, Place(stage="ended", page=3), start)
    finish(conn, Window(since=date(2024, 3, 1), until=date(2024, 7, 1)))
    again = begin(conn, at=MONDAY + timedelta(hours=5))
    assert (start.is_thorough, again.is_thorough) == (True, False)
    assert again.place == Place(stage="ended", page=3)


def test_open_petitions_that_were_not_seen_come_in_the_order_of_their_ids(conn):
    seen, *others = make_petitions(5)
    others[3] = replace(others[3], status=Status.ENDED)
    upsert_petitions(conn, others, seen_at=MONDAY - timedelta(days=1))
    upsert_petitions(conn, [seen], seen_at=MONDAY)
    first = read_open(conn, SOURCE, WINDOW, not_since=MONDAY, after="", limit=2)
    assert first == ["a-002", "a-003"]
    assert read_open(conn, SOURCE, WINDOW, not_since=MONDAY, after=first[-1], limit=2) == ["a-004"]
    assert count_open(conn, SOURCE, WINDOW, today=date(2024, 4, 1)) == 4
    assert count_open(conn, SOURCE, WINDOW, today=date(2030, 1, 1)) == 0
    assert read_statuses(conn, SOURCE, {"a-005", "a-404"}) == {"a-005": Status.ENDED}


def test_of_the_closed_petitions_those_come_first_that_were_not_seen_for_the_longest_time(conn):
    closed = [replace(item, status=Status.ENDED) for item in make_petitions(4)]
    for days, item in zip((1, 3, 2, 0), closed, strict=True):
        upsert_petitions(conn, [item], seen_at=MONDAY - timedelta(days=days))
    assert read_closed(conn, SOURCE, WINDOW, not_since=MONDAY, limit=2) == ["a-002", "a-003"]
    assert read_closed(conn, SOURCE, WINDOW, not_since=MONDAY, limit=9) == ["a-002", "a-003", "a-001"]


def test_rejects_of_the_last_days_come_once_and_in_turn(conn):
    for days, number in ((1, 1), (1, 2), (2, 2), (20, 3)):
        reject = Reject(source=SOURCE, url=f"https://site.test/{number}", reason=f"no title {days}", artifact="")
        insert_rejects(conn, [reject], seen_at=MONDAY - timedelta(days=days))
    urls = {"https://site.test/1", "https://site.test/2"}
    assert set(read_rejected(conn, SOURCE, at=MONDAY, limit=9)) == urls
    turns = {tuple(read_rejected(conn, SOURCE, at=MONDAY + timedelta(days=day), limit=1)) for day in range(9)}
    assert {url for turn in turns for url in turn} == urls


def test_what_ever_brought_no_petition_is_odd_on_a_later_night_alone(conn):
    for days, number in ((0, 1), (20, 3)):
        reject = Reject(source=SOURCE, url=f"https://site.test/{number}", reason="no title", artifact="", is_aside=True)
        insert_rejects(conn, [reject], seen_at=MONDAY - timedelta(days=days))
    urls = [f"https://site.test/{number}" for number in (1, 2, 3)]
    assert read_odd(conn, SOURCE, urls, before=MONDAY) == {urls[2]}
    assert read_odd(conn, SOURCE, [], before=MONDAY) == set()
