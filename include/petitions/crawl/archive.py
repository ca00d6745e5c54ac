"""The archive of raw answers: WARC files in the artifact store, one file a batch, one gzip member an answer.

The archive is masked: phone numbers, e-mail addresses, resident numbers and the petitioner's name are gone before
anything is written (petitions.privacy.mask_bytes), and cookies are dropped. Bodies are kept decompressed inside the
gzip members, in UTF-8 as they came. A reference is "path#offset" of the answer's record.
"""

import io
import secrets
from datetime import UTC, date, datetime
from types import TracebackType
from urllib.parse import parse_qsl, urlencode

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from petitions.crawl.answer import Answer
from petitions.errors import PermanentError
from petitions.privacy import mask_bytes, mask_text
from petitions.records import Source
from petitions.store.artifacts import ArtifactStore

_FORM_HEADER = "X-Petitions-Form"  # what was posted: the pages of a list behind a POST share one URL
_DROPPED = frozenset({"set-cookie", "set-cookie2", "content-encoding", "content-length", "transfer-encoding"})
_WARC_INFO = {"software": "petition-topics", "format": "WARC File Format 1.0", "description": "personal data masked"}


class ArchiveBatch:
    """Answers on their way into one file: compressed in memory as they come, on disk when the block ends.

    The file is written also where the block ends by an error: what was answered so far tells what went wrong.
    """

    def __init__(self, store: ArtifactStore, folder: str) -> None:
        self._store = store
        self._path = f"{folder}/{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(6)}.warc.gz"
        self._n_answers = 0
        self._content = io.BytesIO()
        self._writer = WARCWriter(self._content, gzip=True)
        self._writer.write_record(self._writer.create_warcinfo_record(None, _WARC_INFO))

    def __enter__(self) -> "ArchiveBatch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._n_answers:
            self._store.write(self._path, self._content.getvalue())

    def add(self, answer: Answer) -> str:
        """Mask an answer and put it behind the others; gives its reference, good once the block has ended."""
        offset = self._content.tell()
        kept = [(name, mask_text(value)) for name, value in answer.headers if name.lower() not in _DROPPED]
        about = {"WARC-Date": answer.fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        if answer.form:
            about[_FORM_HEADER] = urlencode(answer.form)
        if answer.is_cut:
            about["WARC-Truncated"] = "length"
        record = self._writer.create_warc_record(
            answer.url,
            "response",
            payload=io.BytesIO(mask_bytes(answer.body)),
            http_headers=StatusAndHeaders(f"{answer.status} ", kept, protocol="HTTP/1.1"),
            warc_headers_dict=about,
        )
        self._writer.write_record(record)
        self._n_answers += 1
        return f"{self._path}#{offset}"


class Archive:
    """Raw answers under raw/<source>/<until>/ of an artifact store."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def open_batch(self, source: Source, until: date) -> ArchiveBatch:
        """Begin a file for the answers of one batch."""
        return ArchiveBatch(self._store, f"raw/{source}/{until}")

    def read_answer(self, reference: str) -> Answer:
        """Read one answer back, masked as it is kept.

        Raises:
            PermanentError: no such file, or no answer at that offset.
        """
        path, _, offset = reference.partition("#")
        content = self._store.read(path)
        stream = io.BytesIO(content[int(offset) :] if offset.isdigit() else b"")
        try:
            record = next(iter(ArchiveIterator(stream)), None)
        except ArchiveLoadFailed:
            record = None
        if record is None or record.rec_type != "response" or record.http_headers is None:
            raise PermanentError(f"no answer in the archive at {reference!r}")
        about = record.rec_headers
        return Answer(
            url=about.get_header("WARC-Target-URI"),
            form=tuple(parse_qsl(about.get_header(_FORM_HEADER) or "", keep_blank_values=True)),
            status=int(record.http_headers.get_statuscode()),
            headers=tuple(record.http_headers.headers),
            body=record.content_stream().read(),
            is_cut=about.get_header("WARC-Truncated") is not None,
            fetched_at=datetime.fromisoformat(about.get_header("WARC-Date")),
        )
