"""What a night costs: the first one over N petitions, the second with a few new ones, one with none; step by step.

    PYTHONPATH=include:tests .venv/bin/python bench/night.py [--petitions 1821] [--new 0.02] [--through run airflow]

Needs ../shared. The stand-in serves real petitions of the Blue House; the nights' clock moves on, so that the second
window is another one, in which `--new` of the petitions began. `run` is `petitions run` in one process, with its CPU
seconds; `airflow` a scheduler, dag-processor and API server of their own with the LocalExecutor, one slot in the pool
`tpu`: when each task was queued, started, and for how long it ran. `--checkout` measures another tree of the project by
the same file, `--repeat` gives medians. Beyond the real petitions their sentences are shuffled under other ids.
Prints Markdown.
"""

import argparse
import json
import os
import random
import resource
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawl_ground import open_ground
from sqlalchemy import create_engine, text

from stand_in import BLUEHOUSE_DATA, StandIn, read_rows, run_stand_in

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FIRST, SECOND, NEW_DAY = "2019-09-01", "2019-09-03", "2019-09-02"  # the days that the windows leave out; all new begin
MONTHS = ("2019-06", "2019-07", "2019-08")
NIGHTS = (("first", FIRST), ("second", SECOND), ("nothing new", SECOND))
PATIENCE_S = 5400
STEPS = """
SELECT step, count(*), coalesce(sum(seconds), 0), sum(rows_out) FROM petitions.pipeline_step
WHERE run_id = :run AND started_at >= :since GROUP BY step ORDER BY min(started_at)
"""
TASKS = """
SELECT task_id, count(*), sum(state = 'success'), min(queued_dttm), min(start_date), max(end_date), sum(duration),
       sum(max(0, (julianday(start_date) - julianday(queued_dttm)) * 86400))
FROM task_instance WHERE run_id = ? AND start_date IS NOT NULL GROUP BY task_id ORDER BY min(start_date)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step or task of a night: how many processes or parts, seconds queued and at work, and what it wrote."""

    name: str
    n: int
    queued_s: float
    ran_s: float
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night: wall seconds, CPU seconds where they are known, and its lines."""

    name: str
    seconds: float
    cpu_s: float
    lines: Sequence[Line]


def write_rows(path: Path, n: int, n_new: int, seed: int = 0) -> None:
    """Write n petitions of the three months, the last n_new of which begin on the second night."""
    rows = read_rows(*(BLUEHOUSE_DATA / f"{month}.jsonl" for month in MONTHS))
    chance = random.Random(seed)
    chance.shuffle(rows)
    total, chosen = n + n_new, list[dict[str, Any]]()
    for copy in range(-(-total // len(rows))):
        for row in rows[: total - len(chosen)]:
            sentences = row["content"].split(". ")
            if copy:
                chance.shuffle(sentences)
            chosen.append({**row, "id": str(int(row["id"]) + copy * 10_000_000), "content": ". ".join(sentences)})
    for row in chosen[n:]:
        row["begin"], row["end"] = NEW_DAY, "2019-10-02"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")


def make_environ(checkout: Path, database_url: str, site: StandIn, folder: Path) -> dict[str, str]:
    """The settings of a night, and of an Airflow that is alone on its ports."""
    port = _free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PETITIONS_", "AIRFLOW"))}
    return kept | {
        "PYTHONPATH": f"{checkout / 'include'}:{checkout / 'plugins'}",
        "PETITIONS_DATABASE_URL": database_url,
        "PETITIONS_SOURCE": "bluehouse",
        "PETITIONS_BLUEHOUSE_URL": site.url,
        "PETITIONS_ARTIFACTS": str(folder / "artifacts"),
        "PETITIONS_REQUESTS_PER_SECOND": "500",
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(_copy_dags(checkout, folder)),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(checkout / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of-this-measurement-alone" * 4,
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "3600",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "120",  # for machines that are busy with other things
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def measure_run(environ: dict[str, str], nights: Sequence[tuple[str, str]], site: StandIn) -> list[Night]:
    """The nights by `petitions run`."""
    found = []
    for name, until in nights:
        site.control("clock", today=until)
        since, cpu, began = datetime.now().astimezone(), _cpu_of_children(), time.monotonic()
        command = [BIN / "petitions", "run", "--until", until, "--months", "3"]
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
        seconds, cpu_s = time.monotonic() - began, _cpu_of_children() - cpu
        engine = create_engine(environ["PETITIONS_DATABASE_URL"])
        with engine.connect() as conn:
            run = conn.scalar(text("SELECT run_id FROM petitions.pipeline_run WHERE until = :day"), {"day": until})
            rows = conn.execute(text(STEPS), {"run": run, "since": since}).all()
        engine.dispose()
        lines = [Line(name=step, n=n, queued_s=0, ran_s=ran, told=f"{out} rows") for step, n, ran, out in rows]
        found.append(Night(name=name, seconds=seconds, cpu_s=cpu_s, lines=lines))
    return found


def measure_airflow(environ: dict[str, str], nights: Sequence[tuple[str, str]], site: StandIn) -> list[Night]:
    """The nights through Airflow."""
    found = []
    with run_airflow(environ):
        for number, (name, until) in enumerate(nights):
            site.control("clock", today=until)
            run_id, conf = f"night_{number}", json.dumps({"source": "bluehouse", "until": until, "months": 3})
            _airflow(environ, "dags", "trigger", "petition_topics", "--run-id", run_id, "--conf", conf)
            began, ended = wait_for(environ, run_id)
            with _open_metadata(environ) as db:
                rows = db.execute(TASKS, (run_id,)).fetchall()
            lines = [
                Line(name=task, n=n, queued_s=queued or 0, ran_s=ran or 0,
                     told=f"from {_seconds(began, start):.0f} to {_seconds(began, end):.0f} s")
                for task, n, _, _, start, end, ran, queued in rows
            ]  # fmt: skip
            found.append(Night(name=name, seconds=_seconds(began, ended), cpu_s=0, lines=lines))
    return found


@contextmanager
def run_airflow(environ: dict[str, str]) -> Iterator[None]:
    """The services of an Airflow, ended with the block."""
    home = Path(environ["AIRFLOW_HOME"])
    home.mkdir()
    _airflow(environ, "db", "migrate")
    for pool, n in (("petition_sites", "1"), ("tpu", "1"), ("tpu_fallback", "2")):
        _airflow(environ, "pools", "set", pool, n, "of the measurement")
    started = []
    try:
        for service in ("api-server", "dag-processor", "scheduler"):
            with (home / f"{service}.log").open("wb") as log:
                command = [BIN / "airflow", service]
                started.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True))
        deadline = time.monotonic() + 300
        while subprocess.run(
            [BIN / "airflow", "dags", "unpause", "petition_topics"], env=environ, capture_output=True
        ).returncode or not _count_dags(environ):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the DAG is not there after 300 s, see {home}")
            time.sleep(3)
        yield
    finally:
        for process in reversed(started):
            os.killpg(process.pid, 15)
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)


def wait_for(environ: dict[str, str], run_id: str) -> tuple[str, str]:
    """Wait for a run to end well; gives when it was queued and when it ended."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with _open_metadata(environ) as db:
            asked = "SELECT state, queued_at, end_date FROM dag_run WHERE run_id = ?"
            state, queued, ended = db.execute(asked, (run_id,)).fetchone()
        if state == "success":
            return queued, ended
        if state == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"{run_id} is {state}: logs in {environ['AIRFLOW_HOME']}")
        time.sleep(1)


