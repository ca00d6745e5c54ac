"""What a night costs: the first one over N petitions, the second with a few new ones, one with none; step by step.

    PYTHONPATH=include:tests:bench .venv/bin/python bench/night.py [--petitions 1821] [--new 0.02] [--through run]

Needs ../shared. The stand-in serves real petitions of the Blue House; the nights' clock moves on, so that the second
window is another one, in which `--new` of the petitions began. `run` is `petitions run` in one process, with its CPU
seconds; `airflow` a scheduler, dag-processor and API server of their own with the LocalExecutor, one slot in the pool
`tpu`: when each task was queued, started, and for how long it ran. `--checkout` measures another tree of the project by
the same file, `--repeat` gives medians, `--quick` is 100 petitions by `run`. Beyond the real petitions their sentences
are shuffled under other ids. Prints Markdown.
"""

import argparse
import json
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from crawl_ground import open_ground
from night_airflow import BIN, Line, Night, measure_airflow
from sqlalchemy import create_engine, text

from stand_in import BLUEHOUSE_DATA, StandIn, read_rows, run_stand_in

ROOT = Path(__file__).parents[1]
FIRST, SECOND, NEW_DAY = "2019-09-01", "2019-09-03", "2019-09-02"  # the days that the windows leave out; all new begin
MONTHS = ("2019-06", "2019-07", "2019-08")
NIGHTS = (("first", FIRST), ("second", SECOND), ("nothing new", SECOND))
STEPS = """
SELECT step, count(*), coalesce(sum(seconds), 0), sum(rows_out) FROM petitions.pipeline_step
WHERE run_id = :run AND started_at >= :since GROUP BY step ORDER BY min(started_at)
"""


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
    parser.add_argument("--quick", action="store_true", help="100 petitions by `petitions run`, 5 of them new")
    parser.add_argument("--keep", action="store_true", help="the folders of logs")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.petitions, chosen.new, chosen.through = [100], 0.05, ["run"]
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
