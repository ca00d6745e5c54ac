"""A replay takes what other tools recorded: wget, warcio, browsertrix; packed, chunked, revisited or not."""

import gzip
import io
import json
import shutil
import subprocess
import zipfile
import zlib
from datetime import UTC, date, datetime

import pytest
from site_server import Page, serve
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from invented_pages import assembly_row
from petitions.crawl.archive import Archive
from petitions.crawl.recorded import read_recorded
from petitions.crawl.replay import replay
from petitions.crawl.taking_in import take_in
from petitions.errors import PermanentError
from petitions.records import Petition, Source, Window
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore

HOST = "https://petitions.assembly.go.kr"
SOURCE, WINDOW = Source("assembly"), Window(since=date(2024, 4, 1), until=date(2024, 7, 2))
AT = "2024-07-01T03:00:00Z"
IDS = [f"{number:016X}E054B49691C1987F" for number in range(1, 9)]


def detail(number, **changes):
    return json.dumps(assembly_row(petitId=IDS[number], petitSj=f"{number}번 가로등에 관한 청원", **changes)).encode()


def address(number, host=HOST):
    return f"{host}/api/petits/{IDS[number]}?petitId={IDS[number]}&sttusCode="


def chunk(body):
    half = len(body) // 2
    parts = [b"%X;ext=1\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:])]
    return b"".join(parts) + b"0\r\n\r\n"


def block(body, *headers, status="HTTP/1.1 200 OK"):
    return "\r\n".join((status, *headers)).encode() + b"\r\n\r\n" + body


def record(url, content, kind="response", **about):
    """A WARC record, written by hand: each tool has its own way with the order and the case of its headers."""
    head = {"WARC-Type": kind, "WARC-Target-URI": url, "WARC-Date": AT, "Content-Length": len(content)}
    head |= {name.replace("_", "-"): value for name, value in about.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value is not None)
    return f"WARC/1.0\r\n{lines}\r\n".encode() + content + b"\r\n\r\n"


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path / "artifacts")))


def write(tmp_path, *records, name="night.warc", pack=lambda records: b"".join(records)):
    path = tmp_path / name
    path.write_bytes(pack(records))
    return path


def take(archive, *paths):
    """The petitions of recorded files, through the archive; and the files of the archive."""
    files = take_in(paths, SOURCE, WINDOW, archive, Settings())
    batches = list(replay(SOURCE, WINDOW, archive, Settings(), files))
    return [item for batch in batches for item in batch.items], files


JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    "content",
    [
        block(detail(0), JSON),
        block(chunk(detail(0)), JSON, "Transfer-Encoding: chunked"),
        block(chunk(detail(0)), JSON, "TRANSFER-ENCODING: Chunked"),
        block(detail(0), JSON, "transfer-encoding: chunked"),  # joined by the tool, which left the header
        block(gzip.compress(detail(0)), JSON, "Content-Encoding: gzip"),
        block(gzip.compress(detail(0)), JSON, "CONTENT-ENCODING: GZIP"),
        block(chunk(gzip.compress(detail(0))), "content-encoding: gzip", "transfer-encoding: chunked"),
        block(detail(0), JSON, "content-encoding: gzip"),  # unpacked by the tool
        block(zlib.compress(detail(0)), JSON, "Content-Encoding: deflate"),
        block(detail(0), JSON, "content-encoding: br"),  # as browsertrix keeps it, unpacked
        block(detail(0), JSON, status="HTTP/2 200"),
        block(detail(0), JSON, status="HTTP/2.0 200 "),
        block(detail(0), JSON).replace(b"\r\n", b"\n"),
    ],
)
def test_a_body_is_read_however_it_was_kept(tmp_path, archive, content):
    (petition,), _ = take(archive, write(tmp_path, record(address(0), content)))
    assert isinstance(petition, Petition)
    assert (petition.source_id, petition.title) == (IDS[0], "0번 가로등에 관한 청원")


@pytest.mark.parametrize(
    "pack",
    [
        b"".join,
        lambda records: b"".join(map(gzip.compress, records)),
        lambda records: gzip.compress(b"".join(records)),  # one member, which WARC does not allow and people make
    ],
)
def test_a_file_is_read_however_it_is_packed(tmp_path, archive, pack):
    records = [record(address(number), block(detail(number), JSON)) for number in range(3)]
    items, _ = take(archive, write(tmp_path, *records, name="night.warc.gz", pack=pack))
    assert [item.source_id for item in items] == IDS[:3]


def test_a_wacz_is_read_by_the_warcs_in_it(tmp_path, archive):
    path = tmp_path / "crawl.wacz"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("datapackage.json", "{}")
        for number in range(2):
            content = gzip.compress(record(address(number), block(detail(number), JSON)))
            packed.writestr(f"archive/rec-{number}.warc.gz", content)
    items, _ = take(archive, path)
    assert [item.source_id for item in items] == IDS[:2]


