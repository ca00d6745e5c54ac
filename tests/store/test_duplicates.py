"""What the views tell of copies: the same text again, one that stands inside another, and the groups that they make."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sqlalchemy import text

from copied import write_copies
from invented import BERT, MONDAY, PETITION, WINDOW, make_petitions, make_vectors, write_all
from petitions.errors import PermanentError
from petitions.records import Source, Status
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.tokens import PetitionTokens, upsert_tokens

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
RNG = np.random.default_rng(5)


def write(n: int) -> str:
    """N letters that no other text has, in words of four."""
    letters = "".join(map(chr, RNG.integers(0xAC00, 0xD7A4, n)))
    return " ".join(letters[start : start + 4] for start in range(0, n, 4))


SAID = write(200)
BODIES = {
    1: SAID,
    2: f"{write(160)} {SAID} {write(160)}",  # the first stands whole in it
    3: f"{SAID[: len(SAID) * 2 // 3]} {write(60)}",  # a part rewritten
    4: write(300),
    5: f"{SAID[: len(SAID) // 4]} {write(300)}",  # a quarter alone
}


def write_published(conn, bodies: dict[int, str], n: int) -> None:
    petitions = [
        replace(item, purpose="", body=bodies.get(number, write(80)))
        for number, item in enumerate(make_petitions(n), start=1)
    ]
    write_all(conn, petitions)
    tokens = [
        PetitionTokens(
            petition_id=item.petition_id,
            tokenizer="mecab-1",
            content_hash=item.content_hash,
            tokens=[*item.body.split(), *item.body.split()],  # that a token comes twice counts once
        )
        for item in read_texts(conn, Source("sample"), WINDOW)
    ]
    upsert_tokens(conn, tokens)
    write_copies(conn)
    publish(conn, "fit-1", [BERT], at=MONDAY)


def read(conn, query: str) -> list[tuple]:
    return [tuple(row) for row in conn.execute(text(query))]


def read_near(conn, *limits: float) -> list[str]:
    given = ", ".join(map(str, limits))
    query = f"SELECT petition_id FROM petitions.near_duplicates('sample:a-001', {given})"
    return [petition_id for (petition_id,) in read(conn, query)]


def test_the_same_text_is_a_duplicate_whatever_its_spaces_and_marks_and_the_first_leads(conn):
    said = ["아이가 운다. Yes", "아이가 운다, 또", "아이가\n 운다! YES", "아이가 운다", "아이가운다 yes"]
    days = [date(2024, 6, day) for day in (5, 1, 3, 1, 4)]
    petitions = [
        replace(item, title="가", body=body, begins_on=day, ends_on=WINDOW.until)
        for item, body, day in zip(make_petitions(5), said, days, strict=True)
    ]
    write_all(conn, petitions)
    elsewhere = [
        replace(petitions[0], source_id="z-1", begins_on=date(2024, 3, 1)),  # before the window
        replace(petitions[0], source=Source("assembly")),
    ]
    upsert_petitions(conn, elsewhere, seen_at=MONDAY)
    write_copies(conn)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    same = [
        ("sample:a-003", 1, "sample:a-003", 3),
        ("sample:a-003", 2, "sample:a-005", 3),
        ("sample:a-003", 3, "sample:a-001", 3),
    ]
    query = "SELECT group_id, rank, petition_id, n_same FROM petitions.duplicate_petition ORDER BY 1, 2"
    assert read(conn, query) == same
    query = "SELECT group_id, rank, petition_id, n_in_group FROM petitions.rewritten_petition ORDER BY 1, 2"
    assert read(conn, query) == same  # short as it is


def test_a_petition_inside_another_and_a_rewritten_one_are_of_one_group(conn):
    write_published(conn, BODIES, 8)
    query = "SELECT petition_id, group_id, rank, n_in_group FROM petitions.rewritten_petition ORDER BY rank"
    first = ("sample:a-001", 3)
    assert read(conn, query) == [(f"sample:a-{number:03d}", first[0], number, first[1]) for number in (1, 2, 3)]
    (inside,) = read(
        conn,
        "SELECT earlier_in_later, later_in_earlier FROM petitions.rewritten_pairs() WHERE later_id LIKE '%002'"
        " AND earlier_id LIKE '%001'",
    )
    assert inside[0] == 1 and 0.3 < inside[1] < 0.45
    query = (
        "SELECT token_overlap FROM petitions.rewritten_pairs() WHERE earlier_id LIKE '%001' AND later_id LIKE '%002'"
    )
    assert read(conn, query) == [(pytest.approx(50 / 130, abs=0.02),)]


def test_groups_are_told_with_their_number_and_their_days(conn):
    write_published(conn, BODIES, 8)
    columns = "group_id, n_petitions, first_on, last_on, title, petition_ids"
    (group,) = read(conn, f"SELECT {columns} FROM petitions.petition_copy_group")
    days = [item.begins_on for item in make_petitions(3)]
    assert group[:4] == ("sample:a-001", 3, days[0], days[2])
    assert group[4:] == ("1번째 건널목에 신호등을 놓아 주세요", ["sample:a-001", "sample:a-002", "sample:a-003"])


def test_what_is_hidden_since_is_no_copy(conn):
    write_published(conn, BODIES, 8)
    conn.execute(text(f"UPDATE petitions.petition SET status = '{Status.HIDDEN}' WHERE petition_id LIKE '%001'"))
    ids = [petition_id for (petition_id,) in read(conn, "SELECT petition_id FROM petitions.rewritten_petition")]
    assert "sample:a-001" not in ids


def test_the_pairs_of_the_same_window_are_the_same_and_those_that_are_gone_go(conn):
    write_published(conn, BODIES, 8)
    query = "SELECT * FROM petitions.petition_copy ORDER BY earlier_id, later_id"
    before = read(conn, query)
    write_copies(conn)
    assert read(conn, query) == before
    conn.execute(text("UPDATE petitions.petition SET status = 'hidden'"))
    write_copies(conn)
    assert read(conn, query) == []


def test_near_duplicates_are_near_by_text_or_by_vectors(conn):
    write_published(conn, BODIES, 8)
    assert sorted(read_near(conn, 0.5, 1.1)) == ["sample:a-002", "sample:a-003"]
    assert read_near(conn, 0.95, 1.1) == ["sample:a-002"]
    vectors = make_vectors(8)
    third = float(vectors[0] @ vectors[2]) - 1e-6
    assert sorted(read_near(conn, 1, third)) == ["sample:a-002", "sample:a-003"]


def test_near_duplicates_of_a_petition_that_is_not_published_are_refused(conn):
    upsert_petitions(conn, [PETITION], seen_at=MONDAY)
    with pytest.raises(PermanentError, match="no published petition is called sample:a-001"), conn.begin_nested():
        read_near(conn, 0.5, 0.99)
