from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, text

from invented import LATER, MONDAY, PETITION, TUESDAY, WINDOW, make_petitions
from petitions.errors import PermanentError
from petitions.records import Hidden, Reject, Source, Status
from petitions.store.petitions import (
    insert_rejects,
    mark_hidden,
    read_texts,
    record_agreements,
    upsert_petitions,
)
from petitions.store.upsert import Counts

pytestmark = pytest.mark.postgres

HIDDEN = Hidden(source=Source("sample"), source_id="a-001", url=PETITION.url, artifact="raw#0")


def read_row(conn: Connection, petition_id: str = PETITION.petition_id) -> dict:
    query = text("SELECT *, ctid::text FROM petition WHERE petition_id = :id")
    return dict(conn.execute(query, {"id": petition_id}).mappings().one())


def write(conn: Connection, *petitions, seen_at=MONDAY) -> Counts:
    return upsert_petitions(conn, petitions, seen_at=seen_at)


def test_every_field_of_a_petition_comes_back_as_it_was_written(conn):
    write(conn, PETITION)
    row = read_row(conn)
    for name in ("source_id", "title", "purpose", "body", "category", "n_agreements", "begins_on", "ends_on", "url"):
        assert row[name] == getattr(PETITION, name)
    assert (row["source"], row["status"], row["content_hash"]) == ("sample", "open", PETITION.content_hash)
    assert row["first_seen_at"] == row["last_seen_at"] == row["changed_at"] == MONDAY


def test_the_same_petitions_twice_on_a_day_leave_every_row_untouched(conn):
    petitions = make_petitions(20)
    assert write(conn, *petitions) == Counts(inserted=20)
    before = [read_row(conn, item.petition_id) for item in petitions]
    assert write(conn, *petitions, seen_at=LATER) == Counts(unchanged=20)
    assert [read_row(conn, item.petition_id) for item in petitions] == before


def test_a_new_day_moves_last_seen_at_alone(conn):
    write(conn, PETITION)
    assert write(conn, PETITION, seen_at=TUESDAY) == Counts(updated=1)
    row = read_row(conn)
    assert (row["first_seen_at"], row["last_seen_at"], row["changed_at"]) == (MONDAY, TUESDAY, MONDAY)


def test_more_agreements_are_no_change_of_the_petition(conn):
    write(conn, PETITION)
    assert write(conn, replace(PETITION, n_agreements=13), seen_at=LATER).updated == 1
    row = read_row(conn)
    assert (row["n_agreements"], row["changed_at"]) == (13, MONDAY)


@pytest.mark.parametrize("change", [{"body": "고쳤습니다."}, {"status": Status.ENDED}])
def test_another_text_or_status_moves_changed_at(conn, change):
    write(conn, PETITION)
    write(conn, replace(PETITION, **change), seen_at=LATER)
    row = read_row(conn)
    assert (row["first_seen_at"], row["changed_at"]) == (MONDAY, LATER)


def test_of_duplicate_ids_in_a_batch_the_last_wins(conn):
    assert write(conn, PETITION, replace(PETITION, n_agreements=99)) == Counts(inserted=1)
    assert read_row(conn)["n_agreements"] == 99


def test_an_empty_batch_writes_nothing(conn):
    assert write(conn) == Counts()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"body": "널\x00문자"}, r"petition.body of sample:a-001 holds a NUL at 1"),
        ({"category": "반쪽 \ud800"}, r"petition.category of sample:a-001 is no Unicode at 3"),
        ({"n_agreements": -1}, r"petition_n_agreements_check"),
        ({"n_agreements": 2**31}, r"petition.n_agreements of sample:a-001 must be under 2\*\*31, got 2147483648"),
        ({"title": ""}, r"petition_title_check"),
        ({"ends_on": date(2024, 4, 30)}, r"petition_ends_on_check"),
    ],
)
def test_what_cannot_be_stored_is_refused_in_one_line_without_the_text(conn, change, message):
    with pytest.raises(PermanentError, match=message) as caught, conn.begin_nested():
        write(conn, replace(PETITION, **change))
    assert PETITION.body not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert conn.scalar(text("SELECT count(*) FROM petition")) == 0