def tell(nights: Sequence[Sequence[Night]], through: str, n: int, n_new: int) -> None:
    """Print a table of the medians of some rounds."""
    print(f"\n### {n} petitions, {n_new} new, by {through}; medians of {len(nights)}\n")
    print("| night | step | parts | queued, s | ran, s | |\n|---|---|--:|--:|--:|---|")
    first = statistics.median(round_[0].seconds for round_ in nights)
    first_cpu = statistics.median(round_[0].cpu_s for round_ in nights)
    for place, night in enumerate(nights[-1]):
        same = [round_[place] for round_ in nights]
        seconds, cpu_s = (statistics.median(values) for values in ([x.seconds for x in same], [x.cpu_s for x in same]))
        share = f"{seconds / first:.1%} of the first" + (
            f"; CPU {cpu_s:.0f} s, {cpu_s / first_cpu:.1%}" if cpu_s else ""
        )
        n_tasks = sum(line.n for line in night.lines)
        print(f"| **{night.name}** | **all** | {n_tasks} | | **{seconds:.0f}** | {share} |")
        for line in night.lines:
            values = [each for one in same for each in one.lines if each.name == line.name]
            queued, ran = (statistics.median(x) for x in ([x.queued_s for x in values], [x.ran_s for x in values]))
            print(f"| {night.name} | {line.name} | {line.n} | {queued:.1f} | {ran:.1f} | {line.told} |")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="What a night costs")
    parser.add_argument("--petitions", type=int, nargs="+", default=[1821])
    parser.add_argument("--new", type=float, default=0.02, help="a share, or from 1 on a number")
    parser.add_argument("--through", nargs="+", choices=["run", "airflow"], default=["run", "airflow"])
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="the folders of logs")
    chosen = parser.parse_args()
    measure = {"run": measure_run, "airflow": measure_airflow}
    for n in chosen.petitions:
        n_new = round(n * chosen.new) if chosen.new < 1 else round(chosen.new)
        for through in chosen.through:
            rounds = []
            for _ in range(chosen.repeat):
                place = tempfile.mkdtemp(prefix="night-")
                data = Path(place) / "rows.jsonl"
                write_rows(data, n - n_new, n_new)
                with open_ground() as make, run_stand_in("bluehouse", data, today=FIRST) as site:
                    engine, _ = make()
                    url = engine.url.render_as_string(hide_password=False)
                    environ = make_environ(chosen.checkout.resolve(), url, site, Path(place))
                    rounds.append(measure[through](environ, NIGHTS, site))
                if chosen.keep:
                    print(f"logs: {place}", file=sys.stderr)
                else:
                    subprocess.run(["rm", "-rf", place], check=True)
            tell(rounds, through, n, n_new)


def _copy_dags(checkout: Path, folder: Path) -> Path:
    """The DAG without nights of its own, which would run between ours."""
    text_ = (checkout / "dags" / "petition_topics.py").read_text(encoding="utf-8")
    nightly = 'schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL)'
    assert nightly in text_
    (folder / "dags").mkdir()
    (folder / "dags" / "petition_topics.py").write_text(text_.replace(nightly, "schedule=None"), encoding="utf-8")
    return folder / "dags"


def _airflow(environ: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([BIN / "airflow", *arguments], env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"airflow {' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-2000:]}")


@contextmanager
def _open_metadata(environ: dict[str, str]) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(Path(environ["AIRFLOW_HOME"]) / "airflow.db", timeout=30)
    try:
        yield db
    finally:
        db.close()


def _count_dags(environ: dict[str, str]) -> int:
    with _open_metadata(environ) as db:
        found: int = db.execute(
            "SELECT count(*) FROM dag WHERE dag_id = 'petition_topics' AND NOT is_paused"
        ).fetchone()[0]
    return found


def _seconds(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
