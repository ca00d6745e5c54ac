import gzip
import hashlib
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.errors import PermanentError
from petitions.records import Source
from petitions.store.artifacts import ArtifactStore

AT = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
ANSWER = Answer(
    url="https://site.test/petitions/1",
    status=200,
    headers=(("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", "session=1"), ("Content-Encoding", "gzip")),
    body='전화 010-1234-5678, a@b.test, "petrNm": "김아무개" \x00'.encode() + b"\xff",
    fetched_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
)


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path)))


def make_answer(number=1, *, body=b"<p>", headers=(), **changes):
    about = {"url": f"https://site.test/petitions/{number}", "status": 200, "fetched_at": AT} | changes
    return Answer(body=body, headers=headers, **about)


def write(archive, *answers, source=Source("bluehouse"), at=AT):
    """References to answers that were written as one batch."""
    with archive.open_batch(source, at=at) as batch:
        numbers = [batch.add(answer) for answer in answers]
    return [batch.reference(number) for number in numbers]


def test_an_answer_comes_back_masked_and_without_cookies(archive):
    posted = Answer(
        url="https://site.test/list", form=(("page", "1"), ("c", "")), status=404, headers=(), body=b"", is_cut=True,
        fetched_at=ANSWER.fetched_at,
    )  # fmt: skip
    first, second = write(archive, ANSWER, posted)
    answer = archive.read_answer(first)
    assert (answer.url, answer.status, answer.fetched_at) == (ANSWER.url, 200, ANSWER.fetched_at)
    assert answer.body == '전화 [전화번호], [이메일], "petrNm": null \x00'.encode() + b"\xff"
    assert (answer.header("content-type"), answer.header("Set-Cookie")) == ("text/html; charset=utf-8", "")
    again = archive.read_answer(second)
    assert (again.form, again.status, again.body, again.is_cut) == (posted.form, 404, b"", True)


def test_nothing_personal_reaches_the_disk(archive, tmp_path):
    write(archive, ANSWER)
    (path,) = tmp_path.rglob("*.warc.gz")
    content = gzip.decompress(path.read_bytes())
    for personal in ("1234-5678", "a@b", "김아무개", "session=1"):
        assert personal.encode() not in content


