"""A file of many lines in, some thousands at a time; rows of numbers out, in memory that does not grow with either.

The lines are looked through before anything is loaded, so that a bad one is told at once, by its number.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from petitions.commands.archive import QUIET_S
from petitions.commands.export import replace_file
from petitions.errors import ConfigError, ParseError
from petitions.sources.lines import read_lines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

CHARACTERS = 2_000_000  # held at once: lines are few and long, or many and short

Item = TypeVar("Item")
Pair = tuple[str, str]


def read_texts(path: Path) -> Iterator[str]:
    """The lines of a file, each clean as a stored text is.

    Raises:
        ConfigError: it is no file, no UTF-8, or a line cannot be a text; the message has its number.
    """
    from petitions.text.normalize import normalize_text

    for number, line in enumerate(_read_file(path), start=1):
        try:
            yield normalize_text(line).text
        except ParseError as error:
            raise ConfigError(f"{path}, line {number}: {error}") from None


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file, a line each: the first text, a tab, the second.

    Raises:
        ConfigError: it is no file, no UTF-8, or a line has not exactly one tab; the message has its number.
    """
    for number, line in enumerate(_read_file(path), start=1):
        first, *others = line.split("\t")
        if len(others) != 1:
            raise ConfigError(f"{path}, line {number}: first, tab, second expected, got {len(others)} tabs")
        yield first, others[0]


def cut_batches(items: Iterable[Item], n_items: int) -> Iterator[list[Item]]:
    """As many items at once as are worth a call, no more characters than fit the memory; of none, one empty list."""
    held: list[Item] = []
    n_characters, is_first = 0, True
    for item in items:
        held.append(item)
        n_characters += sum(map(len, item)) if isinstance(item, tuple) else len(str(item))
        if len(held) == n_items or n_characters >= CHARACTERS:
            yield held
            held, n_characters, is_first = [], 0, False
    if held or is_first:
        yield held


def track(batches: Iterable[list[Item]], n_lines: int | None = None) -> Iterator[list[Item]]:
    """Go through batches; what takes long says how many lines are done, on a terminal or, with -v, in the log."""
    from rich.console import Console
    from rich.status import Status

    console, said, n_done = Console(stderr=True), time.monotonic(), 0
    with Status("", console=console) as status:
        status.stop()
        for batch in batches:
            yield batch
            n_done += len(batch)
            if (now := time.monotonic()) - said <= QUIET_S:
                continue
            told = f"{n_done} lines" if n_lines is None else f"{n_done} of {n_lines} lines"
            if console.is_terminal:
                status.update(told)
                status.start()
            else:
                logger.info("%s", told)
                said = now


def write_rows(
    read: Callable[[], Iterator[Item]],
    load: Callable[[], Callable[[list[Item]], "NDArray[np.float32]"]],
    output: Path,
    n_items: int,
) -> int:
    """Write a row of numbers for each item as `.npy`, float32, whole at the end or not at all; returns how many.

    Args:
        read: reads the items; it is called twice, the first time to count them and to refuse bad ones.
        load: then makes what turns items into float32 [N, ...].
        output: the file; only as many rows are held as are computed at once.
        n_items: computed at once.

    Raises:
        ConfigError: as `read` raises it, or the second time other items are read.
    """
    import numpy as np

    n_rows = sum(1 for _ in read())
    compute, n_written = load(), 0
    with replace_file(output, is_binary=True) as file:
        for batch in track(cut_batches(read(), n_items), n_rows):
            rows = np.ascontiguousarray(compute(batch), "<f4")  # [B, ...]
            if not file.tell():
                header = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, *rows.shape[1:])}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(rows.data)
            n_written += len(rows)
        if n_written != n_rows:
            raise ConfigError(f"the input had {n_rows} lines at first and {n_written} then: it changed meanwhile")
    return n_rows


def _read_file(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise ConfigError(f"--input must be a file, got {path}")
    return read_lines(path)
