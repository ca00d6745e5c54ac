from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, PETITION, WINDOW, make_petitions, make_vectors, write_all
from petitions.errors import PermanentError
from petitions.records import Petition, Source
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.tokens import PetitionTokens, upsert_tokens

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

TOKENS = {  # of 12: half in common is 8 with 8 of 24 - 8 = 16
    1: "a b c d e f g h i j k l",
    2: "a b c d e f g h m n o p",  # 8 of 16 with 1, 4 of 20 with 3
    3: "e f g h m n o p q r s t",  # 8 of 16 with 2
    4: "a b c d e f g u v w x y",  # 7 of 17 with 1, and with 2
    5: "a b c d e f g h i",  # 9 of 12 with 1, but under 10
}


def write_published(conn, petitions: list[Petition], tokens: dict[int, str]) -> None:
    write_all(conn, petitions)
    texts = read_texts(conn, Source("sample"), WINDOW)
    upsert_tokens(
        conn,
        [
            PetitionTokens(
                petition_id=item.petition_id,
                tokenizer="mecab-1",
                content_hash=item.content_hash,
                tokens=tokens.get(number, f"only{number}").split() * 2,  # that a token comes twice counts once
            )
            for number, item in enumerate(texts, start=1)
        ],
    )
    publish(conn, "fit-1", [BERT], at=MONDAY)


def read_near(conn, *limits: float) -> list[tuple]:
    given = ", ".join(map(str, limits))
    query = f"SELECT petition_id, token_overlap FROM petitions.near_duplicates('sample:a-001', {given})"
    return [tuple(row) for row in conn.execute(text(query))]


def test_the_same_text_is_a_duplicate_whatever_its_spaces_and_marks_and_the_first_leads(conn):
    said = ["아이가 운다. Yes", "아이가 운다, 또", "아이가\n 운다! YES", "아이가 운다", "아이가운다 yes"]
    days = [date(2024, 6, day) for day in (5, 1, 3, 1, 4)]
    petitions = [
        replace(item, title="가", body=body, begins_on=day, ends_on=WINDOW.until)
        for item, body, day in zip(make_petitions(5), said, days, strict=True)
    ]
    write_all(conn, petitions)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    elsewhere = [
        replace(petitions[0], source_id="z-1", begins_on=date(2024, 3, 1)),  # before the window
        replace(petitions[0], source=Source("assembly")),
    ]
    upsert_petitions(conn, elsewhere, seen_at=MONDAY)
    query = "SELECT group_id, rank, petition_id, n_same FROM petitions.duplicate_petition ORDER BY 1, 2"
    assert conn.execute(text(query)).all() == [
        ("sample:a-003", 1, "sample:a-003", 3),
        ("sample:a-003", 2, "sample:a-005", 3),
        ("sample:a-003", 3, "sample:a-001", 3),
    ]


def test_petitions_that_share_half_of_their_tokens_hang_together_in_one_group(conn):
    write_published(conn, make_petitions(6), TOKENS)
    query = "SELECT group_id, rank, petition_id, n_in_group, token_overlap FROM petitions.rewritten_petition ORDER BY 2"
    assert conn.execute(text(query)).all() == [
        ("sample:a-001", number, f"sample:a-00{number}", 3, 0.5) for number in (1, 2, 3)
    ]


def test_a_group_whose_first_ones_meet_only_in_a_later_one_is_one_group(conn):
    write_published(conn, make_petitions(3), {1: TOKENS[1], 2: TOKENS[3], 3: TOKENS[2]})
    query = "SELECT DISTINCT group_id, n_in_group FROM petitions.rewritten_petition"
    assert conn.execute(text(query)).all() == [("sample:a-001", 3)]


def test_no_pair_over_the_limit_escapes_the_filter_and_none_below_it_is_told(conn):
    """The prefix filter against the comparison of all pairs, over sets of all sizes."""
    rng = np.random.default_rng(0)
    tokens: dict[int, str] = {}
    for number in range(1, 61):
        like = tokens[int(rng.integers(1, number))].split() if number > 1 and rng.random() < 0.7 else []
        kept = [token for token in like if rng.random() < 0.75]
        fresh = [f"t{n}" for n in rng.zipf(1.3, size=int(rng.integers(10, 40))) if n < 2000]
        tokens[number] = " ".join(dict.fromkeys([*kept, *fresh]))
    write_published(conn, make_petitions(60), tokens)
    sets = {number: set(words.split()) for number, words in tokens.items() if len(set(words.split())) >= 10}
    overlaps = {
        (f"sample:a-{one:03d}", f"sample:a-{other:03d}"): len(sets[one] & sets[other]) / len(sets[one] | sets[other])
        for one in sets
        for other in sets
        if one < other
    }
    expected = {pair: overlap for pair, overlap in overlaps.items() if overlap >= 0.5}
    assert 10 < len(expected) < len(overlaps) / 4
    rows = conn.execute(text("SELECT earlier_id, later_id, token_overlap FROM petitions.rewritten_pairs()"))
    assert {(row.earlier_id, row.later_id): row.token_overlap for row in rows} == expected


def test_near_duplicates_are_near_by_tokens_or_by_vectors(conn):
    write_published(conn, make_petitions(6), TOKENS)
    assert read_near(conn, 0.5, 1.1) == [("sample:a-002", 0.5)]
    assert read_near(conn, 0.4, 1.1) == [("sample:a-002", 0.5), ("sample:a-004", 7 / 17)]
    vectors = make_vectors(6)
    third = float(vectors[0] @ vectors[2]) - 1e-6
    assert read_near(conn, 1, third) == [("sample:a-002", 0.5), ("sample:a-003", 0.2)]


def test_near_duplicates_of_a_petition_that_is_not_published_are_refused(conn):
    upsert_petitions(conn, [PETITION], seen_at=MONDAY)
    with pytest.raises(PermanentError, match="no published petition is called sample:a-001"), conn.begin_nested():
        read_near(conn, 0.5, 0.99)
