"""Text to pre-train on: files in, one normalized and masked document at a time out."""

import csv
import gzip
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from petitions.errors import ConfigError
from petitions.privacy import mask_text

SUFFIXES = (".jsonl", ".jsonl.gz", ".tsv.gz", ".txt")
NSMC_COLUMNS = ("review_id", "movie_id", "date", "rating", "review")  # the raw reviews come without a header

# Put in by the Blue House's moderators: boilerplate that a model would learn by heart.
MODERATION_NOTICE = re.compile(r"\[\s*본 게시물의 일부 내용이[^\]]*\]")


def read_corpus(paths: Iterable[Path]) -> Iterator[str]:
    """Read documents in the order of the files, in NFC and with personal data masked; empty ones are left out.

    Args:
        paths: `.jsonl` or `.jsonl.gz` of petitions (a document is the title, a line break and the content),
            `.tsv.gz` of reviews as NSMC has them (a document is the column `review`), or `.txt` (a line each).

    Raises:
        ConfigError: a file that is missing, none of these kinds, or without the expected keys or columns.
    """
    paths = list(paths)
    for path in paths:
        if not path.name.endswith(SUFFIXES):
            raise ConfigError(f"a corpus file must end in {', '.join(SUFFIXES)}, got {path}")
        if not path.is_file():
            raise ConfigError(f"no such corpus file: {path}")
    return _read_documents(paths)


def _read_documents(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        with _open_text(path) as file:
            for text in _split_documents(path, file):
                document = MODERATION_NOTICE.sub("", unicodedata.normalize("NFC", text))
                if document := mask_text(document).strip():
                    yield document


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _split_documents(path: Path, file: TextIO) -> Iterator[str]:
    if path.name.endswith(".txt"):
        yield from file
    elif path.name.endswith(".tsv.gz"):
        yield from _read_reviews(path, file)
    else:
        for number, line in enumerate(file, start=1):
            try:
                petition = json.loads(line)
                yield f"{petition['title']}\n{petition['content']}"
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(f"{path}, line {number}: no title and content ({error!r})") from error


def _read_reviews(path: Path, file: TextIO) -> Iterator[str]:
    for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
        if len(row) != len(NSMC_COLUMNS):
            raise ConfigError(f"{path}, line {number}: {len(NSMC_COLUMNS)} columns expected, got {len(row)}")
        if row[-1] != NSMC_COLUMNS[-1]:  # the published train and test files do have a header
            yield row[-1]
