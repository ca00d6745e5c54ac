"""What a client holds whose machine is lost: the server notices within two minutes. One that stands still keeps it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from far_machine import run_far_machine, run_open_server
from invented import WINDOW
from petitions.errors import TransientError
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine, upgrade
from petitions.store.pace import SharedPace
from petitions.store.psql import run_psql
from petitions.store.session import describe_session

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SITE = "http://site.test"
NOTICED_WITHIN_S = 120
HOLD = """
import sys, threading, time
from sqlalchemy import text
from store.test_lost_clients import open_run
from petitions.store.database import open_engine
from petitions.store.pace import SharedPace

engine, name = open_engine(sys.argv[1]), sys.argv[2]

def run(statement):
    with engine.connect() as conn:
        conn.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": statement})
        conn.execute(text(statement))

with open_run(engine).step(name):
    if name == "far":
        for statement in ("SELECT pg_sleep(900)", "SELECT pg_sleep(15), repeat('x', 50000000)"):
            threading.Thread(target=run, args=[statement], daemon=True).start()
        held = SharedPace(engine, "http://site.test", 1, 1).hold_connections()
        held.__enter__()
        time.sleep(3)
    print("held", flush=True)
    time.sleep(900)
"""


@pytest.fixture(scope="module")
def server():
    with run_open_server() as opened:
        engine = open_engine(opened.local_url)
        upgrade(engine)
        engine.dispose()
        yield opened


def start_client(command, url, name):
    client = subprocess.Popen(
        [*command, sys.executable, "-c", HOLD, url, name], stdout=subprocess.PIPE, text=True, env=ENVIRON
    )
    assert client.stdout.readline() == "held\n"
    return client


def end_client(client):
    client.kill()
    client.wait()
    client.stdout.close()


def open_run(engine):
    artifacts = ArtifactStore("/nowhere")
    return Run(settings=Settings(), engine=engine, artifacts=artifacts, source=Source("sample"), window=WINDOW)


def try_step(engine, name):
    with open_run(engine).step(name):
        return True


ENVIRON = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
READ_HELD = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")


@pytest.mark.timeout(600)
def test_a_lost_machine_gives_its_locks_back_and_a_process_that_stands_still_keeps_its_own(server):
    engine = open_engine(server.local_url)
    with run_far_machine() as machine:
        far = start_client(machine.command(), server.url_at(machine.here), "far")
        still = start_client([], server.url_at("127.0.0.1"), "still")
        try:
            still.send_signal(signal.SIGSTOP)
            machine.cut_off()
            cut_at = time.monotonic()
            with engine.connect() as conn:
                assert conn.scalar(READ_HELD) == 5
            with pytest.raises(TransientError, match="another process is at the step far"):
                try_step(engine, "far")
            while time.monotonic() < cut_at + NOTICED_WITHIN_S:
                with engine.connect() as conn:
                    if conn.scalar(READ_HELD) == 1:
                        break
                time.sleep(1)
            assert try_step(engine, "far")
            with SharedPace(engine, SITE, 1, 1).hold_connections() as n_free:
                assert n_free == 1
            with engine.connect() as conn:
                assert conn.scalar(READ_HELD) == 1
            with pytest.raises(TransientError, match=f"step still .*: petitions .* {still.pid} from 127.0.0.1, "):
                try_step(engine, "still")
            assert still.poll() is None
        finally:
            end_client(far)
            end_client(still)
    engine.dispose()


SERVER_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def read_settings(conn):
    return {name: conn.scalar(text(f"SHOW {name}")) for name in SERVER_SETTINGS}


def read_check_interval(conn):
    return conn.scalar(text("SHOW client_connection_check_interval"))


def test_a_session_over_tcp_has_both_ends_look_for_the_other(server):
    engine = open_engine(server.url_at("127.0.0.1"))
    with engine.connect() as conn:
        assert read_settings(conn) == SERVER_SETTINGS
        assert read_check_interval(conn) == "10s"
        with socket.socket(fileno=os.dup(conn.connection.driver_connection.fileno())) as end:
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            found = [
                end.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            ]
        assert found == [30, 10, 3, 180_000]
    engine.dispose()


def test_over_a_unix_socket_it_means_nothing_and_breaks_nothing(engine):
    with engine.connect() as conn:
        assert set(read_settings(conn).values()) == {"0"}
        assert read_check_interval(conn) == "10s"


def test_the_pages_and_psql_and_the_deployment_ask_the_server_for_the_same(server, monkeypatch, tmp_path):
    root = Path(__file__).parents[2]
    for folder in ("plugins", "deploy"):
        monkeypatch.syspath_prepend(str(root / folder))
    from prepare_databases import prepare_databases
    from topic_browser.database import open_snapshot

    url = server.url_at("127.0.0.1")
    monkeypatch.setenv("PETITIONS_DATABASE_URL", url)
    with open_snapshot() as conn:
        assert read_settings(conn) == SERVER_SETTINGS
    out = tmp_path / "out"
    assert run_psql(url, ["-qAt", "-o", str(out), "-c", "SHOW tcp_keepalives_idle", "-c", "SHOW search_path"]) == 0
    assert out.read_text() == "30\npetitions,public\n"
    passfile = tmp_path / "pgpass"
    roles = ("airflow", "petition_owner", "petitions", "petition_page", "postgres")
    passfile.write_text("".join(f"127.0.0.1:{server.port}:*:{role}:p\n" for role in roles))
    passfile.chmod(0o600)
    prepare_databases(passfile)


def test_no_password_of_a_role_is_in_the_log_of_the_server(server, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "deploy"))
    from prepare_databases import prepare_databases

    admin = open_engine(server.local_url)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("ALTER SYSTEM SET log_statement = 'all'"))
        conn.execute(text("SELECT pg_reload_conf()"))
        log = Path(conn.scalar(text("SHOW data_directory"))) / "log"
    time.sleep(1)
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"127.0.0.1:{server.port}:*:petitions:hidden\n127.0.0.1:{server.port}:*:postgres:p\n")
    passfile.chmod(0o600)
    for name in ("airflow", "petition_owner", "petition_page"):
        passfile.write_text(f"127.0.0.1:{server.port}:*:{name}:hidden-{name}\n{passfile.read_text()}")
    prepare_databases(passfile)
    said = log.read_text()
    assert 'ROLE "petitions" LOGIN PASSWORD \'SCRAM-SHA-256$' in said
    assert "hidden" not in said
    admin.dispose()


def test_a_name_of_a_session_is_never_longer_than_postgres_lets_it_be(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "a-pod-of-a-very-long-deployment-name-in-kubernetes-7f9c6d5b4")
    name = describe_session("topic_browser", {}, connect_timeout_s=1)["application_name"]
    assert name.startswith("topic_browser a-pod-of-a-very-long-")
    assert name.endswith(f" {os.getpid()}")
    assert len(name) <= 63