def test_a_file_is_named_by_its_moment_and_by_what_is_in_it(archive, tmp_path):
    at = datetime(2026, 1, 2, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    path = write(archive, ANSWER, at=at)[0].partition("#")[0]
    digest = hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()
    assert path == f"raw/bluehouse/2026-01-01/233000000000-{digest}.warc.gz"
    (file,) = archive.list_files()
    assert (file.path, file.source, file.seen_at) == (path, Source("bluehouse"), at)
    assert file.n_bytes == (tmp_path / path).stat().st_size
    assert archive.read_file(path)[0] == at


def test_a_batch_that_breaks_off_keeps_what_it_had_and_an_empty_one_leaves_no_file(archive):
    with pytest.raises(KeyboardInterrupt), archive.open_batch(Source("assembly"), at=AT) as batch:
        number = batch.add(ANSWER)
        raise KeyboardInterrupt
    assert archive.read_answer(batch.reference(number)).url == ANSWER.url
    write(archive)
    assert len(archive.list_files()) == 1


def test_no_answer_has_a_reference_before_the_batch_is_written(archive):
    with archive.open_batch(Source("assembly"), at=AT) as batch:
        number = batch.add(ANSWER)
        with pytest.raises(RuntimeError, match="when its batch is written"):
            batch.reference(number)


def test_a_reference_that_leads_nowhere_is_named(archive):
    path = write(archive, ANSWER)[0].partition("#")[0]
    gone = path.replace("#", "").replace("-01-02/", "-01-03/")
    for reference in (
        path,
        f"{path}#0",
        f"{path}#7",
        f"{path}#999999",
        "raw/none#1",
        "../../etc/passwd#1",
        f"{gone}#1",
    ):
        with pytest.raises(PermanentError, match="archive|no artifact"):
            archive.read_answer(reference)


def test_the_files_are_listed_in_the_order_of_time_and_read_in_the_order_of_coming(archive):
    moments = [AT + timedelta(microseconds=step) for step in (0, 1, 10**6, 10**9, 10**12)]
    for at in sorted(moments, key=str, reverse=True):
        write(archive, make_answer(2), make_answer(1), at=at)
    write(archive, make_answer(3), source=Source("assembly"))
    assert [file.seen_at for file in archive.list_files(Source("bluehouse"))] == moments
    assert len(archive.list_files()) == 6
    for file in archive.list_files(Source("bluehouse")):
        assert [answer.url[-1] for _, answer in archive.read_file(file.path)[1]] == ["2", "1"]


def test_a_file_of_another_name_is_passed_over_with_a_warning(archive, tmp_path, caplog):
    write(archive, ANSWER)
    (tmp_path / "raw" / "bluehouse" / "notes.txt").write_text("x")
    assert len(archive.list_files()) == 1
    assert "raw/bluehouse/notes.txt" in caplog.text


def test_a_body_that_comes_twice_is_kept_once_and_read_twice(archive, tmp_path):
    body = bytes(range(128, 256)) * 200 + b"010-1234-5678"
    twins = [make_answer(1, body=body), make_answer(2, body=body, headers=(("X", "2"),)), make_answer(3, body=b"other")]
    references = write(archive, *twins)
    content = (tmp_path / references[0].partition("#")[0]).read_bytes()
    assert gzip.decompress(content).count(body[:-13]) == 1
    answers = [archive.read_answer(reference) for reference in references]
    assert [answer.url for answer in answers] == [twin.url for twin in twins]
    assert answers[1].headers == (("X", "2"),)
    assert answers[0].body == answers[1].body == body[:-13] + "[전화번호]".encode()
    assert answers[2].body == b"other"


def test_any_warc_tool_reads_the_files_and_finds_the_digests_right(archive, tmp_path):
    references = write(archive, ANSWER, make_answer(2, body=b""), make_answer(3, body=b""), ANSWER)
    path = tmp_path / references[0].partition("#")[0]
    with path.open("rb") as file:
        records = [
            (record.rec_type, record.rec_headers, record.content_stream().read(), record.digest_checker.passed)
            for record in ArchiveIterator(file, check_digests=True)
        ]
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "response", "revisit", "revisit"]
    assert records[0][1].get_header("WARC-Date") == "2026-01-02T03:04:05.000600Z"
    for _, about, body, is_right in records[1:3]:
        assert about.get_header("WARC-Payload-Digest") == f"sha256:{hashlib.sha256(body).hexdigest()}"
        assert is_right
    for (_, revisit, *_), (_, origin, *_) in zip(records[3:], (records[2], records[1]), strict=True):
        assert revisit.get_header("WARC-Profile").endswith("/revisit/identical-payload-digest")
        assert revisit.get_header("WARC-Refers-To-Target-URI") == origin.get_header("WARC-Target-URI")
        assert revisit.get_header("WARC-Refers-To-Date") == origin.get_header("WARC-Date")
        assert revisit.get_header("WARC-Payload-Digest") == origin.get_header("WARC-Payload-Digest")


@pytest.mark.slow
def test_the_command_of_warcio_finds_nothing_wrong(archive, tmp_path):
    path = tmp_path / write(archive, ANSWER, ANSWER)[0].partition("#")[0]
    warcio = Path(sys.executable).with_name("warcio")
    done = subprocess.run([warcio, "check", "-v", path], capture_output=True, text=True, check=True)
    assert "digest pass" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("scheme", ["", "memory://"])
def test_an_object_store_keeps_an_archive_as_a_folder_does(tmp_path, scheme):
    archive = Archive(ArtifactStore(f"{scheme}{tmp_path}/kept"))
    (reference,) = write(archive, make_answer(7))
    (file,) = archive.list_files()
    assert (file.path, file.n_bytes > 100) == (reference.partition("#")[0], True)
    assert archive.read_answer(reference).url.endswith("/7")
    archive.store.delete(file.path)
    archive.store.delete(file.path)
    assert archive.list_files() == []


HOSTILE = (
    "\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://site.test/forged\r\nContent-Length: 0\r\n\r\n"
)


