"""Tell Airflow's database that a run of `airflow dags test` was stopped, or a scheduler would go on with it.

    python deploy/end_run.py petition_topics '{"source": "sample"}' 2026-11-30T16:00:00+00:00

A scheduler takes any run that is "running" for its own (DagRun.get_running_dag_runs_to_examine), as soon as the DAG is
switched on, and runs none of the nights meanwhile; Airflow's command line has no word for ending one. A run that ended
by SIGKILL nobody tells of: fail it on its page.
"""

import json
import sys
from datetime import datetime


def main(dag_id: str, conf: str, since: str) -> None:
    """Fail the runs of the DAG by that conf which began since then, and those of their tasks that have not ended."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, State, TaskInstanceState
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy import select

    begun = (
        DagRun.dag_id == dag_id,
        DagRun.state == DagRunState.RUNNING,
        DagRun.triggered_by == DagRunTriggeredByType.TEST,
        DagRun.start_date >= datetime.fromisoformat(since),
    )
    with create_session() as session:
        for run in session.scalars(select(DagRun).where(*begun)):
            if run.conf == json.loads(conf):
                for task in run.get_task_instances(state=State.unfinished, session=session):
                    task.set_state(TaskInstanceState.FAILED, session=session)
                run.set_state(DagRunState.FAILED)


if __name__ == "__main__":
    main(*sys.argv[1:])
