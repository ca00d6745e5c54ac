"""The nights of `night.py` by the steps of `petitions run`, in a process of their own, and what each of them costs."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from stand_in import StandIn

STEPS = Path(__file__).with_name("night_steps.py")
REST = "start and end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step or task of a night: how many processes or parts, what they took, and what it wrote."""

    name: str
    n: int
    queued_s: float
    ran_s: float
    told: str = ""
    cpu_s: float = 0.0  # of the process and those that it started
    server_s: float = 0.0  # CPU seconds of Postgres
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night: wall seconds, CPU seconds where they are known, and its lines."""

    name: str
    seconds: float
    cpu_s: float
    lines: Sequence[Line]
    server_s: float = 0.0
    peak_mb: float = 0.0


def measure_night(environ: dict[str, str], site: StandIn, name: str, until: str) -> Night:
    """One night, until the day that its window leaves out, over the stand-in, whose clock is set to it."""
    site.control("clock", today=until)
    postmaster = _find_postmaster(environ["PETITIONS_DATABASE_URL"])
    cpu, began = _cpu_of_children(), time.monotonic()
    command = [sys.executable, STEPS, "--until", until, "--postmaster", str(postmaster)]
    done = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True)
    seconds, cpu_s = time.monotonic() - began, _cpu_of_children() - cpu
    told = [json.loads(line) for line in done.stdout.splitlines()]
    lines = [
        Line(
            name=item["step"], n=1, queued_s=0, ran_s=item["seconds"], told=_tell(item["rows"], item["beside_s"]),
            cpu_s=item["cpu_s"], server_s=item["server_s"], peak_mb=item["peak_mb"],
        )
        for item in told
        if item["step"] != "start"
    ]  # fmt: skip
    steps_s, steps_cpu_s = sum(line.ran_s for line in lines), sum(line.cpu_s for line in lines)
    start = Line(name=REST, n=1, queued_s=0, ran_s=seconds - steps_s, cpu_s=cpu_s - steps_cpu_s,
                 server_s=told[0]["server_s"], peak_mb=told[0]["peak_mb"])  # fmt: skip
    return Night(
        name=name, seconds=seconds, cpu_s=cpu_s, lines=[start, *lines],
        server_s=sum(line.server_s for line in (start, *lines)), peak_mb=_add_peaks(told),
    )  # fmt: skip


def _add_peaks(told: Sequence[dict[str, Any]]) -> float:
    """The most that the process held, and what one beside it held at most."""
    own = max(item["peak_mb"] for item in told if not item["beside_s"])
    return float(own + sum(item["peak_mb"] for item in told if item["beside_s"]))


def _tell(rows: int, beside_s: float) -> str:
    return f"{rows} rows" + (f", {beside_s:.1f} s beside the steps before" if beside_s else "")


def _find_postmaster(database_url: str) -> int:
    engine = create_engine(database_url)
    with engine.connect() as conn:
        folder = Path(conn.execute(text("SHOW data_directory")).scalar_one())
    engine.dispose()
    return int((folder / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
