"""The commands of README.md, and a checkout to run each of them in as it stands.

The checkout is a folder of links to this one, with a `.local` of its own: Airflow's database, logs and whatever else a
command leaves are gone with it. What is installed is the environment of the tests, so `make` installs nothing anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(?:bash|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAKE = 'make() { command make --old-file=.venv/installed "$@"; }; '
LIMIT_S = 900
# What a shell of one's own lacks: our settings, and what says that make began the tests: it would name folders.
NOT_A_NEWCOMERS = ("PETITIONS_", "AIRFLOW", "MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")

# Which test runs a line, by its first words, which `find_lines` is given there.
RUN = {
    "make demo": "tests/end_to_end/test_airflow_run.py",
    "make run SOURCE=assembly": "tests/end_to_end/test_airflow_run.py",
    "make run SOURCE=bluehouse": "tests/end_to_end/test_airflow_run.py",
    "make up": "tests/deploy/test_run_airflow.py",
    "make psql": "tests/end_to_end/test_airflow_run.py",
    "export PETITIONS_": "tests/end_to_end/test_airflow_run.py",
    "petitions doctor": "tests/end_to_end/test_airflow_run.py",
}
# Which no test runs, and why.
NOT_RUN = {
    "apt-get update": "needs root and Debian's mirrors: .ci/run installs from the same file before the tests",
    "petitions finetune bert": "trains for ten minutes; tests/steps/test_finetune_step.py runs the command in small",
}


def list_lines() -> list[str]:
    """The lines of the blocks of shell commands, without the comments behind them."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    return [line.partition(" # ")[0].rstrip() for block in blocks for line in block.splitlines() if line.strip()]


def find_lines(words: str) -> str:
    """The lines that begin so, as a script."""
    found = [line for line in list_lines() if line.startswith(words)]
    if not found:
        raise LookupError(f"README.md has no line that begins with {words!r}")
    return "\n".join(found)


def make_checkout(folder: Path) -> Path:
    """Fill a folder with links to all that is in this checkout but `.git`, `.local` and the environment."""
    folder.mkdir(exist_ok=True)
    for path in ROOT.iterdir():
        if path.name not in {".git", ".local", ".venv"}:
            (folder / path.name).symlink_to(path)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def name_settings(checkout: Path, **settings: str) -> dict[str, str]:
    """The environment of a newcomer's shell, whose home is the checkout, and a few settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_A_NEWCOMERS)}
    path = f"{checkout}/.venv/bin:{os.environ['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT / "include"), "HOME": str(checkout), **settings}


def run_line(line: str, checkout: Path, told: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a line as it stands in a shell, `told` on its standard input."""
    return subprocess.run(
        ["/bin/bash", "-c", MAKE + line], cwd=checkout, env=name_settings(checkout, **settings), input=told,
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
