"""Bad input gets one clear error or a wait; no row is lost, doubled or half-written.

What stands elsewhere:

| input | test |
| --- | --- |
| a NUL, a lone surrogate, a negative count, one of 2**31, in a single write | test_petitions.py |
| a text of a megabyte, duplicate ids in a batch | test_petitions.py |
| a text over the limit | steps/test_crawl.py |
| killed at any statement; two writers of the same rows at once | test_interruption.py |
| a connection cut in mid-transaction, store alone | test_database.py |
| hostile answers by the thousand | fuzz/test_parsers.py |
"""

import os
import random
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from invented import MONDAY, make_petitions
from invented_pages import bluehouse_page
from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.crawl.reading import CrawlBatch
from petitions.errors import DatabaseDownError, TransientError
from petitions.pipeline import Pipeline
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.steps import tokenize
from petitions.steps.crawl import gather_again, store_batches
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine
from rows import read_all_rows

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

AT = datetime(2019, 9, 1, 3, tzinfo=UTC)
WINDOW = Window(since=date(2019, 7, 1), until=date(2019, 10, 1))
SETTINGS = Settings(source="bluehouse")
GOOD = {"title": "골목길 가로등을 늘려 주세요"}


def store_pages(engine, tmp_path, pages: list[bytes], numbers: list[int] | None = None) -> None:
    """Put pages into an archive and store them, as `petitions crawl --replay` does."""
    archive = Archive(ArtifactStore(str(tmp_path)))
    with archive.open_batch(Source("bluehouse"), at=AT) as batch:
        for number, page in zip(numbers or range(1, len(pages) + 1), pages, strict=True):
            url = f"{SETTINGS.site_url(Source('bluehouse'))}/petitions/{number}"
            batch.add(Answer(url=url, status=200, headers=(), body=page, fetched_at=AT))
    list(gather_again(engine, archive, Source("bluehouse"), WINDOW, SETTINGS))


def read_ids(engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(text("SELECT petition_id FROM petitions.petition ORDER BY 1")))


def read_reasons(engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(text("SELECT reason FROM petitions.crawl_reject")))


@pytest.mark.parametrize(
    "change",
    [
        {"begin": "0000-00-00"},
        {"begin": "0000-08-01"},
        {"end": "10000-01-01"},
        {"end": "9999-12-31"},
        {"begin": "9999-12-31", "end": "9999-12-31"},
        {"begin": "2019-02-30"},
        {"begin": "2019-09-01", "end": "2019-08-01"},
        {"count": "-5"},
        {"count": "2,147,483,648"},
        {"count": "9,223,372,036,854,775,808"},
        {"count": "9" * 400},
        {"title": "\x00\u200b"},
    ],
)
def test_a_page_with_a_date_or_count_that_cannot_be_is_one_reject_and_the_others_are_stored(engine, tmp_path, change):
    store_pages(engine, tmp_path, [bluehouse_page(**GOOD), bluehouse_page(**(GOOD | change)), bluehouse_page(**GOOD)])
    assert read_ids(engine) == ["bluehouse:1", "bluehouse:3"]
    (reason,) = read_reasons(engine)
    assert "\n" not in reason
    assert len(reason) < 300


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("가\x00나".encode(), "expected text in UTF-8"),
        ("가@@나".encode().replace(b"@@", b"\xed\xa0\x80"), "expected text in UTF-8"),
        ("가나 ".encode() * 330_000, "over the limit of 200000 characters"),
    ],
    ids=["nul", "surrogate", "megabytes"],
)
def test_a_page_of_bytes_that_cannot_be_is_one_reject_and_the_others_are_stored(engine, tmp_path, body, reason):
    bad = bluehouse_page(body="@@").replace(b"@@", body)
    store_pages(engine, tmp_path, [bluehouse_page(), bad, bluehouse_page()])
    assert read_ids(engine) == ["bluehouse:1", "bluehouse:3"]
    (told,) = read_reasons(engine)
    assert reason in told


def test_nul_and_surrogates_written_as_entities_are_taken_out_and_the_rest_is_stored(engine, tmp_path):
    store_pages(engine, tmp_path, [bluehouse_page(body="가&#0;나 &#xD800; &amp;#xDFFF; 다")])
    with engine.connect() as conn:
        body = conn.scalar(text("SELECT body FROM petitions.petition"))
    assert body.startswith("가")
    assert body.endswith("다")
    assert not {"\x00", "\ud800"} & set(body)


def test_the_same_petition_twice_in_a_batch_is_one_row_of_the_later_answer(engine, tmp_path):
    store_pages(engine, tmp_path, [bluehouse_page(count="10"), bluehouse_page(count="12")], [7, 7])
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT petition_id, n_agreements FROM petitions.petition")).all()
        days = conn.execute(text("SELECT petition_id, n_agreements FROM petitions.petition_agreement")).all()
    assert rows == days == [("bluehouse:7", 12)]


