"""Kill the parts of the cluster one by one while the DAG runs, and compare what landed with an undisturbed run.

    PYTHONPATH=include:tests:tests/cluster python tests/cluster/kills.py --runs 20 --seed 0

Starts the cluster once. Each run begins with the same database, in which an older window is published, so that the
reader has something to read. A service that ended is started again, as compose's restart policy does; the rest is
left to Airflow. Prints a Markdown table; ends with status 1 where a row or a look of the reader was wrong. With
`--kills 3` each run is killed at three places, which shows as much in a third of the time; with
`--runs 1 --kills 0 --away tpu-worker` nobody serves the queue `tpu`.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil
from compose import ROOT
from killing import NEW, OLD, Fault, Killer, say

from cluster import QUICK, run_cluster
from rows import read_all_rows
from stand_in import BLUEHOUSE_DATA, SERVE, post_again, run_stand_in

TASKS = ("crawl", "tokenize", "find_copies", "fit_topics", "plan_encode", "encode", "score", "check", "publish")
ON_TPU = ("encode",)
OF_THE_DAG = ("tasks", "defaults")  # modules of plugins/ that hold what the DAG file wires
# Two parts, where so few petitions would be one.
TWO_PARTS = {"n_parts = _open().plan_encode()": "n_parts = 2 * _open().plan_encode()"}
SETTINGS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    **QUICK,
}
# The DAG with a short delay before retries, and without nights, which would run between ours.
CHANGED = TWO_PARTS | {
    '"retry_delay": timedelta(minutes=1)': '"retry_delay": timedelta(seconds=3)',
    'schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL)': "schedule=None",
}


def list_faults(chance: random.Random) -> list[Fault]:
    """Every worker in every task of its queue, every other service and kind of fault at a task by chance; shuffled."""
    faults = [Fault(what="kill", victim=name_worker(task), task=task) for task in TASKS]
    for victim in ("airflow-scheduler", "redis", "postgres", "airflow-scheduler", "redis", "postgres"):
        faults.append(Fault(what="kill", victim=victim, task=chance.choice(TASKS)))
    for what in ("task", "stop", "task", "stop", "task"):
        task = chance.choice(TASKS)
        faults.append(Fault(what=what, victim=name_worker(task), task=task))
    faults += 2 * [Fault(what="kill", victim="stand-in", task="crawl")]
    chance.shuffle(faults)
    return faults


def name_worker(task: str) -> str:
    """The service that runs a task."""
    return "tpu-worker" if task in ON_TPU else "worker"


def write_data(folder: Path) -> list[Path]:
    """A few petitions of each window, some of which are copies."""
    paths = []
    for month, n_petitions in (("2019-07", OLD[1]), ("2019-08", NEW[1])):
        lines = (BLUEHOUSE_DATA / f"{month}.jsonl").read_text(encoding="utf-8").splitlines()
        paths.append(folder / f"{month}.jsonl")
        paths[-1].write_text("\n".join(post_again(lines[-n_petitions:], 8)) + "\n", encoding="utf-8")
    return paths


def copy_dags(folder: Path, changed: Mapping[str, str]) -> Path:
    """The folder of a DAG that differs from ours in a few words, with its tasks, which are found before plugins/."""
    paths = (ROOT / "dags" / "petition_topics.py", *(ROOT / "plugins" / f"petition_{name}.py" for name in OF_THE_DAG))
    texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
    for before, after in changed.items():
        assert any(before in text for text in texts.values()), before
        texts = {name: text.replace(before, after) for name, text in texts.items()}
    (folder / "dags").mkdir()
    for name, text in texts.items():
        (folder / "dags" / name).write_text(text, encoding="utf-8")
    return folder / "dags"


def describe_difference(expected: dict[str, list[str]], found: dict[str, list[str]]) -> tuple[int, int, list[str]]:
    """Rows that are missing, rows that are too many, and their tables."""
    lost = {table: Counter(expected[table]) - Counter(found[table]) for table in expected}
    more = {table: Counter(found[table]) - Counter(expected[table]) for table in expected}
    named = [table for table in expected if lost[table] or more[table]]
    return sum(map(Counter.total, lost.values())), sum(map(Counter.total, more.values())), named


def run_undisturbed(killer: Killer) -> tuple[dict[str, list[str]], bool]:
    """Publish the older window, and run the newer one; gives its rows, and whether the reader saw nothing wrong."""
    say("the older window is made")
    killer.publish_old_window()
    killer.copy_database("petitions", "base")
    killer.cluster.call_api("PATCH", "/api/v2/dags/petition_topics", {"is_paused": False})
    say("the undisturbed run")
    began = time.monotonic()
    _, reader = killer.run("undisturbed", [], random.Random(0))
    expected = read_all_rows(killer.results)
    say(f"{time.monotonic() - began:.0f} s, {sum(map(len, expected.values()))} rows, {reader.looks} looks")
    say(f"refused {reader.refused}, wrong {reader.wrong[:3]}")
    return expected, not reader.wrong and not reader.refused


def kill_runs(killer: Killer, n_runs: int, n_kills: int, away: str, chance: random.Random) -> bool:
    """Make the runs, print a line of the table for each fault; gives whether nothing was wrong."""
    expected, is_well = run_undisturbed(killer)
    if away:
        killer.take_away(away)
    print("| run | killed | s after the task began | during | seconds to recover | rows lost | rows too many | "
          "looks of the reader | refused while Postgres was down | wrong or refused otherwise |")  # fmt: skip
    print("|--:|---|--:|---|--:|--:|--:|--:|--:|--:|", flush=True)
    faults: list[Fault] = []
    for number in range(1, n_runs + 1):
        while len(faults) < n_kills:
            faults += list_faults(chance)
        chosen, faults = sorted(faults[:n_kills], key=lambda fault: TASKS.index(fault.task)), faults[n_kills:]
        say(f"run {number}: {', '.join(f'{fault} in {fault.task}' for fault in chosen)}")
        began = time.monotonic()
        try:
            outcomes, reader = killer.run(f"killed_{number}", chosen, chance)
        except RuntimeError as error:
            print(f"| {number} | {', '.join(map(str, chosen))} | did not end well: {error} |", flush=True)
            killer.give_up(f"killed_{number}")
            is_well = False
            continue
        n_lost, n_more, tables = describe_difference(expected, read_all_rows(killer.results))
        n_wrong = len(reader.wrong) + reader.refused
        is_well &= not (n_lost or n_more or n_wrong)
        say(f"run {number}: tables {tables}, reader {reader.wrong[:3]}")
        rest = f"{n_lost} | {n_more} | {reader.looks} | {reader.excused} | {n_wrong} |"
        if not outcomes:
            print(f"| {number} | {away or 'nothing'}: away | | | {time.monotonic() - began:.0f} | {rest}", flush=True)
        for each in outcomes:
            print(f"| {number} | {each.fault} | {each.delay_s} | {each.during} | {each.recovered_s:.0f} | {rest}",
                  flush=True)  # fmt: skip
    return is_well


def main() -> None:
    """Read the arguments, and run."""
    parser = argparse.ArgumentParser(description="Kill the cluster while the DAG runs")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=1, help="in each run")
    parser.add_argument("--away", default="", help="a service that is gone in all runs but the undisturbed one")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        settings = SETTINGS | {"AIRFLOW__CORE__DAGS_FOLDER": str(copy_dags(folder, CHANGED))}
        with run_stand_in("bluehouse", *write_data(folder), today=NEW[0]) as site:
            variables = {
                "PETITIONS_SOURCE": "bluehouse", "PETITIONS_BLUEHOUSE_URL": site.url,
                "PETITIONS_REQUESTS_PER_SECOND": "40", "PETITIONS_CONNECTIONS": "4",
                "PETITIONS_TPU_WORKERS": "3",  # places in the pool: parts wait in Redis, where a kill may hit them
            }  # fmt: skip
            with run_cluster(variables, settings) as cluster:
                served = next(child for child in psutil.Process().children() if str(SERVE) in child.cmdline())
                killer = Killer(cluster, served)
                try:
                    is_well = kill_runs(killer, chosen.runs, chosen.kills, chosen.away, random.Random(chosen.seed))
                finally:
                    killer.site.kill()  # which may be another one by then
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
