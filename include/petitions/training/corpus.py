"""Text to pre-train on: files in, one normalized and masked document at a time out."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from petitions.errors import ConfigError
from petitions.privacy import mask_text
from petitions.sources.lines import read_lines

SUFFIXES = (".jsonl", ".jsonl.gz", ".tsv.gz", ".txt")
FIELDS = ("title", "content", "text")  # of a row of JSON, in the order that they are read
NSMC_COLUMNS = ("review_id", "movie_id", "date", "rating", "review")  # the raw reviews come without a header

# Put in by the Blue House's moderators: boilerplate that a model would learn by heart.
MODERATION_NOTICE = re.compile(r"\[\s*본 게시물의 일부 내용이[^\]]*\]")


def read_corpus(paths: Iterable[Path]) -> Iterator[str]:
    """Read documents in the order of the files, in NFC and with personal data masked; empty ones are left out.

    Args:
        paths: `.jsonl` or `.jsonl.gz` (a document is its `title`, where there is one, a line break and its `content`
            or `text`; a title alone will do), `.tsv.gz` of reviews as NSMC has them (a document is the column
            `review`), or `.txt` (a line each).

    Raises:
        ConfigError: a file that is missing, none of these kinds, no UTF-8, cut, or without the expected keys or
            columns.
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
        for text in _split_documents(path):
            document = MODERATION_NOTICE.sub("", unicodedata.normalize("NFC", text))
            if document := mask_text(document).strip():
                yield document


def _split_documents(path: Path) -> Iterator[str]:
    if path.name.endswith(".txt"):
        yield from read_lines(path)
    elif path.name.endswith(".tsv.gz"):
        yield from _read_reviews(path)
    else:
        for number, line in enumerate(read_lines(path), start=1):
            try:
                yield _join_fields(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ConfigError(f"{path}, line {number}: no title, content or text ({error!r})") from error


def _join_fields(row: Mapping[str, Any]) -> str:
    fields = [row[name] for name in FIELDS if name in row]
    if not fields:
        raise KeyError(*FIELDS)
    return "\n".join(fields)


def _read_reviews(path: Path) -> Iterator[str]:
    for number, line in enumerate(read_lines(path), start=1):
        row = line.split("\t")  # a quotation mark is one; a carriage return ends a row to the module csv
        if len(row) != len(NSMC_COLUMNS):
            raise ConfigError(f"{path}, line {number}: {len(NSMC_COLUMNS)} columns expected, got {len(row)}")
        if row[-1] != NSMC_COLUMNS[-1]:  # the published train and test files do have a header
            yield row[-1]