@pytest.fixture
def pipeline(engine, tmp_path) -> Pipeline:
    return Pipeline(
        settings=Settings(source="sample"),
        engine=engine,
        artifacts=ArtifactStore(str(tmp_path / "artifacts")),
        source=Source("sample"),
        window=Window.ending(date(2026, 11, 20)),
        clock=lambda: datetime(2026, 11, 20, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("step", ["crawl", "tokenize"])
def test_a_connection_cut_in_a_step_is_one_error_and_the_step_again_brings_all(pipeline, engine, new_database, step):
    other = replace(pipeline, engine=new_database())
    for run in (other, pipeline):
        if step == "tokenize":
            run.crawl()
    getattr(other, step)()
    killer, cuts = create_engine(engine.url), []

    def cut(conn, cursor, statement, parameters, context, executemany) -> None:
        if "RELEASE SAVEPOINT" in statement and not cuts:  # rows are copied, not yet committed
            pid = conn.connection.driver_connection.info.backend_pid
            with killer.connect() as session:
                cuts.append(session.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid}))

    event.listen(engine, "before_cursor_execute", cut)
    with pytest.raises(DatabaseDownError, match="terminating connection|closed") as caught:
        getattr(pipeline, step)()
    killer.dispose()
    assert cuts == [True]
    assert "\n" not in str(caught.value)
    table = {"crawl": "petition", "tokenize": "petition_tokens"}[step]
    assert read_all_rows(engine)[table] == []
    getattr(pipeline, step)()
    mended, whole = read_all_rows(engine), read_all_rows(other.engine)
    assert mended == whole


def test_of_two_runs_at_the_same_step_one_works_and_the_other_gets_one_transient_error(pipeline, engine, monkeypatch):
    pipeline.crawl()
    is_at_work, may_go_on = threading.Event(), threading.Event()
    tokenize_many = tokenize.tokenize_many

    def wait(texts):
        is_at_work.set()
        assert may_go_on.wait(60)
        return tokenize_many(texts)

    monkeypatch.setattr(tokenize, "tokenize_many", wait)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(pipeline.tokenize)
        assert is_at_work.wait(60)
        rival = replace(pipeline, engine=open_engine(engine.url.render_as_string(hide_password=False)))
        try:
            with pytest.raises(TransientError, match="another process is at the step tokenize of the run sample_"):
                rival.tokenize()
        finally:
            may_go_on.set()
            rival.engine.dispose()
        n_done = first.result()
    rows = read_all_rows(engine)
    assert len(rows["petition_tokens"]) == len(rows["petition"]) == n_done
    with engine.connect() as conn:
        assert conn.execute(text("SELECT state, error FROM petitions.recent_run")).all() == [("running", None)]


@pytest.fixture
def small_disk(postgres_url: str, migrated: str):
    """A database whose tables lie on a tmpfs of 48 MB, and the folder of that disk."""
    folder = Path(tempfile.mkdtemp(prefix="disk", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=755", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("mounting a small tmpfs is not allowed here")
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    opened = None
    try:
        with admin.connect() as conn:
            make_tablespace(conn, folder)
            conn.execute(text(f"CREATE DATABASE small TEMPLATE {migrated} TABLESPACE small"))
        opened = open_engine(admin.url.set(database="small").render_as_string(hide_password=False))
        yield opened, folder
    finally:
        try:
            if opened is not None:
                opened.dispose()
            with admin.connect() as conn:
                conn.execute(text("DROP DATABASE IF EXISTS small WITH (FORCE)"))
                conn.execute(text("DROP TABLESPACE IF EXISTS small"))
            admin.dispose()
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
            folder.rmdir()


def make_tablespace(conn, folder) -> None:
    """Make one that the server's own user may write to."""
    place, data = folder / "tables", os.stat(conn.scalar(text("SHOW data_directory")))
    place.mkdir()
    os.chown(place, data.st_uid, data.st_gid)
    conn.execute(text(f"CREATE TABLESPACE small LOCATION '{place}'"))


def test_a_full_disk_is_one_transient_error_and_with_room_again_all_is_stored(small_disk):
    engine, disk = small_disk
    random.seed(0)  # a text that cannot be compressed
    petitions = [
        replace(item, body="".join(chr(random.randrange(0xAC00, 0xD7A4)) for _ in range(60_000)))
        for item in make_petitions(40)
    ]
    batches = [CrawlBatch(items=petitions[start : start + 4], seen_at=MONDAY) for start in range(0, 40, 4)]
    stored = store_batches(engine, iter(batches))
    for _ in range(2):
        next(stored)
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(b"x" * (free - 3_000_000))
    n_stored = 2
    with pytest.raises(TransientError, match="No space left on device") as caught:
        for _ in stored:
            n_stored += 1
    assert "\n" not in str(caught.value)
    rows = read_all_rows(engine)
    assert len(rows["petition"]) == len(rows["petition_agreement"]) == 4 * n_stored < 40
    filler.unlink()
    list(store_batches(engine, iter(batches)))
    with engine.connect() as conn:
        kept = dict(conn.execute(text("SELECT petition_id, body FROM petitions.petition")).all())
    assert kept == {item.petition_id: item.body for item in petitions}
