"""The embedded server in any folder, for any user of the machine, and the psql that goes to a database."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url, text

from petitions.errors import ConfigError, DatabaseDownError
from petitions.store.database import open_engine
from petitions.store.embedded import find_tool, find_url, start_server, stop_server
from petitions.store.psql import choose_psql, run_psql

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

INCLUDE = Path(__file__).parents[2] / "include"
WRITE = """
import sys
import tempfile
from pathlib import Path
from sqlalchemy import text
from petitions.store.database import open_engine, upgrade
engine = open_engine("", Path(sys.argv[1]))
upgrade(engine)
with engine.begin() as conn:
    conn.execute(text("COMMENT ON TABLE petitions.topic IS 'kept'"))
"""
# As the command line tells an error of ours; anything else is a traceback.
START = """
import sys
import tempfile
from pathlib import Path
from petitions.errors import PetitionsError
from petitions.store.embedded import start_server, stop_server
try:
    print(start_server(Path(sys.argv[1])))
    stop_server(Path(sys.argv[1]))
except PetitionsError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def home():
    """A folder that other users may pass; each session of pytest closes its own to them."""
    folder = Path(tempfile.mkdtemp(prefix="home-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "name",
    ["x" * 120 + "/postgres", 'it\'s, "$HOME" `id`; exit 1+%20&#/p\\g', "a b's 청원/p g"],
)
def test_the_embedded_server_outlives_the_process_that_started_it_in_any_folder(home, tmp_path, name):
    folder = home / name
    ran = subprocess.run(
        [sys.executable, "-c", WRITE, str(folder)], env={"PYTHONPATH": str(INCLUDE)}, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    pid = (folder / "postmaster.pid").read_text().split("\n")[0]
    engine = open_engine("", folder)
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT obj_description('petitions.topic'::regclass)")) == "kept"
    engine.dispose()
    assert (folder / "postmaster.pid").read_text().split("\n")[0] == pid
    out = tmp_path / "out"
    assert run_psql("", ["-qAt", "-o", str(out), "-c", "SELECT count(*) FROM current_topic"], folder) == 0
    assert out.read_text() == "0\n"
    who = ["-qAt", "-o", str(out), "-c", "SELECT current_user"]
    assert run_psql("", who, folder) == 0 and out.read_text() == "petition_reader\n"
    assert run_psql("", ["-qc", "DELETE FROM petition"], folder) != 0
    assert run_psql("", who, folder, is_owner=True) == 0 and out.read_text() == "postgres\n"
    sockets = Path(make_url(start_server(folder)).query["host"])
    stop_server(folder)
    assert not (folder / "postmaster.pid").exists()
    assert sockets in (folder, Path("/tmp") / sockets.name)
    assert sockets == folder or not sockets.exists()
    stop_server(folder)


def test_a_server_that_was_killed_starts_again(home):
    folder = home / "postgres"
    start_server(folder)
    server = psutil.Process(int((folder / "postmaster.pid").read_text().split("\n")[0]))
    others = server.children()
    server.kill()
    psutil.wait_procs([server, *others], 60)
    engine = open_engine("", folder)
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT 1")) == 1
    engine.dispose()
    stop_server(folder)


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseDownError, match="embedded Postgres in .*/file/postgres did not start"):
        open_engine("", tmp_path / "file" / "postgres")


def test_data_of_another_version_are_one_line(home):
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(DatabaseDownError, match="did not start .*pg_ctl ended with status 1: ") as caught:
        start_server(home / "postgres")
    assert "\n" not in str(caught.value)


@pytest.fixture
def start_as_nobody():
    """Starts and stops a server as another user of the machine, who has a folder; gives status and output."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    user = pwd.getpwnam("nobody")
    pythons = [path for path in (sys.executable, "/usr/bin/python3.11") if can_run(path, user)]
    if not pythons:
        pytest.skip("no Python 3.11 here that another user may run")
    libraries = [path for path in sys.path if path.endswith("site-packages")]

    def start(folder):
        done = subprocess.run(
            [pythons[0], "-P", "-c", START, folder], cwd="/", user=user.pw_uid, group=user.pw_gid, extra_groups=[],
            env={"PYTHONPATH": os.pathsep.join([str(INCLUDE), *libraries])}, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return start


def can_run(path, user):
    try:
        done = subprocess.run([path, "-c", ""], cwd="/", user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    except PermissionError:
        return False
    return done.returncode == 0


def test_two_users_of_a_machine_have_a_server_each(home, start_as_nobody):
    ours, theirs = home / "postgres", home / "theirs"
    theirs.mkdir()
    shutil.chown(theirs, "nobody")
    start_server(ours)
    status, told, complaint = start_as_nobody(theirs / "postgres")
    assert (status, complaint) == (0, "")
    assert told.startswith("postgresql+psycopg://postgres@/postgres?host=")
    assert (theirs / "postgres").owner() == "nobody"
    stop_server(ours)
    start_server(theirs / "postgres")  # by root, as it is its user's
    stop_server(theirs / "postgres")


def test_the_folder_of_another_user_is_one_line_that_says_how(home, start_as_nobody):
    start_server(home / "postgres")
    for name in ("postgres", "another"):
        status, _, complaint = start_as_nobody(home / name)
        assert (status, complaint.count("\n")) == (1, 1), complaint
        assert f"DatabaseDownError: the embedded Postgres in {home / name} is another user's" in complaint
        assert "PETITIONS_DATABASE_URL" in complaint
    stop_server(home / "postgres")


def test_the_psql_of_the_wheel_knows_no_ssl_and_is_taken_only_where_none_is_asked_for(monkeypatch):
    bundled = find_tool("psql")
    done = subprocess.run([bundled, "host=127.0.0.1 sslmode=verify-full"], capture_output=True, text=True)
    assert "SSL support is not compiled in" in done.stderr, "it could be taken everywhere now"
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    plain, safe = (make_url(f"postgresql://reader@host/petitions{query}") for query in ("", "?sslmode=verify-full"))
    assert choose_psql(plain) == str(bundled)
    with pytest.raises(ConfigError, match="no psql here can do sslmode=verify-full: apt-get install postgresql-client"):
        choose_psql(safe)
    monkeypatch.setenv("PGSSLMODE", "require")
    with pytest.raises(ConfigError, match="sslmode=require"):
        choose_psql(plain)


@pytest.mark.skipif(not shutil.which("psql"), reason="this machine has no psql of its own")
def test_the_machines_own_psql_goes_to_a_database_that_is_named(database_url, tmp_path, capfd):
    out = tmp_path / "out"
    assert run_psql(database_url, ["-qAt", "-o", str(out), "-c", "SELECT count(*) FROM current_topic"]) == 0
    assert out.read_text() == "0\n"
    run_psql("postgresql://reader:hidden@127.0.0.1:1/petitions?sslmode=verify-full", ["-c", ""])
    told = capfd.readouterr().err
    assert "Connection refused" in told, "and not that it knows no SSL"
    assert "hidden" not in told


@pytest.mark.parametrize("url", ["postgresql://u:se@host:notaport/x", "postgresql://[::1", "nothing"])
def test_an_address_of_a_database_that_cannot_be_is_one_line_without_a_piece_of_it(url):
    with pytest.raises(ConfigError, match="^PETITIONS_DATABASE_URL is no SQLAlchemy URL, such as postgresql://host"):
        find_url(url)