def test_what_a_browser_asks_for_besides_is_passed_over(tmp_path, archive, caplog):
    digest = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    path = write(
        tmp_path,
        record(None, b"software: browsertrix\r\n", "warcinfo"),
        record("https://fonts.elsewhere.test/a.woff2", block(b"\0\1\2", "Content-Encoding: br")),
        record(f"{HOST}/proceed/onGoingAll/{IDS[0]}", block(b"<html></html>", "Content-Type: text/html")),
        record(address(0), b"GET /api/petits HTTP/1.1\r\nHost: x\r\n\r\n", "request"),
        record(address(0), block(detail(0), JSON), WARC_Payload_Digest=digest),
        record(address(0), b"{}", "metadata"),
        record(f"<{address(1)}>", block(detail(1), JSON)),  # as wget writes it
        record(address(2), block(b"busy", status="HTTP/1.1 503 Busy")),
        record(address(3), block(b"{}", status="HTTP/1.1 404 Not Found")),
        record(address(0), block(b"", status="HTTP/1.1 304 Not Modified"), "revisit", WARC_Payload_Digest=digest),
        record(address(4), block(b""), "revisit", WARC_Payload_Digest="sha1:OTHER"),
        record(address(5), block(b"\x8b\x02\x80\xff", "Content-Encoding: br")),
        record("dns:petitions.assembly.go.kr", b"20240701 127.0.0.1", "response"),
    )
    items, _ = take(archive, path)
    assert [(type(item).__name__, item.url) for item in items] == [
        ("Petition", f"{HOST}/proceed/onGoingAll/{IDS[0]}"),
        ("Petition", f"{HOST}/proceed/onGoingAll/{IDS[1]}"),
        ("Hidden", address(3)),
        ("Petition", f"{HOST}/proceed/onGoingAll/{IDS[0]}"),
    ]
    told = " ".join(record.getMessage() for record in caplog.records)
    for reason in ("status 503", "what they revisit is not in the file", "packed by br or zstd"):
        assert f"1 recorded answers passed over: {reason}" in told


def test_what_is_taken_in_is_masked_has_a_place_in_the_archive_and_is_there_once(tmp_path, archive):
    path = write(tmp_path, record(address(0), block(detail(0, petrNm="홍길동", petitCn="전화 010-1234-5678"), JSON)))
    (petition,), files = take(archive, path)
    (again,), files_again = take(archive, path)
    assert (files, petition) == (files_again, again)
    assert len(archive.list_files(SOURCE)) == 1
    body = archive.read_answer(petition.artifact).body.decode()
    assert "홍길동" not in body
    assert "010-1234" not in body
    assert files[0].seen_at == datetime(2024, 7, 1, 3, tzinfo=UTC)


def test_answers_of_a_night_and_of_a_mirror_come_as_files_of_their_own_in_the_order_of_time(tmp_path, archive):
    path = write(
        tmp_path,
        record(address(1), block(detail(1), JSON), WARC_Date="2024-07-01T16:00:00.123456789Z"),  # the next Korean day
        record(address(0), block(detail(0), JSON), WARC_Date="2024-07-01T03:00:00+00:00"),
        record(address(2, "http://mirror.test:8080"), block(detail(2), JSON)),
    )
    items, files = take(archive, path)
    assert len(files) == 3
    assert [item.source_id for item in items][-1] == IDS[1]
    assert sorted(item.source_id for item in items) == IDS[:3]


def test_a_list_that_was_recorded_tells_the_count_that_a_petition_lacks(tmp_path, archive):
    listed = json.dumps([assembly_row(petitId=IDS[0], agreCo=777)]).encode()
    path = write(
        tmp_path,
        record(f"{HOST}/api/petits?pageIndex=1&recordCountPerPage=8&sttusCode=AGRE_PROGRS", block(listed, JSON)),
        record(address(0), block(detail(0, agreCo=None), JSON)),
    )
    (petition,), _ = take(archive, path)
    assert (petition.n_agreements, petition.is_counted) == (777, True)


def test_what_warcio_writes_is_read_with_its_revisits(tmp_path, archive):
    stream = io.BytesIO()
    writer = WARCWriter(stream, gzip=True)
    http = StatusAndHeaders("200 OK", [("content-type", "application/json")], protocol="HTTP/1.1")
    first = writer.create_warc_record(
        address(0), "response", payload=io.BytesIO(detail(0)), http_headers=http, warc_headers_dict={"WARC-Date": AT}
    )
    writer.write_record(first)
    digest = first.rec_headers.get_header("WARC-Payload-Digest")
    writer.write_record(writer.create_revisit_record(address(0), digest, address(0), AT, http_headers=http))
    items, _ = take(archive, write(tmp_path, stream.getvalue(), name="made.warc.gz"))
    assert [item.source_id for item in items] == [IDS[0], IDS[0]]


@pytest.mark.skipif(shutil.which("wget") is None, reason="wget is not installed")
def test_what_wget_records_is_read(tmp_path, archive):
    with serve(lambda path, nth: Page(detail(0), headers={"Content-Type": "application/json"})) as site:
        command = [
            "wget",
            "-q",
            "-O",
            "/dev/null",
            "--no-config",
            f"--warc-file={tmp_path}/night",
            "--user-agent=Mozilla/5.0",
        ]
        subprocess.run([*command, address(0, site.url)], check=True)
    items, _ = take(archive, tmp_path / "night.warc.gz")
    assert [item.source_id for item in items] == [IDS[0]]


def test_what_is_no_warc_or_has_no_such_answer_is_named(tmp_path, archive):
    other = write(tmp_path, record("https://other.test/x", block(b"x")), name="other.warc")
    with pytest.raises(PermanentError, match=r"other.warc: no answer of assembly; other hosts in it: other.test"):
        take_in([other], SOURCE, WINDOW, archive, Settings())
    text = write(tmp_path, b"not a WARC at all\n" * 9, name="text.warc")
    with pytest.raises(PermanentError, match=r"text.warc: no WARC file, or not a whole one"):
        list(read_recorded(text, lambda url: True))
    cut = write(tmp_path, gzip.compress(record(address(0), block(detail(0))))[:-40], name="cut.warc.gz")
    with pytest.raises(PermanentError, match=r"cut.warc.gz: no WARC file, or not a whole one"):
        list(read_recorded(cut, lambda url: True))
    with pytest.raises(PermanentError, match="no such file"):
        list(read_recorded(tmp_path / "none.warc", lambda url: True))
    assert archive.list_files() == []
