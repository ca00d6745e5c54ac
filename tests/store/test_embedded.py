import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from petitions.errors import DatabaseDownError
from petitions.store.database import open_engine
from petitions.store.embedded import run_psql, stop_server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

WRITE = """
import sys
from pathlib import Path
from sqlalchemy import text
from petitions.store.database import open_engine, upgrade
engine = open_engine("", Path(sys.argv[1]))
upgrade(engine)
with engine.begin() as conn:
    conn.execute(text("COMMENT ON TABLE petitions.topic IS 'kept'"))
"""


def test_the_embedded_server_outlives_the_process_that_started_it_in_a_folder_however_deep(tmp_path):
    folder = tmp_path / "a-folder-deeper-than-a-socket-path-may-be" / ("x" * 60) / "postgres"
    include = Path(__file__).parents[2] / "include"
    ran = subprocess.run(
        [sys.executable, "-c", WRITE, str(folder)], env={"PYTHONPATH": str(include)}, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    pid = (folder / "postmaster.pid").read_text().splitlines()[0]
    engine = open_engine("", folder)
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT obj_description('petitions.topic'::regclass)")) == "kept"
    engine.dispose()
    assert (folder / "postmaster.pid").read_text().splitlines()[0] == pid
    out = tmp_path / "out"
    assert run_psql("", ["-qAt", "-o", str(out), "-c", "SELECT count(*) FROM current_topic"], folder) == 0
    assert out.read_text() == "0\n"
    stop_server(folder)
    assert not (folder / "postmaster.pid").exists()
    stop_server(folder)
    Path(engine.url.query["host"]).rmdir()  # the short folder in /tmp that its socket stood in


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseDownError, match="embedded Postgres in .*/file/postgres did not start"):
        open_engine("", tmp_path / "file" / "postgres")
