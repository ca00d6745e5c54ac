"""A folder that is written whole or not at all: who is killed meanwhile leaves the old one in its place."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from petitions.errors import ConfigError

_AT_FDCWD, _EXCHANGE = -100, 2


@contextmanager
def write_folder(output: Path, mark: str) -> Iterator[Path]:
    """Give an empty folder to be filled, which takes the place of `output` at the end.

    Args:
        output: the folder; one that is there is replaced where it holds `mark`, so that no other folder is lost.
        mark: a file that is written into it.

    Raises:
        ConfigError: `output` is there, and is none of ours.
    """
    output = output.resolve()
    if output.exists() and not (output / mark).is_file() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"{output} is there, and no folder that this command has written: name another one")
    unfinished = output.with_name(f".{output.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)  # of one who was killed
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for kept in unfinished.glob(".*"):  # an engine's export, named after the unfinished folder
            kept.unlink()
        if output.exists():
            _exchange(unfinished, output)
        else:
            unfinished.rename(output)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places at once (Linux); where the file system cannot, one after the other."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename and rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return
    aside = other.with_name(f".{other.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    other.rename(aside)
    one.rename(other)
    shutil.rmtree(aside)
