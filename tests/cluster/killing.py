"""One run of the DAG on the cluster with its faults, and a reader of the views all along."""

import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread

import psutil
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from cluster import Cluster

# Two windows of a month: the first day that each leaves out, its petitions, and its topics (few give fewer).
OLD, NEW = ("2019-08-01", 60, 6), ("2019-09-01", 120, 9)
DELAY_S = 1.5  # a kill comes so long at most after its task began,
SHORT_S, SHORT = 0.3, ("tokenize", "find_copies", "check", "publish")  # or after one of these, which end at once
PAUSE_S = 2  # until the restart
STOPPED_S = 45  # longer than Airflow waits for the heartbeat of a task
PATIENCE_S = 420
LOOK = """
SELECT (SELECT count(*) FROM petitions.current_topic),
       (SELECT round(sum(share)::numeric, 3) FROM petitions.current_topic),
       (SELECT count(*) FROM petitions.current_petition),
       (SELECT count(*) FROM petitions.current_petition WHERE next_sentence IS NULL OR topic_similarity IS NULL
           OR topic_id IS NULL),
       (SELECT count(DISTINCT model_id) FROM (SELECT model_id FROM petitions.current_topic
           UNION ALL SELECT model_id FROM petitions.current_petition) AS both_views)
"""
STATE = "SELECT state FROM dag_run WHERE run_id = :run"
DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
RUNNING = "SELECT task_id, map_index FROM task_instance WHERE run_id = :run AND state = 'running'"
ENDED = "SELECT max(end_date) FROM task_instance WHERE run_id = :run AND task_id = :task AND map_index = :part"
Ran = list[tuple[str, int]]  # task_id and map index, -1 where the task is not mapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is done to whom during which task; `what` is kill, stop (SIGSTOP, later SIGCONT) or task (one process)."""

    what: str
    victim: str
    task: str

    def __str__(self) -> str:
        told = {"kill": "SIGKILL", "stop": f"SIGSTOP for {STOPPED_S} s", "task": "SIGKILL to the task's process alone"}
        return f"{self.victim}: {told[self.what]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One fault as it went: what ran at that moment, and seconds until that had ended well."""

    fault: Fault
    delay_s: float
    during: str
    recovered_s: float


