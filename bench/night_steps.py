"""One night in a process of its own, as `petitions run` does it; prints a line of JSON for each step.

    PYTHONPATH=include python bench/night_steps.py --until 2019-09-03 --postmaster 1234

A line has the seconds since the step before, with the imports that the step waited for; CPU seconds of this process and
those that it started; CPU seconds of Postgres; and the most memory meanwhile (the peak is set back after each step). Of
a step in a process beside others the seconds are those that were waited for it at the end, the CPU seconds those of its
process, and the memory what any process that was started held, at most.
"""

import argparse
import json
import resource
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

BEGAN = time.monotonic()
_CLEAR, _PEAK = "5", "VmHWM:"  # of /proc/self/clear_refs and status


class Meter:
    """Tells what was spent since it was asked before."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster
        self._at, self._cpu, self._server = BEGAN, 0.0, self._read_server()

    def tell(self, step: str, rows: int = 0, ran_s: float = 0.0) -> None:
        """Print the line of a step that has just ended."""
        at, cpu, server = time.monotonic(), _read_cpu(), self._read_server()
        is_beside = ran_s > at - self._at  # it began before the one before ended
        peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if is_beside else _read_peak()
        line = {
            "step": step, "rows": rows, "seconds": at - self._at, "cpu_s": cpu - self._cpu,
            "server_s": server - self._server, "peak_mb": peak_kb / 1024, "beside_s": ran_s if is_beside else 0.0,
        }  # fmt: skip
        print(json.dumps(line), flush=True)
        self._at, self._cpu, self._server = at, cpu, server
        Path("/proc/self/clear_refs").write_text(_CLEAR)

    def _read_server(self) -> float:
        import psutil

        postmaster, living_s = psutil.Process(self._postmaster), 0.0
        for child in postmaster.children():
            with suppress(psutil.NoSuchProcess):  # it has ended since: its times are in those below
                spent = child.cpu_times()
                living_s += spent.user + spent.system
        ended = postmaster.cpu_times()
        return float(living_s + ended.user + ended.system + ended.children_user + ended.children_system)


def _read_cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _read_peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(_PEAK))


def main() -> None:
    parser = argparse.ArgumentParser(description="One night, step by step")
    parser.add_argument("--until", type=date.fromisoformat, required=True)
    parser.add_argument(
        "--postmaster", type=int, required=True, help="the process of the Postgres that is measured too"
    )
    chosen = parser.parse_args()
    meter = Meter(chosen.postmaster)
    with suppress(ImportError):  # a tree from before it
        from petitions.garbage import collect_nothing_at_end, collect_seldom

        collect_seldom()  # as the command does
        collect_nothing_at_end()
    from petitions.pipeline import Pipeline

    pipeline = Pipeline.open(until=chosen.until, months=3)
    meter.tell("start")
    replace(pipeline, report=lambda step, _, result: meter.tell(step, result.rows_out, result.seconds)).run()


if __name__ == "__main__":
    main()
