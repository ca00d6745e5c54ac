"""What a task tells the outside of its work: figures by OpenTelemetry or StatsD, and the tables it reads and writes.

Both are off until Airflow's own settings turn them on; docs/monitoring.md says how.
"""

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.lineage.entities import Table

POSTGRES_PORT = 5432
_DATABASE = re.compile(
    r"[\w+]+://([^@]*@)?(?P<host>\[[\w.:]+\]|[\w.-]*)(:(?P<port>\d+))?(/(?P<database>[^/?@]*))?(\?.*)?", re.DOTALL
)


def send_figures(step: str, *, rows_in: int, rows_out: int, seconds: float, part: str = "") -> None:
    """Send rows and seconds of a step that is done, from within its task.

    Gauges and not counters: each task is a process of its own, so that a counter would start from zero every time.

    Args:
        step: of the pipeline, such as "crawl".
        rows_in: read.
        rows_out: written.
        seconds: that it took.
        part: which of several like it, such as "bert 2"; empty where there is one.
    """
    from airflow.sdk import get_current_context
    from airflow.sdk.observability import stats

    tags = {"dag_id": get_current_context()["dag"].dag_id, "step": step, "part": part or "all"}
    for name, value in (("rows_in", rows_in), ("rows_out", rows_out), ("seconds", seconds)):
        stats.gauge(f"petitions.{name}", value, tags=tags)


def name_tables(*names: str) -> "list[Table]":
    """Name tables of the results database for the `inlets` and `outlets` of a task, as OpenLineage names them.

    Args:
        names: such as "petition"; the schema goes before them.
    """
    from airflow.providers.common.compat.lineage.entities import Table

    host, port, database = _find_database(os.environ.get("PETITIONS_DATABASE_URL", ""))
    cluster = f"postgres://{host or 'localhost'}:{port or POSTGRES_PORT}"
    return [Table(cluster=cluster, database=database or "postgres", name=f"petitions.{name}") for name in names]


def _find_database(url: str) -> tuple[str, str, str]:
    """Host, port and database of a SQLAlchemy URL; nothing that is no name, since a password may have slipped there.

    Read here, and not by SQLAlchemy, since DAG files are parsed with it; so nothing may be raised either.
    """
    found = _DATABASE.fullmatch(url)
    return (found["host"].strip("[]"), found["port"] or "", found["database"] or "") if found else ("", "", "")
