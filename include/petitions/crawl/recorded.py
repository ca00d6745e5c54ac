"""Answers that another tool recorded: WARC files by wget, warcio, browsertrix and others, or a WACZ; in, their paths.

What WARC leaves open differs from tool to tool, and all of it is read: one gzip member a record, one for the whole
file, or none; the body as it was sent (chunked, packed by gzip or deflate) or as it was unpacked, whatever the headers
say; status lines of HTTP/2; names of headers in any case; addresses in angle brackets (wget); revisit records, whose
body an earlier record has; and records of other hosts, of requests and of metadata, which are passed over.
"""

import gzip
import logging
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from petitions.addresses import drop_login
from petitions.crawl.answer import Answer
from petitions.crawl.policy import MAX_BODY_BYTES
from petitions.errors import PermanentError

logger = logging.getLogger(__name__)

STATUSES = frozenset({200, 404, 410})
_MOST_RECORD_BYTES = 2 * MAX_BODY_BYTES
_LONGEST_MESSAGE = 200
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\s*(?:;[^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_GZIP, _ZLIB, _DEFLATE = b"\x1f\x8b", zlib.MAX_WBITS, -zlib.MAX_WBITS
_REFERS_TO = "WARC-Refers-To-Target-URI"
_PACKED = ("br", "zstd")  # that nothing here can unpack


def read_recorded(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[Answer]:
    """Read the answers of a file to addresses that are wanted, in the order in which they stand there.

    Args:
        path: a WARC file, packed or not, or a WACZ.
        is_wanted: of an address.

    Raises:
        PermanentError: there is no such file, or it is no WARC.
    """
    passed_over = Counter[str]()
    bodies: dict[str, bytes] = {}  # by digest, of what is wanted
    for name, opened in _open_parts(path):
        with opened as stream:
            try:
                for record in _read_records(stream):
                    answer = _read_answer(record, is_wanted, bodies, passed_over)
                    if answer is not None:
                        yield answer
            except (ArchiveLoadFailed, EOFError, zlib.error, gzip.BadGzipFile) as error:
                told = " ".join(str(error).split())[:_LONGEST_MESSAGE]
                raise PermanentError(f"{name}: no WARC file, or not a whole one: {told}") from None
    for reason, n_records in passed_over.items():
        logger.warning("%s: %d recorded answers passed over: %s", path, n_records, reason)


def _open_parts(path: Path) -> Iterator[tuple[str, Any]]:
    """The WARC files of a path: itself, or those in a WACZ."""
    if not path.is_file():
        raise PermanentError(f"{path}: no such file")
    if not zipfile.is_zipfile(path):
        yield str(path), path.open("rb")
        return
    with zipfile.ZipFile(path) as packed:
        names = sorted(name for name in packed.namelist() if name.endswith((".warc", ".warc.gz")))
        if not names:
            raise PermanentError(f"{path}: a zip without a WARC file in it")
        for name in names:
            yield f"{path}: {name}", packed.open(name)


def _read_records(stream: BinaryIO) -> Iterator[Any]:
    """The records, their HTTP part left as it is; of a file that is one gzip member as of one of many."""
    head = stream.read(2)
    stream.seek(0)
    # Unpacked at once: warcio refuses a member of more than a record.
    with _WholeGzip(fileobj=stream) if head == _GZIP else nullcontext(stream) as plain:
        for record in ArchiveIterator(plain, no_record_parse=True):
            if record.format != "warc":  # it takes any line of five words for the head of an ARC
                raise ArchiveLoadFailed("it begins as none")
            yield record


class _WholeGzip(gzip.GzipFile):
    """A packed file; one that was cut is told, where warcio would take it for one that ends."""

    def read(self, size: int | None = -1) -> bytes:
        try:
            return super().read(size)
        except EOFError as error:
            raise ArchiveLoadFailed(f"it is cut: {error}") from None


def _read_answer(
    record: Any, is_wanted: Callable[[str], bool], bodies: dict[str, bytes], passed_over: Counter[str]
) -> Answer | None:
    about = record.rec_headers
    url = drop_login((about.get_header("WARC-Target-URI") or "").strip("<>"))
    if record.rec_type not in ("response", "revisit") or not is_wanted(url):
        return None
    block = record.raw_stream.read(_MOST_RECORD_BYTES)
    if len(block) < min(record.length or 0, _MOST_RECORD_BYTES):
        raise EOFError(f"the record of {url} is cut")
    status, headers, body, is_whole = _split_http(block)
    names = [str(about.get_header(name) or "").strip("<>") for name in ("WARC-Payload-Digest", _REFERS_TO)]
    if record.rec_type == "revisit":
        known = next((bodies[name] for name in names if name in bodies), None)
        if known is None:
            passed_over["what they revisit is not in the file"] += 1
            return None
        status, body, is_whole = 200 if status in (0, 304) else status, known, True
    moment = _read_moment(str(about.get_header("WARC-Date") or ""))
    if status not in STATUSES or not is_whole or moment is None:
        passed_over["no date" if moment is None else f"status {status}" if is_whole else "packed by br or zstd"] += 1
        return None
    bodies |= {name: body for name in (url, names[0]) if name}
    is_cut = about.get_header("WARC-Truncated") is not None or len(body) > MAX_BODY_BYTES
    answer = Answer(url=url, status=status, headers=headers, body=body[:MAX_BODY_BYTES], fetched_at=moment)
    return replace(answer, is_cut=is_cut)


def _split_http(block: bytes) -> tuple[int, tuple[tuple[str, str], ...], bytes, bool]:
    """Status, headers and body of an HTTP message; the last tells whether the body could be unpacked."""
    line = _STATUS_LINE.match(block)
    end = _HEAD_END.search(block) if line else None
    if not line:
        return 0, (), b"", True
    head = block[: end.start()] if end else block
    pairs = [part.partition(b":") for part in head.splitlines()[1:]]
    headers = tuple((name.decode("latin-1").strip(), value.decode("latin-1").strip()) for name, _, value in pairs)
    told = {name.lower(): value.lower() for name, value in headers}
    body = block[end.end() :] if end else b""
    if "chunked" in told.get("transfer-encoding", ""):
        body = _join_chunks(body)
    encoding = told.get("content-encoding", "")
    unpacked = _unpack(body, encoding)
    return int(line[1]), headers, unpacked, encoding not in _PACKED or _is_text(unpacked)


def _join_chunks(body: bytes) -> bytes:
    """A chunked body in one piece; one that a tool joined already, and left the header, as it is."""
    chunks, place = list[bytes](), 0
    while found := _CHUNK_SIZE.match(body, place):
        size = int(found[1], 16)
        if not size:
            return b"".join(chunks)
        chunks.append(body[found.end() : found.end() + size])
        place = found.end() + size
        place += 2 if body[place : place + 2] == b"\r\n" else body[place : place + 1] == b"\n"
    return b"".join(chunks) if chunks and place >= len(body) else body


def _unpack(body: bytes, encoding: str) -> bytes:
    """A packed body; one that a tool unpacked already, and left the header, as it is."""
    tries = [16 + zlib.MAX_WBITS] if body[:2] == _GZIP else [_ZLIB, _DEFLATE] if encoding == "deflate" else []
    for window in tries:
        try:
            return zlib.decompressobj(window).decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
    return body


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_moment(text: str) -> datetime | None:
    """A moment of WARC, with any digits behind the second."""
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
