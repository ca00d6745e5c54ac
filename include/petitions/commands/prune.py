"""The command `petitions prune`: old fits go, with the folders in the artifact store that no fit names any more.

A fit's rows go in one transaction, and its folder after them; killed in between, the next call finds the folder.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from petitions.commands.console import print_rows
from petitions.commands.options import open_store
from petitions.errors import ConfigError
from petitions.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from petitions.store.artifacts import ArtifactStore
    from petitions.store.retention import OldFit

FITS = "topics"  # the folder of the folders of fits


def list_old(engine: "Engine", keep: int) -> list["OldFit"]:
    """List the fits that `prune_fits` would drop.

    Raises:
        ConfigError: `keep` is under 1.
    """
    from petitions.store.retention import list_old_fits

    if keep < 1:
        raise ConfigError(f"--keep must be at least 1, got {keep}")
    with engine.connect() as conn:
        return list_old_fits(conn, keep)


def prune_fits(engine: "Engine", keep: int) -> Iterator["OldFit"]:
    """Drop the rows of old fits, a transaction each; gives each fit that is dropped.

    Raises:
        ConfigError: `keep` is under 1.
        TransientError: a step of the pipeline is at work.
    """
    from petitions.store.retention import drop_fit

    for fit in list_old(engine, keep):
        with engine.begin() as conn:
            is_dropped = drop_fit(conn, fit.model_id, keep)
        if is_dropped:
            yield fit


def list_orphans(engine: "Engine", artifacts: "ArtifactStore", without: Sequence[str] = ()) -> list[str]:
    """List the folders of fits that no fit names, sorted.

    None in a database without any fit: there it is likelier that the wrong database is named.

    Args:
        engine: the results database.
        artifacts: where the folders are.
        without: model_ids of fits that count as gone already.

    Raises:
        TransientError: a step of the pipeline is at work; a fit writes its folder before its rows.
    """
    from petitions.store.retention import read_artifacts, refuse_at_work

    folders = {"/".join(name.split("/")[:2]) for name in artifacts.list(FITS) if name.count("/") >= 2}
    with engine.connect() as conn:  # after the folders: one that is listed is nobody's work, or its rows are there
        refuse_at_work(conn)
        named = read_artifacts(conn, without)
    return sorted(folders - named) if named else []


def delete_orphans(engine: "Engine", artifacts: "ArtifactStore") -> Iterator[str]:
    """Delete the folders of fits that no fit names; gives each.

    Raises:
        TransientError: a step of the pipeline is at work.
    """
    from petitions.store.retention import refuse_at_work

    for folder in list_orphans(engine, artifacts):
        with engine.connect() as conn:
            refuse_at_work(conn)
        for name in artifacts.list(folder):
            artifacts.delete(name)
        yield folder


@click.command()
@click.option("--keep", type=int, default=12, show_default=True, help="Fits of each source that stay, the latest.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Print what would go, and change nothing.")
def prune(keep: int, is_dry_run: bool) -> None:
    """Drop old fits and what belongs to them; never the published one.

    An old fit also stays while its run is not done, or where it gave the highest topic_id, so that no id is given
    twice. The folders of the artifact store must be of this database alone. Needs the rights of petition_writer.
    """
    from petitions.store.artifacts import ArtifactStore

    engine, artifacts = open_store(), ArtifactStore(Settings.from_env().artifacts)
    if is_dry_run:
        fits = list_old(engine, keep)
        folders = list_orphans(engine, artifacts, [fit.model_id for fit in fits])
    else:
        fits = [*prune_fits(engine, keep)]
        folders = [*delete_orphans(engine, artifacts)]
    rows = [{"what": "fit", "name": fit.model_id, "fitted_at": fit.fitted_at} for fit in fits]
    if rows or folders:
        print_rows([*rows, *({"what": "folder", "name": name, "fitted_at": None} for name in folders)])
    click.echo(f"{len(fits)} fits and {len(folders)} folders {'would go' if is_dry_run else 'deleted'}")


COMMANDS = (prune,)
