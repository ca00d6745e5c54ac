"""The commands on the archive of raw answers: `petitions archive list|show|prune`."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

import click

from petitions.addresses import drop_login
from petitions.commands.console import print_rows
from petitions.commands.options import Group, any_source_option, json_option
from petitions.errors import ConfigError, PermanentError
from petitions.records import Source
from petitions.settings import Settings

if TYPE_CHECKING:
    from petitions.crawl.answer import Answer
    from petitions.crawl.archive import Archive

QUIET_S = 2.0  # so long nothing is said about progress

T = TypeVar("T")


@click.group(cls=Group)
def archive() -> None:
    """The raw answers of the sites, as they came but for personal data."""


@archive.command("list")
@any_source_option
@json_option
def list_(source: Source | None, as_json: bool) -> None:
    """Print files and bytes by source and day (UTC)."""
    settings = Settings.from_env()
    days = groupby(_open_archive(settings).list_files(source), key=lambda file: (file.source, file.seen_at.date()))
    sizes = {key: [file.n_bytes for file in files] for key, files in days}
    rows = [
        {"source": str(owner), "day": day, "n_files": len(found), "n_bytes": sum(found)}
        for (owner, day), found in sizes.items()
    ]
    print_rows(rows, as_json=as_json)


@archive.command()
@click.argument("url")
@click.option("--all", "is_all", is_flag=True, help="Print all answers, the oldest first.")
@json_option
def show(url: str, is_all: bool, as_json: bool) -> None:
    """Print the latest answer of URL, headers and body.

    URL may be the id at its end alone, or a reference to an answer as in the column artifact ("raw/...#123").

    Into a file or a pipe the body goes as it came; on a terminal, control characters are shown as escapes.
    """
    kept, url = _open_archive(Settings.from_env()), drop_login(url)
    references = [url] if url.startswith("raw/") else _find_answers(kept, url, is_all=is_all)
    if not references:
        raise PermanentError(f"the archive at {kept.store.url} has no answer of {url!r}")
    answers = ((reference, kept.read_answer(reference)) for reference in references)
    if as_json:
        rows = [_as_row(reference, answer) for reference, answer in answers]
        click.echo(escape(json.dumps(rows, ensure_ascii=False, indent=1)))
        return
    for reference, answer in answers:
        body = escape(answer.body.decode("utf-8", "replace")) if sys.stdout.isatty() else answer.body
        click.echo(f"{escape(_show_head(reference, answer))}\n")
        click.echo(body)


@archive.command()
@click.option("--before", required=True, help="First day (UTC) of which all is kept, YYYY-MM-DD.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Print what would go, and change nothing.")
def prune(before: str, is_dry_run: bool) -> None:
    """Delete answers from before a day, but none that a stored row was read from.

    Do not run it beside `petitions crawl --replay`.
    """
    from petitions.store.archive_pruning import list_old_files, prune_files
    from petitions.store.database import open_engine, require_schema

    try:
        day = date.fromisoformat(before)
    except ValueError:
        raise ConfigError(f"--before must be a date YYYY-MM-DD, got {before!r}") from None
    settings = Settings.from_env()
    kept = _open_archive(settings)
    files = list_old_files(kept, day, now=datetime.now(UTC))
    engine = open_engine(settings.database_url)
    require_schema(engine)
    pruned = [*prune_files(kept, engine, _track(files, "pruning"), is_dry_run=is_dry_run)]
    if is_dry_run:
        print_rows([asdict(file) for file in pruned])
    n_short = sum(file.kept_in != "" for file in pruned)
    click.echo(
        f"{len(files)} files from before {day}: {len(pruned) - n_short} {'would go' if is_dry_run else 'deleted'}, "
        f"{n_short} shortened to what is referred to, {sum(file.n_bytes_freed for file in pruned):,} bytes freed"
    )


def escape(text: str) -> str:
    r"""Control characters as \uXXXX, line ends and tabs aside: an answer must not steer a terminal. JSON stays JSON."""
    text = text.replace("\r\n", "\n")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _escape_letter(letter) for letter in text)


def _escape_letter(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


def _open_archive(settings: Settings) -> "Archive":
    from petitions.crawl.archive import Archive
    from petitions.store.artifacts import ArtifactStore

    return Archive(ArtifactStore(settings.artifacts))


def _find_answers(kept: "Archive", url: str, *, is_all: bool) -> list[str]:
    """References to all answers of a URL, or to the latest one: then files are read only down to it."""
    found: list[str] = []
    files = kept.list_files()
    files.sort(key=lambda file: file.seen_at, reverse=not is_all)
    for file in _track(files, "searching"):
        found += [reference for reference, _ in kept.find_url(url, [file])]
        if found and not is_all:
            return found[-1:]
    return found


def _show_head(reference: str, answer: "Answer") -> str:
    asked = [f"form: {name}={value}" for name, value in answer.form]
    kept = [f"{name}: {value}" for name, value in answer.headers]
    cut = ["(the body went on past the limit)"] if answer.is_cut else []
    first = [f"# {reference}", f"{answer.url}", *asked, f"fetched at {answer.fetched_at.isoformat()}"]
    return "\n".join([*first, f"status {answer.status}", *kept, *cut])


def _as_row(reference: str, answer: "Answer") -> dict[str, object]:
    return {
        "reference": reference,
        "url": answer.url,
        "form": dict(answer.form),
        "fetched_at": answer.fetched_at.isoformat(),
        "status": answer.status,
        "headers": answer.headers,
        "is_cut": answer.is_cut,
        "body": answer.body.decode("utf-8", "replace"),
    }


def _track(items: Sequence[T], verb: str) -> Iterator[T]:
    """Go through items, with a bar on a terminal when it takes long; what is printed meanwhile is not touched."""
    from rich.console import Console
    from rich.progress import Progress

    console, began = Console(stderr=True), time.monotonic()
    with Progress(
        console=console, transient=True, disable=not console.is_terminal, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task(verb, total=len(items), visible=False)
        for item in items:
            yield item
            progress.update(task, advance=1, visible=time.monotonic() - began > QUIET_S)


COMMANDS = (archive,)
