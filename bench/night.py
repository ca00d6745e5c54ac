"""What a night costs: the first one over N petitions, the second with a few new ones, one with none; step by step.

    PYTHONPATH=include:tests:bench .venv/bin/python bench/night.py [--petitions 1821] [--new 0.02] [--through run]
    PYTHONPATH=include:tests:bench .venv/bin/python bench/night.py --growth [228 456 …]

Needs ../shared. The stand-in serves petitions of the Blue House; the nights' clock moves on, so that the second window
is another one, in which `--new` of the petitions began. `--repeat` gives medians of second nights and of empty ones,
each from what one first night left; `--firsts` all of that from so many first nights. `run` is the steps of `petitions
run`, with their CPU seconds, those of Postgres, and peak memory; `airflow` a scheduler, dag-processor and
API server of their own with the LocalExecutor, one slot in the pool `tpu`; `cluster` the services of
docker-compose.yaml as tests/cluster starts them, with Celery: when each task was queued, started, and for how long it
ran. `--growth` is the series of sizes (night_growth.py), kept in `--kept` after each of them. `--checkout` measures
another tree of the project by the same file, so that a night ends as this tree ends it; `--quick` is 100 petitions by
`run`. Prints Markdown, and keeps all figures in .local/bench/nights.json.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path

from crawl_ground import open_ground
from machine import describe_machine, name_commit
from night_airflow import measure_airflow, run_airflow
from night_cluster import measure_cluster, run_night_cluster
from night_data import FIRST, NEW_DAY, write_rows
from night_growth import SIZES, measure_growth, tell_growth
from night_rewind import take_rounds
from night_run import Night, measure_night

from stand_in import StandIn, run_stand_in

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".local" / "bench" / "night-growth.json"
FIGURES = KEPT.with_name("nights.json")


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
        "PETITIONS_REQUESTS_PER_SECOND": "5000",  # more than the stand-in answers: its answers are waited for, no pace
        "PETITIONS_VOLUME_SINCE": NEW_DAY,  # all that is new begins on one day: more than a site may bring
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


def tell(nights: Sequence[Sequence[Night]], through: str, n: int, n_new: int) -> None:
    """Print a table of the medians of some rounds."""
    firsts = sorted({id(round_[0]): round_[0].seconds for round_ in nights}.values())
    told = ", ".join(f"{seconds:.0f}" for seconds in firsts)
    print(f"\n### {n} petitions, {n_new} new, by {through}; medians of {len(nights)}; first nights, s: {told}\n")
    print("| night | step | parts | queued, s | ran, s | CPU, s | Postgres, s | MB | |")
    print(f"|---|---|{'--:|' * 6}---|")
    first, first_cpu = _take(nights, 0, "seconds"), _take(nights, 0, "cpu_s")
    for place, night in enumerate(nights[-1]):
        seconds, cpu_s, server_s, peak_mb = (
            _take(nights, place, name) for name in ("seconds", "cpu_s", "server_s", "peak_mb")
        )
        share = f"{seconds / first:.1%} of the first" + (f"; CPU {cpu_s / first_cpu:.1%}" if cpu_s else "")
        n_tasks = sum(line.n for line in night.lines)
        print(
            f"| **{night.name}** | **all** | {n_tasks} | | **{seconds:.0f}** | {cpu_s:.1f} | {server_s:.1f} "
            f"| {peak_mb:.0f} | {share} |"
        )
        for line in night.lines:
            same = [each for round_ in nights for each in round_[place].lines if each.name == line.name]
            figures = [
                statistics.median(getattr(each, name) for each in same)
                for name in ("queued_s", "ran_s", "cpu_s", "server_s", "peak_mb")
            ]
            cells = " | ".join(f"{figure:.1f}" if figure else "" for figure in figures)
            print(f"| {night.name} | {line.name} | {line.n} | {cells} | {line.told} |")
    sys.stdout.flush()


def _take(nights: Sequence[Sequence[Night]], place: int, name: str) -> float:
    return statistics.median(getattr(round_[place], name) for round_ in nights)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a night costs")
    parser.add_argument("--petitions", type=int, nargs="+", default=[1821])
    parser.add_argument("--new", type=float, default=0.02, help="a share, or from 1 on a number")
    parser.add_argument("--through", nargs="+", choices=["run", "airflow", "cluster"], default=["run", "airflow"])
    parser.add_argument("--growth", type=int, nargs="*", metavar="N", help=f"the series: {SIZES}")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where the series is kept, and gone on from")
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="second and empty nights after a first one")
    parser.add_argument("--firsts", type=int, default=1, metavar="N", help="first nights")
    parser.add_argument("--quick", action="store_true", help="100 petitions by `petitions run`, 5 of them new")
    parser.add_argument("--keep", action="store_true", help="the folders of logs")
    chosen = parser.parse_args()
    checkout = chosen.checkout.resolve()
    if chosen.growth is not None:
        make = partial(make_environ, checkout)
        print(tell_growth(measure_growth(chosen.growth or SIZES, chosen.kept, make)))
        return
    if chosen.quick:
        chosen.petitions, chosen.new, chosen.through = [100], 0.05, ["run"]
    for n in chosen.petitions:
        n_new = round(n * chosen.new) if chosen.new < 1 else round(chosen.new)
        for through in chosen.through:
            rounds: list[list[Night]] = []
            for _ in range(chosen.firsts):
                rounds += _measure(through, n, n_new, checkout, repeat=chosen.repeat, keep=chosen.keep)
                _keep(rounds, f"{through}, {n} petitions, {n_new} new", checkout)
            tell(rounds, through, n, n_new)


def _measure(through: str, n: int, n_new: int, checkout: Path, *, repeat: int, keep: bool) -> list[list[Night]]:
    """Rounds of three nights, over the last n_new of n petitions in the second one."""
    place = Path(tempfile.mkdtemp(prefix="night-"))
    write_rows(place / "rows.jsonl", n - n_new, n_new)
    with run_stand_in("bluehouse", place / "rows.jsonl", today=FIRST) as site:
        if through == "cluster":
            with run_night_cluster(site) as cluster:
                url, artifacts = cluster.database_url("postgres", "petitions"), cluster.folder / "volumes" / "artifacts"
                rounds = take_rounds(partial(measure_cluster, cluster, site), repeat, url, artifacts)
        else:
            with open_ground() as make:
                engine, _ = make()
                engine.dispose()
                url = engine.url.render_as_string(hide_password=False)
                environ = make_environ(checkout, url, site, place)
                with run_airflow(environ) if through == "airflow" else nullcontext():
                    measure = measure_airflow if through == "airflow" else measure_night
                    rounds = take_rounds(partial(measure, environ, site), repeat, url, place / "artifacts")
    if keep:
        print(f"logs: {place}", file=sys.stderr)
    else:
        subprocess.run(["rm", "-rf", place], check=True)
    return rounds


def _keep(rounds: Sequence[Sequence[Night]], name: str, checkout: Path) -> None:
    """Write all figures over those of an earlier measurement of the same nights."""
    kept = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    nights = [[asdict(night) for night in round_] for round_ in rounds]
    commit = name_commit(checkout)
    name = name if checkout == ROOT else f"{name}, {commit}"
    kept[name] = {"commit": commit, "machine": describe_machine(), "rounds": nights}
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _copy_dags(checkout: Path, folder: Path) -> Path:
    """The DAG without nights of its own, which would run between ours."""
    text_ = (checkout / "dags" / "petition_topics.py").read_text(encoding="utf-8")
    nightly = 'schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL)'
    assert nightly in text_
    (folder / "dags").mkdir()
    (folder / "dags" / "petition_topics.py").write_text(text_.replace(nightly, "schedule=None"), encoding="utf-8")
    return folder / "dags"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
