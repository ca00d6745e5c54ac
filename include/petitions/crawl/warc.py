"""Answers as WARC 1.0 records, one gzip member each, and back: any tool that knows WARC reads them.

The first record is a warcinfo with the moment of the file. A body that the file holds already becomes a revisit
record (6.7 of the standard), which names the digest of the body. Dates go down to the microsecond, as in WARC 1.1.
"""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from petitions.addresses import drop_login
from petitions.crawl.answer import Answer
from petitions.errors import PermanentError
from petitions.privacy import mask_bytes, mask_text

_FORM_HEADER = "X-Petitions-Form"  # what was posted: the pages of a list behind a POST share one URL
_DROPPED = frozenset({"set-cookie", "set-cookie2", "content-encoding", "content-length", "transfer-encoding"})
_WARC_INFO = {"software": "petition-topics", "format": "WARC File Format 1.0", "description": "personal data masked"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # a token, RFC 9110, 5.6.2
_PRINTABLE = "".join(map(chr, range(32, 127)))
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A WARC record; `about` are its own headers, `http` those of the answer."""

    kind: str
    offset: int
    n_bytes: int
    about: Any
    http: Any
    body: bytes

    @property
    def digest(self) -> str:
        """The digest of the body, the same for a record that refers to another one."""
        return str(self.about.get_header("WARC-Payload-Digest"))


class WarcFile:
    """Answers of one moment, masked and compressed in memory as they come."""

    def __init__(self, seen_at: datetime) -> None:
        self._origins: dict[str, tuple[str, str]] = {}  # URL and date of the first answer with a digest
        self._content = io.BytesIO()
        self._writer = WARCWriter(self._content, gzip=True)
        info = self._writer.create_warcinfo_record(None, _WARC_INFO)
        info.rec_headers.replace_header("WARC-Date", show_moment(seen_at))
        self._writer.write_record(info)

    def add(self, answer: Answer) -> int:
        """Put an answer behind the others; gives its offset."""
        offset = self._content.tell()
        body = mask_bytes(answer.body)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        url, fetched_at = _flatten(drop_login(answer.url)), show_moment(answer.fetched_at)
        about = {"WARC-Date": fetched_at}
        if answer.form:
            about[_FORM_HEADER] = urlencode(answer.form)
        if answer.is_cut:
            about["WARC-Truncated"] = "length"
        http = StatusAndHeaders(f"{answer.status} ", _keep_headers(answer), protocol="HTTP/1.1")
        if digest in self._origins:
            record = self._writer.create_revisit_record(
                url, digest, *self._origins[digest], http_headers=http, warc_headers_dict=about
            )
        else:
            self._origins[digest] = url, fetched_at
            about["WARC-Payload-Digest"] = digest
            record = self._writer.create_warc_record(
                url,
                "response",
                payload=io.BytesIO(body),
                length=len(body),  # without it warcio puts its own digest in the place of ours
                http_headers=http,
                warc_headers_dict=about,
            )
        self._writer.write_record(record)
        return offset

    def content(self) -> bytes:
        """The file so far."""
        return self._content.getvalue()


def _flatten(text: str) -> str:
    """One line: a line end in a header would begin another header, or the body."""
    return _CONTROLS.sub(" ", text)


def _keep_headers(answer: Answer) -> list[tuple[str, str]]:
    """The headers to keep, masked, in printable ASCII; one whose name is no name is dropped."""
    return [
        (name, quote(_flatten(mask_text(drop_login(value))), safe=_PRINTABLE, errors="replace").strip())
        for name, value in answer.headers
        if _HEADER_NAME.fullmatch(name) and name.lower() not in _DROPPED
    ]


def show_moment(moment: datetime) -> str:
    """A moment as WARC writes it, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_records(path: str, content: bytes, offset: int = 0) -> Iterator[Record]:
    """Read the records of a file from an offset on; `path` is for messages.

    Raises:
        PermanentError: it is no WARC file.
    """
    stream = io.BytesIO(content)
    stream.seek(offset)
    records = ArchiveIterator(stream)
    try:
        for record in records:
            body = record.content_stream().read()  # before the offset is asked for, which skips it
            yield Record(
                kind=record.rec_type,
                offset=records.get_record_offset(),
                n_bytes=records.get_record_length(),
                about=record.rec_headers,
                http=record.http_headers,
                body=body,
            )
    except (ArchiveLoadFailed, AttributeError) as error:  # the second one for a record without a URL
        raise PermanentError(f"{path}: no WARC file: {error}") from None


def read_answers(path: str, content: bytes, records: Iterator[Record]) -> Iterator[tuple[str, Answer]]:
    """Make answers, with their references, of the records of a file that come after the warcinfo.

    Raises:
        PermanentError: a record is no answer.
    """
    origins: dict[str, int] = {}
    for record in records:
        body = record.body
        if record.kind == "revisit" and record.digest in origins:
            body = next(read_records(path, content, origins[record.digest])).body
        elif record.kind == "response":
            origins[record.digest] = record.offset
        else:
            raise PermanentError(f"{path}: a record at {record.offset} must be an answer, found {record.kind}")
        try:
            answer = _make_answer(record, body)
        except (AttributeError, TypeError, ValueError) as error:  # a header is missing, or no number, or no date
            raise PermanentError(f"{path}: the record at {record.offset} is none of ours: {error}") from None
        yield f"{path}#{record.offset}", answer


def _make_answer(record: Record, body: bytes) -> Answer:
    return Answer(
        url=drop_login(record.about.get_header("WARC-Target-URI")),  # older files hold some
        form=tuple(parse_qsl(record.about.get_header(_FORM_HEADER) or "", keep_blank_values=True)),
        status=int(record.http.get_statuscode()),
        headers=tuple(record.http.headers),
        body=body,
        is_cut=record.about.get_header("WARC-Truncated") is not None,
        fetched_at=datetime.fromisoformat(record.about.get_header("WARC-Date")),
    )
