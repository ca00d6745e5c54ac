"""A replay reads from the archive what the crawl read from the site; sockets are not needed."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from invented_pages import assembly_row, bluehouse_list, bluehouse_page, hidden_page
from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.crawl.replay import replay
from petitions.errors import PermanentError
from petitions.records import Hidden, Petition, Reject, Source, Status, Window
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore

AT = datetime(2019, 9, 1, 3, 0, 0, 7, tzinfo=UTC)
HOST = "http://127.0.0.1:8123"
WINDOW = Window(since=date(2019, 7, 1), until=date(2019, 10, 1))


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path)))


def write(archive, *answers, source=Source("bluehouse"), at=AT, host=HOST):
    """References to answers, each given as the path that was asked for, the body and, if not 200, the status."""
    with archive.open_batch(source, at=at) as batch:
        numbers = [
            batch.add(
                Answer(
                    url=f"{host}{path}", status=status[0] if status else 200, headers=(), body=body, fetched_at=at,
                    form=(("page", "1"),) if path.endswith("/list") else (),
                )
            )
            for path, body, *status in answers
        ]  # fmt: skip
    return [batch.reference(number) for number in numbers]


def run(archive, source=Source("bluehouse"), window=WINDOW, **settings):
    return list(replay(source, window, archive, Settings(**settings)))


def test_each_file_gives_the_batch_that_the_crawl_made_of_it(archive):
    bad_row = json.loads(bluehouse_list("1", "2"))
    bad_row["item"][1]["created"] = "soon"
    listed, petition, hidden, gone, garbage = write(
        archive,
        ("/api/petitions/list", json.dumps(bad_row).encode()),
        ("/petitions/1", bluehouse_page()),
        ("/petitions/3", hidden_page()),
        ("/petitions/4", b"", 404),
        ("/petitions/5", b"<html>"),
    )
    write(archive, ("/petitions/6", bluehouse_page()), at=AT + timedelta(hours=1))
    first, second = run(archive)
    assert (first.seen_at, second.seen_at) == (AT, AT + timedelta(hours=1))
    row, one, three, four, five = first.items
    assert isinstance(row, Reject)
    assert (row.url, row.artifact) == (f"{HOST}/api/petitions/list", listed)
    assert row.reason.startswith(f"{HOST}/api/petitions/list: item 1: key created")
    assert isinstance(one, Petition)
    assert (one.source_id, one.url, one.artifact) == ("1", f"{HOST}/petitions/1", petition)
    about = {"source": Source("bluehouse")}
    assert three == Hidden(source_id="3", url=f"{HOST}/petitions/3", artifact=hidden, **about)
    assert four == Hidden(source_id="4", url=f"{HOST}/petitions/4", artifact=gone, is_vanished=True, **about)
    assert (five.url, five.artifact, "</html>" in five.reason) == (f"{HOST}/petitions/5", garbage, True)
    assert [item.source_id for item in second.items] == ["6"]


def test_the_assembly_is_read_as_of_the_day_of_the_file_in_korea(archive):
    formed = assembly_row(sttusCode="PETIT_FORMATN", agreEndDe="2024-07-01 23:59:59")
    path, body = f"/api/petits/{formed['petitId']}", json.dumps(formed).encode()
    listed = json.dumps([formed, {}]).encode()
    for at in (datetime(2024, 7, 1, 14, 59, tzinfo=UTC), datetime(2024, 7, 1, 15, 0, tzinfo=UTC)):
        write(archive, ("/api/petits?pageIndex=1&sort=x", listed), (path, body), source=Source("assembly"), at=at)
    window = Window(since=date(2024, 4, 1), until=date(2024, 7, 2))
    batches = run(archive, Source("assembly"), window)
    assert [batch.items[1].status for batch in batches] == [Status.OPEN, Status.ENDED]
    assert [batch.items[0].url for batch in batches] == [f"{HOST}/api/petits?pageIndex=1&sort=x"] * 2


def test_petitions_of_other_days_are_left_out(archive):
    begins = ("2019-06-30", "2019-07-01", "2019-09-30", "2019-10-01")
    write(archive, *((f"/petitions/{n}", bluehouse_page(begin=day, end="2019-12-01")) for n, day in enumerate(begins)))
    (batch,) = run(archive)
    assert [item.source_id for item in batch.items] == ["1", "2"]


def test_a_batch_that_the_crawl_refused_is_skipped_with_a_warning(archive, caplog):
    write(archive, *((f"/petitions/{n}", b"<html>") for n in range(12)), ("/petitions/20", bluehouse_page()))
    write(archive, ("/petitions/21", bluehouse_page()), at=AT + timedelta(1))
    (batch,) = run(archive)
    assert [item.source_id for item in batch.items] == ["21"]
    (record,) = caplog.records
    assert archive.list_files()[0].path in record.getMessage()


def test_a_list_that_stopped_the_crawl_is_passed_over(archive):
    write(
        archive, ("/petitions/1", bluehouse_page()), ("/api/petitions/list", b"{}"), ("/api/petitions/list", b"", 404)
    )
    (batch,) = run(archive)
    assert [type(item) for item in batch.items] == [Petition]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("https://old.test", "https://new.test"),
        ("https://old.test:8443/19th", "http://new.test/19th/"),
    ],
)
def test_a_site_that_moved_is_replayed_as_it_was(archive, host, address):
    write(archive, ("/petitions/1", bluehouse_page()), host=host)
    (batch,) = run(archive, site_urls={"bluehouse": address})
    assert batch.items[0].url == f"{host}/petitions/1"


def test_a_password_in_an_older_archive_goes_no_further(archive, monkeypatch):
    monkeypatch.setattr("petitions.crawl.warc.drop_login", lambda url: url)
    write(
        archive, ("/petitions/1", bluehouse_page()), ("/petitions/2", hidden_page()), host="http://me:hidden@old.test"
    )
    monkeypatch.undo()
    (batch,) = run(archive, site_urls={"bluehouse": "https://new.test"})
    assert [item.url for item in batch.items] == [f"http://old.test/petitions/{number}" for number in (1, 2)]


def test_a_file_of_another_site_is_named_with_both_addresses(archive):
    write(archive, ("/19th/petitions/1", bluehouse_page()))
    path = archive.list_files()[0].path
    with pytest.raises(PermanentError) as failure:
        run(archive, site_urls={"bluehouse": "https://new.test"})
    for part in (path, f"bluehouse at {HOST};", f"{HOST}/19th/petitions/1"):
        assert part in str(failure.value)


def test_an_archive_without_the_source_is_named(archive):
    write(archive, ("/petitions/1", bluehouse_page()))
    with pytest.raises(PermanentError, match="has no answer of assembly"):
        run(archive, Source("assembly"))


def test_a_damaged_file_stops_the_replay_after_what_came_before(archive):
    for day in range(2):
        write(archive, ("/petitions/1", bluehouse_page()), at=AT + timedelta(day))
    path = archive.list_files()[1].path
    archive.store.write(path, archive.store.read(path)[:-1])
    batches = replay(Source("bluehouse"), WINDOW, archive, Settings())
    assert next(batches).seen_at == AT
    with pytest.raises(PermanentError, match=f"{path} is damaged"):
        next(batches)