@settings(max_examples=20, deadline=None)
@given(
    headers=st.lists(st.tuples(st.text(max_size=8) | st.just("X"), st.text(max_size=30)), max_size=6),
    hostile=st.integers(0, 5),
)
def test_no_header_of_an_answer_forges_a_record_or_another_header(tmp_path_factory, headers, hostile):
    archive = Archive(ArtifactStore(str(tmp_path_factory.getbasetemp() / "hostile")))
    headers.insert(min(hostile, len(headers)), ("X-Hostile", f"가\ud800{HOSTILE}Set-Cookie: a=1"))
    headers.append((f"X{HOSTILE}", "x"))
    body = HOSTILE.encode()
    answers = [make_answer(1, body=body, headers=tuple(headers)), make_answer(2, body=b"after")]
    references = write(archive, *answers)
    path = references[0].partition("#")[0]
    found = dict(archive.read_file(path)[1])
    shutil.rmtree(Path(archive.store.url))
    assert list(found) == references
    first, second = found.values()
    assert (first.url, first.body, second.body) == (answers[0].url, body, b"after")
    assert len(first.headers) <= len(headers) - 1
    assert first.header("X-Hostile").endswith("Set-Cookie: a=1")
    assert first.header("Set-Cookie") == ""


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_file_with_flipped_or_missing_bytes_is_a_permanent_error_and_nothing_else(tmp_path_factory, data):
    archive = Archive(ArtifactStore(str(tmp_path_factory.getbasetemp() / "damaged")))
    references = write(archive, ANSWER, make_answer(2), make_answer(3))
    path = references[0].partition("#")[0]
    content = bytearray(archive.store.read(path))
    place = int(data.draw(st.floats(0, 1, exclude_max=True)) * len(content))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    archive.store.write(path, bytes(content))
    with pytest.raises(PermanentError, match=f"{path} is damaged"):
        archive.read_file(path)
    with pytest.raises(PermanentError, match="is damaged"):
        archive.read_answer(references[1])
    archive.store.delete(path)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_file_of_others_under_a_fitting_name_is_a_permanent_error_or_read(tmp_path_factory, data):
    archive = Archive(ArtifactStore(str(tmp_path_factory.getbasetemp() / "foreign")))
    path = write(archive, ANSWER, make_answer(2), ANSWER)[0].partition("#")[0]
    text = bytearray(gzip.decompress(archive.store.read(path)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = int(data.draw(st.floats(0, 1)) * len(text))
        text[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    content = data.draw(st.sampled_from([bytes(text), gzip.compress(bytes(text)), b""]))
    name = f"{path.rpartition('/')[0]}/030405000600-{hashlib.sha256(content).hexdigest()}.warc.gz"
    archive.store.write(name, content)
    try:
        list(archive.read_file(name)[1])
    except PermanentError as error:
        assert name in str(error)
    finally:
        shutil.rmtree(Path(archive.store.url))


def test_a_file_that_was_given_another_moment_is_refused(archive):
    path = write(archive, ANSWER)[0].partition("#")[0]
    later = path.replace("/2026-01-02/", "/2026-01-03/")
    archive.store.write(later, archive.store.read(path))
    with pytest.raises(PermanentError, match="must begin with a warcinfo record of 2026-01-03T03:04:05.000600Z"):
        archive.read_file(later)


def test_a_url_is_found_where_it_was_asked_for_and_not_where_it_is_part_of_another(archive):
    days = [AT + timedelta(days=day) for day in range(3)]
    asked = [write(archive, make_answer(12, body=b"/petitions/1"), make_answer(1), at=day)[1] for day in days]
    listed = make_answer(url="https://site.test/list?page=1")
    write(archive, listed)
    files = archive.list_files()
    for wanted in ("https://site.test/petitions/1", "1"):
        assert [reference for reference, _ in archive.find_url(wanted, files)] == asked
    assert [answer.url for _, answer in archive.find_url(listed.url, files)] == [listed.url]
    for wanted in ("https://site.test/petitions/", "petitions/1", "2", "https://site.test/petitions/3"):
        assert list(archive.find_url(wanted, files)) == []


def test_an_excerpt_is_the_same_bytes_and_brings_along_what_it_refers_to(archive):
    references = write(archive, ANSWER, make_answer(2), make_answer(3, body=ANSWER.body), make_answer(4, body=b"4"))
    path = references[0].partition("#")[0]
    kept = archive.excerpt(path, {references[2]})
    assert archive.excerpt(path, {references[2]}) == kept
    assert set(kept.moved) == {references[0], references[2]}
    archive.store.write(kept.path, kept.content)
    archive.store.delete(path)
    assert [file.seen_at for file in archive.list_files()] == [AT]
    moved = archive.read_answer(kept.moved[references[2]])
    assert (moved.url, moved.body[:6]) == ("https://site.test/petitions/3", "전화".encode())
    assert archive.excerpt(kept.path, {kept.moved[references[2]]}).path == kept.path
    with pytest.raises(PermanentError, match="#5'"):
        archive.excerpt(kept.path, {f"{kept.path}#5"})
