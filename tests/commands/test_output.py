"""Where the output goes: to a reader that has gone, a full disk, a terminal of another encoding."""

import os
import subprocess
import sys

import pytest

from invented import BERT, ELMO, MONDAY, make_petitions, write_all
from petitions.store.publishing import publish

pytestmark = pytest.mark.slow
CODE = "import sys; from petitions.cli import main; main(sys.argv[1:], prog_name='petitions')"
SHOWN = (("topics",), ("topics", "--json"), ("trends",), ("similar", "sample:a-001"), ("tour",), ("db", "status"))


@pytest.fixture
def environ(database_url, engine, tmp_path):
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    (tmp_path / "lines.txt").write_text("학교 급식\n" * 3, encoding="utf-8")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return buffered | {
        "PETITIONS_DATABASE_URL": database_url,
        "PETITIONS_SOURCE": "sample",
        "PETITIONS_ARTIFACTS": str(tmp_path),
    }


def run(arguments, environ, output):
    command = [sys.executable, "-c", CODE, *arguments]
    done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, env=environ)
    return done.returncode, done.stderr


@pytest.mark.postgres
def test_a_reader_that_has_gone_is_no_error_of_any_command(environ, tmp_path):
    for arguments in (*SHOWN, ("tokens", "--input", tmp_path / "lines.txt")):
        reader, writer = os.pipe()
        os.close(reader)
        assert run(arguments, environ, writer) == (0, ""), arguments
        os.close(writer)


@pytest.mark.postgres
def test_a_full_disk_is_one_line(environ):
    with open("/dev/full", "w") as full:
        status, told = run(("topics", "--json"), environ, full)
    assert (status, told) == (1, "Error: OSError: [Errno 28] No space left on device\n")


@pytest.mark.postgres
def test_an_output_that_cannot_hold_hangul_is_one_line_that_says_how_it_can(environ, tmp_path):
    tokens = ("tokens", "--input", tmp_path / "lines.txt")  # click takes UTF-8 where it should write ASCII
    for encoding, arguments in (("ascii", ("topics",)), ("ascii", ("topics", "--json")), ("latin-1", tokens)):
        status, told = run(arguments, environ | {"PYTHONIOENCODING": encoding}, subprocess.DEVNULL)
        assert (status, told.count("\n")) == (1, 1), told
        assert f"ConfigError: the output takes {encoding} alone, which has no " in told
        assert "set PYTHONIOENCODING=utf-8" in told


@pytest.mark.postgres
def test_a_word_that_is_no_utf_8_is_one_line(environ):
    status, told = run(("similar", b"\xff"), environ, subprocess.DEVNULL)
    assert (status, told) == (1, "Error: ConfigError: '\\udcff' is no character of utf-8\n")


@pytest.mark.postgres
def test_a_training_tells_nothing_of_the_start_of_tensorflow(environ, tmp_path):
    command = ("finetune", "bert", "--task", "category", "--source", "bluehouse", "--output", tmp_path / "category")
    returncode, told = run(command, environ | {"TF_CPP_MIN_LOG_LEVEL": "0"}, subprocess.DEVNULL)
    assert (returncode, told) == (1, "Error: EmptyWindowError: no petition of bluehouse is stored\n")
