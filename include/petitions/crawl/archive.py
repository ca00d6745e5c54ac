"""The archive of raw answers: WARC files in the artifact store, one file a batch, one gzip member an answer.

A file is raw/<source>/<day>/<time>-<SHA-256 of its content>.warc.gz, day and time (UTC, to the microsecond) being the
batch's moment: the order of the names is the order in time, and a file that was damaged is found out. A reference is
"path#offset" of an answer's record.

The archive is masked: phone numbers, e-mail addresses, resident numbers and the petitioner's name are gone before
anything is written (petitions.privacy.mask_bytes), and cookies are dropped. Bodies are kept decompressed inside the
gzip members, in UTF-8 as they came; one that a file holds already is kept once.
"""

import hashlib
import io
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol

from petitions.crawl.answer import Answer
from petitions.crawl.warc import WarcFile, read_answers, read_records, show_moment
from petitions.errors import PermanentError
from petitions.records import Source

logger = logging.getLogger(__name__)

_PATH = re.compile(r"raw/([a-z][a-z0-9_]{0,31})/(\d{4}-\d\d-\d\d)/(\d{12})-([0-9a-f]{64})\.warc\.gz", re.ASCII)
_MOMENT_IN_PATH = "%Y-%m-%d/%H%M%S%f"


class Files(Protocol):
    """Files by name, such as the artifact store: one is there whole or not at all."""

    @property
    def url(self) -> str:
        """Where they are, for messages."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file, in the place of one of that name."""

    def read(self, path: str) -> bytes:
        """Read a file."""

    def sizes(self, prefix: str = "") -> Mapping[str, int]:
        """The bytes of each file by its path, of those under a folder."""

    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """One file of the archive, as its name tells it."""

    path: str
    source: Source
    seen_at: datetime
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A file with some of the answers of another one. `moved` maps their references there to those here."""

    path: str
    content: bytes
    moved: dict[str, str]


class ArchiveBatch:
    """Answers on their way into one file: compressed in memory as they come, on disk when the block ends.

    The file is written also where the block ends by an error: what was answered so far tells what went wrong.
    """

    def __init__(self, store: Files, source: Source, seen_at: datetime) -> None:
        self.seen_at = seen_at
        self._store, self._source = store, source
        self._file, self._offsets, self._path = WarcFile(seen_at), list[int](), ""

    def __enter__(self) -> "ArchiveBatch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._offsets:
            content = self._file.content()
            path = _name_file(self._source, self.seen_at, content)
            self._store.write(path, content)
            self._path = path

    def add(self, answer: Answer) -> int:
        """Mask an answer and put it behind the others; gives its number, to ask for its reference later."""
        self._offsets.append(self._file.add(answer))
        return len(self._offsets) - 1

    def reference(self, number: int) -> str:
        """Tell where an answer is, once the block has ended."""
        if not self._path:
            raise RuntimeError("an answer has a reference when its batch is written, not before")
        return f"{self._path}#{self._offsets[number]}"


class Archive:
    """Raw answers under raw/<source>/<day>/ of an artifact store."""

    def __init__(self, store: Files) -> None:
        self.store = store

    def open_batch(self, source: Source, *, at: datetime) -> ArchiveBatch:
        """Begin a file for the answers of one batch; `at` becomes the moment at which all of it was seen."""
        return ArchiveBatch(self.store, source, at)

    def list_files(self, source: Source | None = None) -> list[ArchiveFile]:
        """List the files of a source, or of all, in the order of time within a source; none is read."""
        files, strange = [], []
        for path, n_bytes in self.store.sizes(f"raw/{source}" if source else "raw").items():
            try:
                owner, seen_at, _ = _parse_path(path)
            except PermanentError:
                strange.append(path)
            else:
                files.append(ArchiveFile(path=path, source=owner, seen_at=seen_at, n_bytes=n_bytes))
        if strange:
            logger.warning("%d files of raw/ are not named as the archive's are, such as %s", len(strange), strange[0])
        return files

    def read_file(self, path: str) -> tuple[datetime, Iterator[tuple[str, Answer]]]:
        """Read when a file's answers were seen, and the answers with their references, in the order they came.

        Raises:
            PermanentError: there is no such file, or it is not as it was written.
        """
        _, seen_at, _ = _parse_path(path)
        content = self._read_content(path)
        records = read_records(path, content)
        first = next(records, None)
        if first is None or first.kind != "warcinfo" or first.about.get_header("WARC-Date") != show_moment(seen_at):
            raise PermanentError(f"{path}: the file must begin with a warcinfo record of {show_moment(seen_at)}")
        return seen_at, read_answers(path, content, records)

    def read_answer(self, reference: str) -> Answer:
        """Read one answer back, masked as it is kept; reads its whole file.

        Raises:
            PermanentError: no such file, no answer at that offset, or the file is not as it was written.
        """
        _, answers = self.read_file(reference.partition("#")[0])
        for found, answer in answers:
            if found == reference:
                return answer
        raise PermanentError(f"no answer in the archive at {reference!r}")

    def find_url(self, url: str, files: Iterable[ArchiveFile]) -> Iterator[tuple[str, Answer]]:
        """Find the answers to a URL, or to any URL that ends in "/" and what is given, in the order of the files.

        Reads every file whole, at about a second for 15,000 answers: give as few as you can.
        """
        ending = f"/{url}" if "/" not in url else None
        for file in files:
            for reference, answer in self.read_file(file.path)[1]:
                if answer.url == url or (ending and answer.url.endswith(ending)):
                    yield reference, answer

    def excerpt(self, path: str, references: Collection[str]) -> Excerpt:
        """Take some answers out of a file, byte by byte as they are, into one of the same moment; writes nothing.

        An answer whose body another one holds brings that one along. All answers give the same file again.

        Raises:
            PermanentError: no such file, it is not as it was written, or no answer is where a reference says.
        """
        source, seen_at, _ = _parse_path(path)
        content = self._read_content(path)
        places: list[tuple[int, int]] = []  # offset and bytes of each record
        origins: dict[str, int] = {}
        kept = {0}  # the warcinfo record
        for record in read_records(path, content):
            places.append((record.offset, record.n_bytes))
            origins.setdefault(record.digest, record.offset)
            if f"{path}#{record.offset}" in references:
                kept |= {record.offset, origins[record.digest]}
        taken, offsets = io.BytesIO(), {}
        for offset, n_bytes in places:
            if offset in kept:
                offsets[offset] = taken.tell()
                taken.write(content[offset : offset + n_bytes])
        new_path = _name_file(source, seen_at, taken.getvalue())
        moved = {f"{path}#{old}": f"{new_path}#{new}" for old, new in offsets.items() if old}
        for reference in set(references) - moved.keys():
            raise PermanentError(f"no answer in the archive at {reference!r}, to which a row refers")
        return Excerpt(path=new_path, content=taken.getvalue(), moved=moved)

    def _read_content(self, path: str) -> bytes:
        """Read a file and compare it with the digest in its name."""
        content, digest = self.store.read(path), _parse_path(path)[2]
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise PermanentError(
                f"{path} is damaged: the SHA-256 of its {len(content)} bytes is {found[:12]}..., not as its name tells"
            )
        return content


def _name_file(source: Source, seen_at: datetime, content: bytes) -> str:
    moment = seen_at.astimezone(UTC).strftime(_MOMENT_IN_PATH)
    return f"raw/{source}/{moment}-{hashlib.sha256(content).hexdigest()}.warc.gz"


def _parse_path(path: str) -> tuple[Source, datetime, str]:
    """Read source, moment and SHA-256 from the name of a file."""
    named = _PATH.fullmatch(path)
    try:
        if named is None:
            raise ValueError(path)
        source, day, time, digest = named.groups()
        return Source(source), datetime.strptime(f"{day}/{time}+0000", f"{_MOMENT_IN_PATH}%z"), digest
    except ValueError:
        raise PermanentError(f"{path!r} does not name a file of the archive") from None
