"""On what a run was made: processor, memory, versions and commit."""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import peers

ROOT = Path(__file__).resolve().parents[1]
OURS = ("tensorflow", "onnxruntime", "gensim", "mecab-ko", "numpy", "scipy", "SQLAlchemy", "psycopg", "apache-airflow")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, and the versions of ours and of each environment of the peers."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    versions = {name: metadata.version(name) for name in OURS if _is_installed(name)}
    return {
        "processor": processor[1] if processor else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[1]) / 2**20) if memory else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "ours": versions,
        "peers": {name: list(pins) for name, pins in peers.ENVIRONMENTS.items()},
        "commit": name_commit(),
    }


def name_commit(checkout: Path = ROOT) -> str:
    """The commit, with a + where code was changed since; what a run writes into docs changes nothing."""
    ask = ["git", "-C", str(checkout)]
    commit = subprocess.run([*ask, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    changed = subprocess.run([*ask, "status", "--porcelain", "--", "include", "bench"], capture_output=True, text=True)
    return commit.strip() + ("+" if changed.stdout.strip() else "")


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
