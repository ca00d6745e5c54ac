"""`make test-engine`: docker-compose.yaml in a real Docker engine, from the images to what a restore brings back.

    python tests/engine/run.py            # about half an hour on two cores; exits with 2 where no engine can run

Takes an engine that answers, or starts Debian's (as root). Commands of docs/operations.md are run as they stand there.
What it leaves is the store of images (`ENGINE_STORE`, /var/tmp/petition-engine); a failure shows states and logs first.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
import engine_checks as checks  # noqa: E402 the tests' folders come first
from base_images import make_bases  # noqa: E402
from engine_host import STORE, NoEngineError, open_engine  # noqa: E402
from installation import SHARED, Installation, read_commands  # noqa: E402

PROJECT = "petition-engine"
DATA = SHARED / "data" / "bluehouse"
# The end of each window, and its run. The second has two parts (of 256 petitions) to share; ENGINE_UNTIL=2019-06-18 has
# 53 more petitions than the first one, and one part: enough for a machine that is busy.
FIRST, SECOND = ("2019-06-16", "by_hand"), (os.environ.get("ENGINE_UNTIL", "2019-07-02"), "again")
N_JULY = 20
CHUNK = 256
RUN_S = 2400
SCALED = 2
PERSON = "CREATE ROLE anna LOGIN PASSWORD 'of-her-own' IN ROLE petition_reader"
DOCTOR_S = 120
SHOW_QUEUES = "CELERY_BROKER_URL=$(cat /run/secrets/broker_url) celery inspect active_queues --timeout 20"
SHOW_TENSORFLOW = "pip list 2>/dev/null | grep -c ^tensorflow"


class EngineTest:
    """The steps, in their order; each gives what it found in a line."""

    def __init__(self, place: Path) -> None:
        self.place = place
        rows = read_lines(DATA / "2019-06.jsonl") + read_lines(DATA / "2019-07.jsonl")[:N_JULY]
        self.days = [json.loads(row)["begin"] for row in rows]
        self.data = place / "few.jsonl"
        self.data.write_text("".join(rows), encoding="utf-8")
        self.data.chmod(0o644)
        self.variables = {
            "PETITIONS_IMAGE": f"{PROJECT}:latest",
            "PETITIONS_TPU_IMAGE": f"{PROJECT}:tpu-worker",
            "PETITIONS_SOURCE": "bluehouse",
            "PETITIONS_BLUEHOUSE_URL": "http://site:8600",
            "PETITIONS_REQUESTS_PER_SECOND": "1000",
            "ENGINE_DATA": str(self.data),
            "ENGINE_TODAY": FIRST[0],
        }
        self.main = self.make("main", PROJECT)
        self.restored: Installation | None = None
        self.kept: list[str] = []
        self.workers = SCALED if self.count(SECOND) - self.count(FIRST) > CHUNK else 1  # who get a part

    def make(self, name: str, project: str) -> Installation:
        """A checkout of its own, as on another machine."""
        (self.place / name).mkdir()
        return Installation(self.place / name, project, self.variables)

    def make_base_images(self) -> str:
        return ", ".join(make_bases())

    def build_both_targets(self) -> str:
        self.main.compose("build", timeout_s=3600)
        tpu = f"PETITIONS_TPU_TARGET=tpu PETITIONS_TPU_IMAGE={PROJECT}:tpu"
        self.main.shell(f"{tpu} docker compose build tpu-worker", timeout_s=3600)
        sizes = self.main.shell(f"docker images --format '{{{{.Tag}}}} {{{{.Size}}}}' {PROJECT}").split("\n")
        found = self.main.shell(f"docker run --rm {PROJECT}:tpu bash -c {shlex.quote(SHOW_TENSORFLOW)}")
        assert found == "1", f"the image tpu has {found} wheels of TensorFlow"
        return ", ".join(sizes)

    def bring_up(self) -> str:
        self.main.up()
        return checks.check_rights(self.main)

    def run_first_night(self) -> str:
        return self.run_night(self.main, FIRST)

    def run_night(self, installation: Installation, night: tuple[str, str]) -> str:
        api, (until, run_id) = installation.api(), night
        api.trigger({"source": "bluehouse", "until": until, "months": 1}, run_id)
        tasks = api.wait_for_run(run_id, RUN_S, 5)
        checks.check_log(installation, run_id)
        return checks.check_queues(installation, tasks)

    def see_rows(self) -> str:
        return checks.check_rows(self.main, self.count(FIRST))

    def see_that_all_else_is_closed(self) -> str:
        return checks.check_closed(self.main)

    def back_up(self) -> str:
        self.main.sql(PERSON)
        self.kept = checks.read_kept(self.main)
        self.main.shell(read_commands("Backup and restore", 0, self.main.project))
        files = [
            self.main.folder / name for name in ("airflow.dump", "petitions.dump", "roles.dump", "artifacts.tar.gz")
        ]
        return ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in files)

    def take_down(self) -> str:
        self.main.down()
        assert not self.main.shell(f"docker ps -aq --filter label=com.docker.compose.project={self.main.project}")
        return "no container is left, the volumes are"

    def restore_into_another_project(self) -> str:
        self.restored = other = self.make("restored", f"{PROJECT}-restored")
        for name in ("airflow.dump", "petitions.dump", "roles.dump", "artifacts.tar.gz"):
            (self.main.folder / name).rename(other.folder / name)
        (other.folder / ".local/secrets/fernet_key").write_text(self.main.secret("fernet_key"), encoding="utf-8")
        told = other.shell(read_commands("Backup and restore", 1, other.project), 1800)
        assert checks.read_kept(other) == self.kept
        assert other.sql("SELECT pg_has_role('anna', 'petition_reader', 'member')") == "t"
        other.up()
        checks.check_rows(other, self.count(FIRST))
        assert other.api().read_state(FIRST[1]) == "success", "the history of runs is not there"
        other.down(with_volumes=True)
        self.restored = None
        n_fit = told.count("│ yes │")
        return f"equal counts of {len(self.kept) - 1} tables, same topics, the person's login, doctor: {n_fit} yes"

    def bring_up_again(self) -> str:
        self.main.up()
        assert checks.read_kept(self.main) == self.kept
        return checks.check_rows(self.main, self.count(FIRST))

    def rotate_secrets(self) -> str:
        names = ["pgpass", "pgpass_admin", "redis_password", "broker_url", "airflow_passwords"]
        stop = read_commands("Secrets and their rotation", 0, self.main.project).splitlines()[0]
        old = {name: self.main.secret(name) for name in names}
        self.main.shell(stop)
        self.main.shell(f"cd .local/secrets && rm {' '.join(names)}")
        self.main.make_secrets()
        self.main.shell("docker compose up -d --force-recreate --wait --wait-timeout 840")
        assert all(self.main.secret(name) != old[name] for name in names)
        role, password = old["pgpass"].splitlines()[0].split(":")[3:]
        try:
            self.main.inside(
                "postgres", "env", f"PGPASSWORD={password}", "psql", "-h", "127.0.0.1", "-U", role, "-c", ""
            )
        except RuntimeError as error:
            assert "password authentication failed" in str(error), error
        else:
            raise AssertionError("the old password still opens Postgres")
        checks.check_rows(self.main, self.count(FIRST))
        return f"{len(names)} files; the old password is refused, the page opens with the new one"

    def scale_to_two_and_kill_one_in_mid_run(self) -> str:
        self.main.set(PETITIONS_TPU_WORKERS=str(SCALED), ENGINE_TODAY=SECOND[0])
        self.main.up(scale=SCALED)
        checks.check_rights(self.main)
        queues = self.main.inside("worker", "sh", "-c", SHOW_QUEUES)
        assert queues.count("* {'name': 'tpu'") == SCALED, queues
        api, (until, run_id) = self.main.api(), SECOND
        api.trigger({"source": "bluehouse", "until": until, "months": 1}, run_id)
        part = wait_for(lambda: self.find_running(run_id), RUN_S)
        self.main.shell(f"docker exec {part} sh -c 'kill -9 -1' || true")  # all but pid 1, which then ends
        began = time.monotonic()
        tasks = api.wait_for_run(run_id, RUN_S, 5)
        took_s = time.monotonic() - began
        tries = [task["try_number"] for task in tasks if task["task_id"] == "encode"]
        assert checks.restart_count(self.main, "tpu-worker") >= 1, "the engine did not start the container again"
        assert max(tries) > 1, f"nothing was tried again: {tries}"
        told = checks.check_queues(self.main, tasks)
        rows = checks.check_rows(self.main, self.count(SECOND))
        return f"{self.workers} at work; killed in encode, tries {tries}, ended {took_s:.0f} s later; {told}; {rows}"

    def find_running(self, run_id: str) -> str:
        """The container that runs a part of encode, while all who get one do."""
        tasks = [task for task in self.main.api().read_tasks(run_id) if task["task_id"] == "encode"]
        hosts = {task["hostname"] for task in tasks if task["state"] == "running" and task["hostname"]}
        return hosts.pop() if len(hosts) == self.workers else ""

    def see_doctor_without_a_tpu(self) -> str:
        began = time.monotonic()
        run = (
            f"docker run --rm --read-only --tmpfs /tmp --user 1000:0 -e USER=airflow -e MPLCONFIGDIR=/tmp {PROJECT}:tpu"
        )
        told = self.main.shell(f"{run} timeout {DOCTOR_S} petitions doctor || true")
        line = next(line for line in told.splitlines() if "accelerator" in line)
        return f"{time.monotonic() - began:.0f} s, {line.strip('│ ')}"

    def leave_nothing(self) -> str:
        self.main.down(with_volumes=True)
        left = self.main.shell(
            f"for kind in container volume network; do docker $kind ls --quiet --filter name={PROJECT}; done"
        )
        assert not left, left
        return "no container, volume or network is left"

    def count(self, night: tuple[str, str]) -> int:
        """How many petitions the site has shown by a night."""
        return sum(day < night[0] for day in self.days)

    def steps(self) -> list[Callable[[], str]]:
        """What is done, in this order."""
        return [
            self.make_base_images, self.build_both_targets, self.see_doctor_without_a_tpu, self.bring_up,
            self.run_first_night, self.see_rows, self.see_that_all_else_is_closed, self.back_up, self.take_down,
            self.restore_into_another_project, self.bring_up_again, self.rotate_secrets,
            self.scale_to_two_and_kill_one_in_mid_run, self.leave_nothing,
        ]  # fmt: skip

    def clean_up(self) -> None:
        """Take down what a failed step left, after what it tells."""
        for installation in filter(None, (self.restored, self.main)):
            print(installation.tell_trouble())
            installation.down(with_volumes=True)


def read_lines(path: Path) -> list[str]:
    """The lines of a file, with their ends."""
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def wait_for(ask: Callable[[], str], patience_s: float) -> str:
    """Ask until there is an answer."""
    deadline = time.monotonic() + patience_s
    while not (told := ask()):
        assert time.monotonic() < deadline, f"no answer after {patience_s} s"
        time.sleep(2)
    return told


def run_steps(test: EngineTest) -> None:
    """Run all, and tell of each how long it took and what it found."""
    began = time.monotonic()
    for step in test.steps():
        start = time.monotonic()
        told = step()
        print(f"{time.monotonic() - start:6.0f} s  {step.__name__.replace('_', ' ')}: {told}", flush=True)
    print(f"{time.monotonic() - began:6.0f} s  in all: all holds", flush=True)


def main() -> int:
    if not DATA.is_dir():
        print(f"not run: {DATA} is absent, and the run needs the stand-in's petitions")
        return 2
    try:
        with open_engine() as host, tempfile.TemporaryDirectory(prefix="petition-engine-") as place:
            print(f"engine: {host}, store: {STORE}", flush=True)
            subprocess.run(["docker", "version", "--format", "docker {{.Server.Version}}"], check=True)
            test = EngineTest(Path(place))
            try:
                run_steps(test)
            except BaseException:
                test.clean_up()
                raise
    except NoEngineError as error:
        print(f"not run: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
