"""What a crawl brings becomes rows: clean petitions, agreements by day, rejects with their reason."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from invented import make_petitions
from petitions.crawl.archive import Archive
from petitions.errors import ConfigError
from petitions.records import Hidden, Reject, Source, Window
from petitions.settings import Settings
from petitions.steps.crawl import gather, write_batch
from petitions.text.normalize import MAX_CHARACTERS

pytestmark = pytest.mark.postgres
AT, DAY = datetime(2026, 11, 20, 3, tzinfo=UTC), date(2026, 11, 20)
PETITIONS = make_petitions(3)


def write(conn, *batch):
    return write_batch(conn, batch, seen_at=AT, seen_on=DAY)


def test_a_site_that_closed_is_not_waited_for(engine, tmp_path):
    settings = Settings(source="bluehouse")
    crawl = gather(engine, Archive(tmp_path), Source("bluehouse"), Window.ending(DAY), settings, now=lambda: AT)
    with pytest.raises(ConfigError, match=r"closed on 2022-05-09: set PETITIONS_BLUEHOUSE_URL to a mirror's address"):
        next(crawl)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM petitions.crawl_progress")).scalar_one() == 0


def test_a_phone_number_never_reaches_a_table(conn):
    write(conn, replace(PETITIONS[0], body="연락은 010-1234-5678 또는 a.b@example.com"))
    stored = conn.execute(text("SELECT body FROM petitions.petition")).scalar_one()
    assert stored == "연락은 [전화번호] 또는 [이메일]"


def test_agreements_are_kept_by_day(conn):
    write(conn, PETITIONS[0])
    write_batch(conn, [replace(PETITIONS[0], n_agreements=900)], seen_at=AT, seen_on=date(2026, 11, 21))
    rows = conn.execute(text("SELECT seen_on, n_agreements FROM petitions.petition_agreement ORDER BY 1")).all()
    assert rows == [(DAY, PETITIONS[0].n_agreements), (date(2026, 11, 21), 900)]


def test_a_hidden_petition_keeps_its_row_and_one_never_stored_is_a_reject(conn):
    write(conn, *PETITIONS)
    known, unknown = (
        Hidden(source=Source("sample"), source_id=number, url=f"https://example.org/{number}", artifact="raw/a#1")
        for number in (PETITIONS[0].source_id, "unknown")
    )
    write(conn, known, unknown)
    status = text("SELECT status FROM petitions.petition WHERE petition_id = :id")
    assert conn.execute(status, {"id": PETITIONS[0].petition_id}).scalar_one() == "hidden"
    assert conn.execute(text("SELECT url, reason FROM petitions.crawl_reject")).all() == [(unknown.url, "hidden")]


def test_a_text_past_the_limit_is_a_reject_and_the_others_are_stored(conn):
    huge = replace(PETITIONS[0], body="가" * (MAX_CHARACTERS + 1))
    missing = Reject(
        source=Source("sample"), url="https://example.org/9", reason="missing (HTTP 404)", artifact="raw/a#2"
    )
    write(conn, huge, PETITIONS[1], missing)
    assert conn.execute(text("SELECT petition_id FROM petitions.petition")).scalars().all() == [
        PETITIONS[1].petition_id
    ]
    reasons = conn.execute(text("SELECT reason FROM petitions.crawl_reject ORDER BY 1")).scalars().all()
    assert reasons == [
        f"a text of {MAX_CHARACTERS + 1} characters is over the limit of {MAX_CHARACTERS}",
        missing.reason,
    ]


def test_a_title_of_invisible_characters_is_a_reject_and_the_others_are_stored(conn):
    write(conn, replace(PETITIONS[0], title="\u200b\u2060", artifact="raw/a#3"), PETITIONS[1])
    assert conn.execute(text("SELECT count(*) FROM petitions.petition")).scalar_one() == 1
    (reject,) = conn.execute(text("SELECT reason, artifact FROM petitions.crawl_reject")).all()
    assert reject == ("nothing is left of a title of 2 characters", "raw/a#3")


def test_a_bad_petition_is_told_with_its_address_its_reason_and_its_row(conn, caplog):
    url = "https://example.org/9"
    reason = f"{url}: key created: expected YYYY-MM-DD, found 지어낸 제목"
    write(conn, Reject(source=Source("sample"), url=url, reason=reason, artifact="raw/a#2"), PETITIONS[1])
    (record,) = caplog.records
    row = conn.execute(text("SELECT reject_id FROM petitions.crawl_reject")).scalar_one()
    assert record.levelname == "WARNING"
    for told in (url, "expected YYYY-MM-DD, found …", row, "raw/a#2"):
        assert told in record.getMessage()
    assert "지어낸" not in record.getMessage()
