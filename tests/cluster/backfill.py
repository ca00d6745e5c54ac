"""`airflow backfill` over past nights on the cluster, latest first, beside the same windows in an order by chance.

    PYTHONPATH=include:tests:tests/cluster python tests/cluster/backfill.py --nights 30

Each night is a window of one month over the stand-in. The other database is filled by the package alone, without
Airflow. What does not depend on the fit before (petitions, tokens, vectors, the fits and their windows) must be equal,
all checks passed, and readers must see the latest window, whatever came last. Prints what was compared; ends with
status 1 where something differs.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from killing import say
from kills import FEW_PARTS, copy_dags
from sqlalchemy import Engine, NullPool, create_engine, text

from cluster import QUICK, Cluster, run_cluster
from stand_in import BLUEHOUSE_DATA, run_stand_in

LAST = date(2019, 8, 31)  # the latest night begins at 03:00 in Seoul on that day; its window ends the day after
N_PETITIONS, N_TOPICS = 200, 6  # of each month
PATIENCE_S = 3600
CHANGED = FEW_PARTS | {
    "start_date=pendulum.datetime(2026, 1, 1, tz=SEOUL)": "start_date=pendulum.datetime(2019, 1, 1, tz=SEOUL), "
    "end_date=pendulum.datetime(2019, 12, 31, tz=SEOUL)",  # no night of today
}
COMPARED = {
    "petitions": "SELECT petition_id, content_hash, status, n_agreements, begins_on FROM petitions.petition ORDER BY 1",
    "tokens": "SELECT petition_id, content_hash, md5(tokens::text) FROM petitions.petition_tokens ORDER BY 1",
    "vectors": "SELECT petition_id, encoder, content_hash FROM petitions.petition_embedding ORDER BY 1, 2",
    "fits": "SELECT source, since, until, n_topics, n_petitions FROM petitions.topic_model ORDER BY 3",
    "failed checks": "SELECT run_id, name FROM petitions.check_result WHERE NOT passed",
    "published": "SELECT since, until FROM petitions.current_model",
}
SHUFFLED = """
import sys
from datetime import date
from petitions.pipeline import Pipeline
for until in sys.argv[2:]:
    run = Pipeline.open(source="bluehouse", until=date.fromisoformat(until), months=1, topics=int(sys.argv[1]))
    run.run(is_by_hand=False)
"""


def write_data(folder: Path) -> list[Path]:
    """Petitions of three months, spread over each of them."""
    paths = []
    for month in ("2019-06", "2019-07", "2019-08"):
        lines = (BLUEHOUSE_DATA / f"{month}.jsonl").read_text(encoding="utf-8").splitlines()
        paths.append(folder / f"{month}.jsonl")
        paths[-1].write_text("\n".join(lines[:: len(lines) // N_PETITIONS][:N_PETITIONS]) + "\n", encoding="utf-8")
    return paths


def run_command(cluster: Cluster, service: str, command: list[str], **variables: str) -> None:
    environ = cluster.environment_of(cluster.services[service]) | variables
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def backfill(cluster: Cluster, nights: int) -> None:
    """Make the runs, latest first, two at once, and wait until all have ended."""
    conf = json.dumps({"source": "bluehouse", "months": 1, "topics": N_TOPICS})
    days = ["--from-date", str(LAST - timedelta(days=nights)), "--to-date", str(LAST)]
    cluster.call_api("PATCH", "/api/v2/dags/petition_topics", {"is_paused": False})
    command = ["airflow", "backfill", "create", "--dag-id", "petition_topics", "--dag-run-conf", conf, *days]
    run_command(cluster, "airflow-scheduler", [*command, "--run-backwards", "--max-active-runs", "2"])
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        runs = cluster.call_api("GET", "/api/v2/dags/petition_topics/dagRuns?limit=100")["dag_runs"]
        states = [run["state"] for run in runs]
        say(f"{len(states)} runs: {states.count('success')} well, {states.count('failed')} failed")
        if not set(states) & {"queued", "running"}:
            assert states == nights * ["success"], states
            return
        time.sleep(20)
    raise RuntimeError(f"the backfill has not ended after {PATIENCE_S} s")


def fill_shuffled(cluster: Cluster, nights: int) -> Engine:
    """The same windows by the package, in an order by chance, in a database of their own."""
    name = "shuffled"
    for database, statement in (
        ("postgres", f"CREATE DATABASE {name} OWNER petition_owner"),
        (name, "CREATE EXTENSION vector"),  # only a superuser may
    ):
        url = cluster.database_url("postgres", database)
        with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as conn:
            conn.execute(text(statement))
    url = cluster.database_url("petition_owner", name)
    untils = [str(LAST + timedelta(days=1 - night)) for night in range(nights)]
    random.Random(0).shuffle(untils)
    artifacts = str(cluster.folder / name)
    for command in (["petitions", "db", "upgrade"], [sys.executable, "-c", SHUFFLED, str(N_TOPICS), *untils]):
        run_command(cluster, "worker", command, PETITIONS_DATABASE_URL=url, PETITIONS_ARTIFACTS=artifacts)
    return create_engine(url, poolclass=NullPool)


def compare(found: Engine, expected: Engine) -> bool:
    """Print what was compared; gives whether all is equal, every check passed, and the latest window published."""
    is_well = True
    for name, query in COMPARED.items():
        with found.connect() as here, expected.connect() as there:
            rows, wanted = here.execute(text(query)).all(), there.execute(text(query)).all()
        print(
            f"{name}: {len(rows)} rows, {'equal' if rows == wanted else f'but {len(wanted)} by the package'}",
            flush=True,
        )
        is_well &= rows == wanted
        if name == "published":
            is_well &= [until for _, until in rows] == [LAST + timedelta(days=1)]
        if name == "failed checks":
            is_well &= not rows
    return is_well


def main() -> None:
    parser = argparse.ArgumentParser(description="Backfill past nights on the cluster")
    parser.add_argument("--nights", type=int, default=30)
    nights = parser.parse_args().nights
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        settings = QUICK | {"AIRFLOW__CORE__DAGS_FOLDER": str(copy_dags(folder, CHANGED))}
        with run_stand_in("bluehouse", *write_data(folder), today=str(LAST + timedelta(days=1))) as site:
            variables = {
                "PETITIONS_SOURCE": "bluehouse", "PETITIONS_BLUEHOUSE_URL": site.url,
                "PETITIONS_REQUESTS_PER_SECOND": "2000", "PETITIONS_CONNECTIONS": "4",
            }  # fmt: skip
            with run_cluster(variables, settings) as cluster:
                began = time.monotonic()
                backfill(cluster, nights)
                say(f"{nights} nights in {time.monotonic() - began:.0f} s")
                expected = fill_shuffled(cluster, nights)
                found = create_engine(cluster.database_url("petition_owner", "petitions"), poolclass=NullPool)
                is_well = compare(found, expected)
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
