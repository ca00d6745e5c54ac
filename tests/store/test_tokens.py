"""A stream of tokens gives in every pass what read_tokens gives at its opening."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from invented import MONDAY, TUESDAY, WINDOW, make_petitions
from petitions.errors import PermanentError
from petitions.records import Hidden, Source, Window
from petitions.store import tokens
from petitions.store.petitions import mark_hidden, upsert_petitions
from petitions.store.tokens import PetitionTokens, open_tokens, upsert_tokens
from rows import read_tokens

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(12)
MECAB = "mecab-1"
STREAM = (Source("sample"), WINDOW, MECAB)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(tokens, "BATCH", 5)


@pytest.fixture
def stored(engine):
    with engine.begin() as conn:
        write(conn, reversed(PETITIONS[:10]))
    return engine


def write(conn, petitions, tokenizer=MECAB):
    petitions = list(petitions)
    upsert_petitions(conn, petitions, seen_at=MONDAY)
    upsert_tokens(
        conn,
        [
            PetitionTokens(
                petition_id=item.petition_id,
                tokenizer=tokenizer,
                content_hash=item.content_hash,
                tokens=item.title.split(),
            )
            for item in petitions
        ],
    )


def hide(conn, petition):
    hidden = Hidden(source=Source("sample"), source_id=petition.source_id, url="", artifact="raw#0")
    mark_hidden(conn, [hidden], seen_at=TUESDAY)


def test_a_stream_gives_every_petition_in_the_order_of_the_ids(stored):
    with open_tokens(stored, *STREAM) as stream:
        assert list(stream) == [(item.petition_id, item.title.split()) for item in PETITIONS[:10]]
        assert len(stream) == 10


def test_a_stream_leaves_out_what_read_tokens_leaves_out(stored):
    with stored.begin() as conn:
        hide(conn, PETITIONS[1])
        upsert_petitions(conn, [replace(PETITIONS[4], body="고쳤습니다.")], seen_at=TUESDAY)
        write(conn, PETITIONS[10:11], tokenizer="mecab-2")
        upsert_petitions(conn, PETITIONS[11:], seen_at=MONDAY)
        documents = read_tokens(conn, *STREAM)
    with open_tokens(stored, *STREAM) as stream:
        assert list(stream) == documents
        assert len(stream) == len(documents) == 8


def test_all_passes_see_the_rows_of_the_opening_while_others_write(stored):
    with stored.connect() as conn:
        before = read_tokens(conn, *STREAM)
    with open_tokens(stored, *STREAM) as stream:
        with stored.begin() as conn:
            hide(conn, PETITIONS[0])
            upsert_petitions(conn, [replace(PETITIONS[4], body="고쳤습니다.")], seen_at=TUESDAY)
            conn.execute(text("UPDATE petitions.petition_tokens SET tokens = '{다른}'"))
            write(conn, PETITIONS[10:])
        assert list(stream) == list(stream) == before
        assert len(stream) == len(before)
    with open_tokens(stored, *STREAM) as stream:
        assert [petition_id for petition_id, _ in stream] == [
            item.petition_id for item in PETITIONS if item not in (PETITIONS[0], PETITIONS[4])
        ]


def test_rows_written_in_the_middle_of_a_pass_are_not_in_it(stored):
    with open_tokens(stored, *STREAM) as stream:
        one_pass = iter(stream)
        seen = [next(one_pass)]
        with stored.begin() as conn:
            hide(conn, PETITIONS[9])
            write(conn, PETITIONS[10:])
        assert [petition_id for petition_id, _ in [*seen, *one_pass]] == [item.petition_id for item in PETITIONS[:10]]


def test_a_pass_begun_or_left_does_not_disturb_another(stored):
    with open_tokens(stored, *STREAM) as stream:
        whole = list(stream)
        left = iter(stream)
        next(left)
        assert list(zip(stream, stream, strict=True)) == list(zip(whole, whole, strict=True))
        left.close()
        assert stream.conn.scalar(text("SELECT count(*) FROM pg_cursors")) == 0


def test_a_pass_leaves_the_rows_on_the_server_until_they_are_asked_for(stored):
    with open_tokens(stored, *STREAM) as stream:
        one_pass = iter(stream)
        next(one_pass)
        assert stream.conn.scalar(text("SELECT count(*) FROM pg_cursors")) == 1
        one_pass.close()


def test_an_empty_window_gives_an_empty_stream(stored):
    window = Window(since=WINDOW.until, until=WINDOW.until.replace(month=WINDOW.until.month + 1))
    with open_tokens(stored, Source("sample"), window, MECAB) as stream:
        assert list(stream) == []
        assert len(stream) == 0


def test_nothing_is_written_through_a_stream_and_its_connection_goes_back_as_it_was(stored):
    with open_tokens(stored, *STREAM) as stream, pytest.raises(PermanentError, match="read-only"):
        stream.conn.execute(text("DELETE FROM petitions.petition_tokens"))
    with stored.begin() as conn:
        write(conn, PETITIONS[10:])
        assert len(read_tokens(conn, *STREAM)) == 12
        assert conn.scalar(text("SHOW transaction_isolation")) == "read committed"
