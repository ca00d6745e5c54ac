"""The command psql on the results database: which one of the machine, and how it is told where to go."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from petitions.errors import ConfigError
from petitions.store.embedded import LOCAL, find_tool, find_url
from petitions.store.session import write_options

PLAIN = ("disable", "allow", "prefer")  # what may go without SSL


def run_psql(database_url: str, arguments: Sequence[str], local: Path = LOCAL, *, is_owner: bool = False) -> int:
    """Run psql on the results database, and give its exit status; the password does not stand in its command line.

    On the embedded server, whose only login may do everything, the session reads alone, as petition_reader, unless it
    is to be the owner's; on another one it may what the login in the URL may.

    Raises:
        ConfigError: no psql that will do, or a URL that is no URL of Postgres.
        DatabaseDownError: the embedded server does not start.
    """
    url = find_url(database_url, local)
    psql = choose_psql(url) if database_url else str(find_tool("psql"))
    _, where = PGDialect_psycopg().create_connect_args(url)  # type: ignore[no-untyped-call]
    settings = {"search_path": "petitions,public"}
    if not database_url and not is_owner:
        settings["role"] = "petition_reader"
    environ = os.environ | {"PGOPTIONS": write_options(settings)}
    if password := where.pop("password", None):
        environ["PGPASSWORD"] = password
    command = [psql, make_conninfo(**where), *arguments]
    return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603 the caller's own


def choose_psql(url: URL) -> str:
    """The machine's own psql, else the one of the wheel, which knows no SSL.

    Raises:
        ConfigError: there is only that one, and the URL or PGSSLMODE asks for SSL.
    """
    if psql := shutil.which("psql"):
        return psql
    mode = url.query.get("sslmode") or os.environ.get("PGSSLMODE") or PLAIN[-1]
    bundled = find_tool("psql")
    if mode in PLAIN and bundled.exists():
        return str(bundled)
    raise ConfigError(f"no psql here can do sslmode={mode}: apt-get install postgresql-client")