def test_a_body_of_a_megabyte_is_stored(conn):
    write(conn, replace(PETITION, body="가" * 1_000_000))
    assert len(read_row(conn)["body"]) == 1_000_000


def test_agreements_are_kept_by_day_and_the_last_look_of_a_day_counts(conn):
    write(conn, PETITION)
    more = replace(PETITION, n_agreements=20)
    assert record_agreements(conn, [PETITION], seen_on=date(2024, 7, 1)).inserted == 1
    assert record_agreements(conn, [more], seen_on=date(2024, 7, 1)).updated == 1
    assert record_agreements(conn, [more], seen_on=date(2024, 7, 2)).inserted == 1
    rows = conn.execute(text("SELECT seen_on, n_agreements FROM petition_agreement ORDER BY 1")).all()
    assert rows == [(date(2024, 7, 1), 20), (date(2024, 7, 2), 20)]


def test_a_hidden_petition_keeps_its_row_and_one_never_stored_is_given_back(conn):
    write(conn, PETITION)
    unknown = replace(HIDDEN, source_id="a-404")
    assert mark_hidden(conn, [HIDDEN, unknown], seen_at=TUESDAY) == [unknown]
    row = read_row(conn)
    assert (row["status"], row["changed_at"], row["body"]) == ("hidden", TUESDAY, PETITION.body)
    assert mark_hidden(conn, [HIDDEN], seen_at=LATER) == []
    assert mark_hidden(conn, [], seen_at=LATER) == []
    assert read_row(conn) == row


def test_a_vanished_petition_is_marked_so_and_comes_back_when_the_site_shows_it(conn):
    write(conn, PETITION)
    mark_hidden(conn, [replace(HIDDEN, is_vanished=True)], seen_at=TUESDAY)
    assert (read_row(conn)["status"], read_row(conn)["is_vanished"]) == ("hidden", True)
    assert read_row(conn)["artifact"] == HIDDEN.artifact
    mark_hidden(conn, [HIDDEN], seen_at=LATER)
    assert (read_row(conn)["is_vanished"], read_row(conn)["changed_at"]) == (False, LATER)
    write(conn, replace(PETITION, artifact="raw/2#0"), seen_at=LATER)
    row = read_row(conn)
    assert (row["status"], row["is_vanished"], row["artifact"]) == ("open", False, "raw/2#0")


def test_a_row_names_the_raw_answer_that_last_brought_something_new(conn):
    write(conn, replace(PETITION, artifact="raw/1#0"))
    write(conn, replace(PETITION, artifact="raw/2#0"), seen_at=TUESDAY)
    assert (read_row(conn)["artifact"], read_row(conn)["last_seen_at"]) == ("raw/1#0", TUESDAY)
    write(conn, replace(PETITION, artifact="raw/3#0", n_agreements=77), seen_at=TUESDAY)
    assert read_row(conn)["artifact"] == "raw/3#0"


def test_a_reject_seen_again_stays_one_row(conn):
    reject = Reject(source=Source("sample"), url="https://example.org/1", reason="no title", artifact="raw/1#0")
    again = replace(reject, artifact="raw/2#0")
    assert insert_rejects(conn, [reject, replace(reject, reason="404")], seen_at=MONDAY) == Counts(inserted=2)
    assert insert_rejects(conn, [again], seen_at=TUESDAY) == Counts(unchanged=1)


def test_texts_come_in_pages_in_the_order_of_their_ids(conn):
    petitions = make_petitions(7)
    write(conn, *reversed(petitions))
    mark_hidden(conn, [replace(HIDDEN, source_id="a-003")], seen_at=TUESDAY)
    first = read_texts(conn, Source("sample"), WINDOW, limit=4)
    rest = read_texts(conn, Source("sample"), WINDOW, after=first[-1].petition_id)
    assert [item.petition_id[-1] for item in first + rest] == list("124567")
    assert first[0].content_hash == petitions[0].content_hash
