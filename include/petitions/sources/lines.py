"""Lines, wherever they are read: one ends with a line feed, or a carriage return and a line feed, and nothing else.

`str.splitlines` ends a line at U+2028, U+0085, a vertical tab, a form feed and three separators as well, and a file
opened as text ends it at a lone carriage return too: rows are then others than those of the program that wrote them.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from petitions.errors import ConfigError

_MARK = "\ufeff"  # that some editors write at the begin of a file


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends; an empty text has none."""
    *ended, rest = text.split("\n")
    lines = [line.removesuffix("\r") for line in ended]
    return [*lines, rest] if rest else lines


def read_lines(path: Path) -> Iterator[str]:
    """Read the lines of a file in UTF-8, one that ends in `.gz` through gzip, without their ends and a byte-order mark.

    Raises:
        ConfigError: the file is no UTF-8, or a gzip that is damaged or was cut.
    """
    with _open(path) as file:
        number = 0
        try:
            for number, line in enumerate(file, 1):  # noqa: B007 - told where reading breaks off
                text = line.decode("utf-8")
                text = text[:-1].removesuffix("\r") if text.endswith("\n") else text
                yield text.removeprefix(_MARK) if number == 1 else text
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}, line {number}: byte {error.start + 1} is no UTF-8: save it as UTF-8") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ConfigError(f"{path}, after line {number}: the gzip is damaged or was cut ({error})") from None


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
