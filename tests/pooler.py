"""A real PgBouncer in front of a test's Postgres."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
START_S = 10
CONFIG = """\
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
"""


@contextmanager
def run_pooler(database_url: str, **settings: str | int) -> Iterator[str]:
    """Run one, with such settings as `pool_mode`, before a database; gives the address of the database through it."""
    if not PGBOUNCER:
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")
    url = make_url(database_url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own_port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer", dir="/tmp"))
    folder.chmod(0o755)
    config = CONFIG.format(
        host=url.host or url.query["host"], port=url.port or url.query.get("port", 5432), own_port=own_port
    )
    config += "".join(f"{name} = {value}\n" for name, value in settings.items())
    (folder / "pgbouncer.ini").write_text(config)
    command = [PGBOUNCER, "-q", *(["-u", "nobody"] if not os.geteuid() else []), str(folder / "pgbouncer.ini")]
    try:
        with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                _wait_until_up(own_port, process, folder / "log")
                yield URL.create("postgresql", "someone", None, "127.0.0.1", own_port, url.database).render_as_string()
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder)


def _wait_until_up(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"PgBouncer did not come up: {log.read_text()}")
