import gzip
from datetime import UTC, date, datetime

import pytest

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.errors import PermanentError
from petitions.records import Source
from petitions.store.artifacts import ArtifactStore

ANSWER = Answer(
    url="https://site.test/petitions/1",
    status=200,
    headers=(("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", "session=1"), ("Content-Encoding", "gzip")),
    body='전화 010-1234-5678, a@b.test, "petrNm": "김아무개" \x00'.encode() + b"\xff",
    fetched_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
)


def test_an_answer_comes_back_masked_and_without_cookies(tmp_path):
    archive = Archive(ArtifactStore(str(tmp_path)))
    posted = Answer(
        url="https://site.test/list", form=(("page", "1"), ("c", "")), status=404, headers=(), body=b"", is_cut=True,
        fetched_at=ANSWER.fetched_at,
    )  # fmt: skip
    with archive.open_batch(Source.BLUEHOUSE, date(2026, 1, 1)) as batch:
        first, second = batch.add(ANSWER), batch.add(posted)
    assert first.startswith("raw/bluehouse/2026-01-01/")
    answer = archive.read_answer(first)
    assert (answer.url, answer.status, answer.fetched_at) == (ANSWER.url, 200, ANSWER.fetched_at)
    assert answer.body == '전화 [전화번호], [이메일], "petrNm": null \x00'.encode() + b"\xff"
    assert (answer.header("content-type"), answer.header("Set-Cookie")) == ("text/html; charset=utf-8", "")
    again = archive.read_answer(second)
    assert (again.form, again.status, again.body, again.is_cut) == (posted.form, 404, b"", True)


def test_nothing_personal_reaches_the_disk(tmp_path):
    archive = Archive(ArtifactStore(str(tmp_path)))
    with archive.open_batch(Source.ASSEMBLY, date(2026, 1, 1)) as batch:
        batch.add(ANSWER)
    (path,) = tmp_path.rglob("*.warc.gz")
    content = gzip.decompress(path.read_bytes())
    for personal in ("1234-5678", "a@b", "김아무개", "session=1"):
        assert personal.encode() not in content


def test_a_batch_that_breaks_off_keeps_what_it_had_and_an_empty_one_leaves_no_file(tmp_path):
    archive = Archive(ArtifactStore(str(tmp_path)))
    with pytest.raises(KeyboardInterrupt), archive.open_batch(Source.ASSEMBLY, date(2026, 1, 1)) as batch:
        reference = batch.add(ANSWER)
        raise KeyboardInterrupt
    assert archive.read_answer(reference).url == ANSWER.url
    with archive.open_batch(Source.ASSEMBLY, date(2026, 1, 2)):
        pass
    assert len(list(tmp_path.rglob("*.warc.gz"))) == 1


def test_a_reference_that_leads_nowhere_is_named(tmp_path):
    archive = Archive(ArtifactStore(str(tmp_path)))
    with archive.open_batch(Source.ASSEMBLY, date(2026, 1, 1)) as batch:
        path = batch.add(ANSWER).partition("#")[0]
    for reference in (path, f"{path}#0", f"{path}#7", f"{path}#999999", "raw/none#1"):
        with pytest.raises(PermanentError, match="archive|no artifact"):
            archive.read_answer(reference)
