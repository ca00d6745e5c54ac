"""What `make test` makes of a test that fails once: it fails the run, unless it says why it may."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAILS_ONCE = """
import pathlib
import pytest

@pytest.mark.{mark}
def test_invented():
    tried = pathlib.Path(__file__).with_name("tried")
    first = not tried.exists()
    tried.touch()
    assert not first, "the first try"
"""


def run_pytest(folder: Path, mark: str) -> tuple[int, str]:
    path = folder / "test_invented.py"
    path.write_text(FAILS_ONCE.format(mark=mark), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "conftest", "-n", "1", path]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_what_fails_once_fails_the_run(tmp_path):
    assert run_pytest(tmp_path, "filterwarnings")[0] == 1


@pytest.mark.slow
def test_a_flaky_test_is_tried_twice_and_named_at_the_end(tmp_path):
    status, told = run_pytest(tmp_path, 'flaky(reruns=1, reason="the network of an invented site")')
    assert status == 0
    end = told.partition("rerun test summary info")[2]
    assert re.search(r"^RERUN .*test_invented", end, re.MULTILINE)
    assert "the first try" in end
    assert "1 passed, 1 rerun" in end


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["flaky", "flaky(reruns=1)", 'flaky(reruns=1, reason=" ")', 'flaky(2, reason="x")'])
def test_a_flaky_test_without_a_reason_or_with_more_tries_is_refused(tmp_path, mark):
    status, told = run_pytest(tmp_path, mark)
    assert status == 1
    assert "a flaky test is marked flaky(reruns=1, reason=...)" in told
