"""The checks find what they are for."""

import pytest
from sqlalchemy import text

from invented import BERT, ELMO, MONDAY, RUN, WINDOW, make_petitions, write_all
from petitions.records import Source
from petitions.steps.find_copies import make_fingerprint
from petitions.store.copies import upsert_fingerprints
from petitions.store.parts import Part
from petitions.store.petitions import read_texts, read_unseen
from petitions.store.publishing import publish
from petitions.store.runs import StepResult, record_step
from petitions.store.tables import petition_tokens
from rows import run_checks, write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PETITIONS = make_petitions(12)
COPIES = "petitions_not_looked_at_for_copies"
SCORES = {BERT: {"next_sentence": (0.0, 1.0)}, ELMO: {}}
TOKENS = text("""
    INSERT INTO petitions.petition_tokens (petition_id, tokenizer, tokens, content_hash)
    SELECT p.petition_id, m.tokenizer, '{}', p.content_hash FROM petitions.petition AS p
    CROSS JOIN petitions.topic_model AS m
    ON CONFLICT (petition_id, tokenizer) DO UPDATE SET content_hash = excluded.content_hash
""")


@pytest.fixture
def written(conn):
    write_all(conn, PETITIONS)
    record_step(conn, RUN, "crawl", StepResult(rows_in=12, rows_out=12, seconds=0), at=MONDAY)
    conn.execute(TOKENS)
    write_words(conn, Source("sample"), [["신호등"]])
    texts = read_texts(conn, Source("sample"), WINDOW)
    upsert_fingerprints(conn, "copies-1", texts, [make_fingerprint(item) for item in texts])
    done = StepResult(rows_in=12, rows_out=0, seconds=0, made_by="copies-1")
    record_step(conn, RUN, "find_copies", done, at=MONDAY)
    return conn


def find_failed(conn) -> set[str]:
    return {item.name for item in run_checks(conn, Source("sample"), WINDOW, "fit-1", SCORES) if not item.passed}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("UPDATE petitions.petition SET body = ' '", "share_of_empty_bodies"),
        ("UPDATE petitions.petition SET category = '' WHERE source_id LIKE '%1'", "petitions_with_empty_fields"),
        ("UPDATE petitions.petition SET ends_on = begins_on + 400", "petitions_out_of_range"),
        (
            "UPDATE petitions.petition SET status = 'open', first_seen_at = first_seen_at - interval '3 days',"
            " changed_at = changed_at - interval '3 days', last_seen_at = last_seen_at - interval '3 days'",
            "days_since_open_petitions_were_seen",
        ),
        ("UPDATE petitions.petition_tokens SET content_hash = 'gone'", "tokens_missing"),
        ("UPDATE petitions.petition_words SET content_hash = 'gone'", "search_words_missing"),
        ("DELETE FROM petitions.petition_words WHERE petition_id LIKE '%1'", "search_words_missing"),
        ("DELETE FROM petitions.petition_fingerprint WHERE petition_id LIKE '%1'", COPIES),
        ("UPDATE petitions.petition_fingerprint SET content_hash = 'gone'", COPIES),
        ("UPDATE petitions.pipeline_step SET made_by = 'copies-2' WHERE step = 'find_copies'", COPIES),
        ("UPDATE petitions.pipeline_step SET state = 'running', finished_at = NULL WHERE step = 'find_copies'", COPIES),
        ("DELETE FROM petitions.pipeline_step WHERE step = 'find_copies'", COPIES),
        ("UPDATE petitions.topic SET mixture_share = mixture_share / 2", "topic_total_error"),
        ("UPDATE petitions.petition_keyword SET content_hash = 'gone'", f"keywords_of_older_texts {BERT}"),
    ],
)
def test_a_fault_fails_its_check_and_no_other(written, change, name):
    before = find_failed(written)
    assert name not in before
    written.execute(text(change))
    assert name in find_failed(written)


def test_a_window_with_half_of_its_petitions_gone_is_not_published(written):
    publish(written, "fit-1", [BERT], at=MONDAY)
    assert "volume_against_published" not in find_failed(written)
    written.execute(text("UPDATE petitions.petition SET status = 'hidden' WHERE right(source_id, 3)::int % 3 > 0"))
    assert "volume_against_published" in find_failed(written)


def test_each_petition_is_in_one_part(written):
    parts = [Part(number=number, n_parts=8) for number in range(8)]
    version = {"tokenizer": "of another kind"}
    read = [
        {
            item.petition_id
            for item in read_unseen(written, Source("sample"), WINDOW, petition_tokens, version, 99, part)
        }
        for part in parts
    ]
    assert sum(map(len, read)) == len(set().union(*read)) == len(read_texts(written, Source("sample"), WINDOW))