class Reader(Thread):
    """Looks at the views each 0.2 s, as a page does."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._engine = create_engine(url, poolclass=NullPool)
        self._ended = Event()
        self.is_postgres_down = Event()
        self.looks = self.excused = self.refused = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._ended.wait(0.2):
            was_down = self.is_postgres_down.is_set()
            try:
                with self._engine.connect() as conn:
                    topics, share, petitions, unscored, fits = conn.execute(text(LOOK)).one()
            except DBAPIError:
                is_excused = was_down or self.is_postgres_down.is_set()
                self.excused, self.refused = self.excused + is_excused, self.refused + (not is_excused)
                continue
            self.looks += 1
            if not ((petitions, topics) in (OLD[1:], NEW[1:]) and share == 1 and unscored == 0 and fits == 1):
                self.wrong.append(f"{topics} topics of {share}, {petitions} petitions, {unscored} bare, {fits} fits")

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()


class Killer:
    """Runs the DAG again and again from the same database, and breaks what it is told to."""

    def __init__(self, cluster: Cluster, site: psutil.Process) -> None:
        self.cluster, self.site = cluster, site
        self.away: set[str] = set()
        self.metadata = create_engine(cluster.database_url("airflow", "airflow"), poolclass=NullPool)
        self.results = create_engine(cluster.database_url("petition_owner", "petitions"), poolclass=NullPool)
        admin = cluster.database_url("postgres", "postgres")
        self.admin = create_engine(admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def copy_database(self, source: str, target: str) -> None:
        """Put a copy of a database in the place of another."""
        with self.admin.connect() as conn:
            conn.execute(text(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)"))
            conn.execute(text(DISCONNECT), {"name": source})
            conn.execute(text(f"CREATE DATABASE {target} TEMPLATE {source} OWNER petition_owner"))
            conn.execute(text(f"GRANT CONNECT ON DATABASE {target} TO petitions, petition_page"))

    def publish_old_window(self) -> None:
        """Run the steps of the older window without Airflow."""
        worker = self.cluster.services["worker"]
        command = ["petitions", "run", "--source", "bluehouse", "--until", OLD[0], "--months", "1"]
        subprocess.run(command, env=self.cluster.environment_of(worker), check=True, stdout=subprocess.DEVNULL)

    def start_run(self, run_id: str) -> None:
        """Trigger the DAG over the newer window."""
        conf = {"source": "bluehouse", "until": NEW[0], "months": 1}
        body = {"logical_date": None, "conf": conf, "dag_run_id": run_id}
        self.cluster.call_api("POST", "/api/v2/dags/petition_topics/dagRuns", body)

    def take_away(self, name: str) -> None:
        """Kill a service that does not come back."""
        self.away.add(name)
        self.cluster.kill(name)

    def give_up(self, run_id: str) -> None:
        """Fail a run that does not end, so that the next one may begin."""
        if self.read_state(run_id) in ("queued", "running"):
            self.cluster.call_api("PATCH", f"/api/v2/dags/petition_topics/dagRuns/{run_id}", {"state": "failed"})

    def read_running(self, run_id: str) -> Ran:
        """The tasks that run at this moment, with their map index."""
        with self.metadata.connect() as conn:
            return [(task, part) for task, part in conn.execute(text(RUNNING), {"run": run_id})]

    def read_state(self, run_id: str) -> str:
        """The state of the run."""
        with self.metadata.connect() as conn:
            return str(conn.execute(text(STATE), {"run": run_id}).scalar_one())

    def restart_ended(self) -> None:
        """What `restart: unless-stopped` does."""
        for name in self.cluster.services:
            if name not in {"airflow-init", *self.away} and self.cluster.started[name].poll() is not None:
                say(f"  {name} ended by itself and is started again")
                self.cluster.kill(name)
                self.cluster.start(name)

    def wait_for(self, run_id: str, task: str) -> bool:
        """Wait until a task runs, or the whole run has ended where it is empty; False where the run has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.restart_ended()
            if task and any(name == task for name, _ in self.read_running(run_id)):
                return True
            if self.read_state(run_id) not in ("queued", "running"):
                return False
            if time.monotonic() > deadline:
                raise RuntimeError(f"{run_id} waits for {task or 'its end'} after {PATIENCE_S} s")
            time.sleep(0.1)

    def strike(self, fault: Fault, run_id: str, delay_s: float, reader: Reader) -> tuple[datetime, Ran]:
        """Do it, and start again what was killed; gives the moment and what ran at it."""
        time.sleep(delay_s)
        running, moment = self.read_running(run_id), datetime.now(UTC)
        say(f"  {fault} during {running}")
        if fault.what == "task":
            with suppress(psutil.NoSuchProcess):
                max(self.cluster.processes(fault.victim), key=psutil.Process.create_time).kill()
        elif fault.what == "stop":
            stopped = self.cluster.processes(fault.victim)
            send_all(stopped, signal.SIGSTOP)
            time.sleep(STOPPED_S)
            send_all(stopped, signal.SIGCONT)
        elif fault.victim == "stand-in":
            command = self.site.cmdline()
            self.site.kill()
            self.site.wait()
            time.sleep(PAUSE_S)
            self.site = psutil.Popen(command, stdout=subprocess.DEVNULL)
        else:
            if fault.victim == "postgres":
                reader.is_postgres_down.set()
            self.cluster.kill(fault.victim)
            time.sleep(PAUSE_S)
            self.cluster.start(fault.victim)
            if fault.victim == "postgres":
                self.cluster.wait_healthy("postgres")
                wait_for_answer(self.metadata)
                reader.is_postgres_down.clear()
        return moment, running

    def run(self, run_id: str, faults: list[Fault], chance: random.Random) -> tuple[list[Outcome], Reader]:
        """One run with its faults, from the database `base`.

        Raises:
            RuntimeError: it did not end well, or in time.
        """
        self.copy_database("base", "petitions")
        reader = Reader(self.cluster.database_url("petition_page", "petitions"))
        reader.start()
        self.start_run(run_id)
        struck = []
        try:
            for fault in faults:
                delay_s = round(chance.uniform(0, SHORT_S if fault.task in SHORT else DELAY_S), 2)
                if not self.wait_for(run_id, fault.task):
                    say(f"  too late for {fault} in {fault.task}")
                    break
                struck.append((fault, delay_s, *self.strike(fault, run_id, delay_s, reader)))
            self.wait_for(run_id, "")
        finally:
            reader.end()
        if (state := self.read_state(run_id)) != "success":
            raise RuntimeError(f"{run_id} is {state}")
        return [
            Outcome(
                fault=fault, delay_s=delay_s,
                during=", ".join(task if part < 0 else f"{task}[{part}]" for task, part in ran),
                recovered_s=self._seconds_to_recover(run_id, moment, ran),
            )
            for fault, delay_s, moment, ran in struck
        ], reader  # fmt: skip

    def _seconds_to_recover(self, run_id: str, moment: datetime, ran: Ran) -> float:
        with self.metadata.connect() as conn:
            found = [conn.execute(text(ENDED), {"run": run_id, "task": task, "part": part}) for task, part in ran]
            ends = [each.scalar() for each in found]
        return max([(end - moment).total_seconds() for end in ends if end] or [0.0])


def say(line: str) -> None:
    """Tell the log."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def send_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to those that live."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def wait_for_answer(engine: Engine) -> None:
    """Wait until a database that was killed has recovered from its log."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(DBAPIError), engine.connect():
            return
        time.sleep(0.2)
    raise RuntimeError("Postgres did not come back within 60 s")
