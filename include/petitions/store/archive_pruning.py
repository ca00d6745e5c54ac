"""Old files out of the archive, but never an answer that a row was read from.

For each file: what is left of it is written under a new name, then the rows move over in one transaction, then the old
file goes. Killed in between and run again, it comes to the same end: the new file's name is its content's, no row
refers to it until all do, and a file to which none refers is deleted. Not to be run beside a replay, which writes
references to old files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from petitions.crawl.archive import Archive, ArchiveFile
from petitions.errors import ConfigError
from petitions.store.references import move_references, read_references

# A file that a crawl wrote a moment ago may not be in the database yet.
KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """A file from which answers go. `kept_in` is where the others are, empty where none is needed."""

    path: str
    n_bytes_freed: int
    kept_in: str = ""


def list_old_files(archive: Archive, before: date, *, now: datetime) -> list[ArchiveFile]:
    """List the files of all sources from before a day (UTC).

    Raises:
        ConfigError: the day is too near.
    """
    latest = (now - KEPT_FOR).astimezone(UTC).date()
    if before > latest:
        raise ConfigError(f"--before must be {latest} or earlier, since a crawl may still be at work, got {before}")
    return [file for file in archive.list_files() if file.seen_at.date() < before]


def prune_files(
    archive: Archive, engine: Engine, files: Iterable[ArchiveFile], *, is_dry_run: bool = False
) -> Iterator[Pruned]:
    """Delete from files of the archive the answers that no row refers to.

    Args:
        archive: where the files are.
        engine: the results database whose rows count.
        files: what `list_old_files` gave.
        is_dry_run: tell what would go, and change nothing.

    Yields:
        After it is done: each file that goes or becomes shorter, with the bytes that are free then.

    Raises:
        ConfigError: no row refers to the archive at all, so that everything would go.
        PermanentError: a file of which a part has to stay is damaged, or lacks an answer that a row refers to; it is
            left as it is.
    """
    with engine.connect() as conn:
        references = read_references(conn)
    if not references:
        raise ConfigError("no row refers to the archive, so that nothing of it would stay: is this the right database?")
    for file in files:
        referred = references.get(file.path, set())
        kept = archive.excerpt(file.path, referred) if referred else None
        if kept and kept.path == file.path:
            continue
        if kept and not is_dry_run:
            archive.store.write(kept.path, kept.content)
            with engine.begin() as conn:
                move_references(conn, kept.moved)
            references[kept.path] = set(kept.moved.values())  # where the listing has it already, from a killed run
        if not is_dry_run:
            archive.store.delete(file.path)
        n_left = len(kept.content) if kept else 0
        yield Pruned(path=file.path, n_bytes_freed=file.n_bytes - n_left, kept_in=kept.path if kept else "")
