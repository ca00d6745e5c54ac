"""The checks of a run as tasks of Airflow: each is judged by Airflow's own operator, under its own name in the grid."""

import math
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.providers.common.sql.operators.sql import SQLThresholdCheckOperator

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from petitions.pipeline import Pipeline


class ResultsHook(DbApiHook):
    """Asks the results database, which the settings of the package name and no connection of Airflow."""

    conn_name_attr = "petitions_conn_id"
    default_conn_name = "petitions"

    def __init__(self, values: dict[str, Any]) -> None:
        """Args: values: what the queries are given by name; bound, and never written into them."""
        super().__init__()
        self.values = values

    def get_sqlalchemy_engine(self, engine_kwargs: dict[str, Any] | None = None) -> "Engine":
        """Connect as the package does; starts the embedded Postgres where no database is named."""
        from petitions.settings import Settings
        from petitions.store.database import open_engine

        return open_engine(Settings.from_env().database_url)

    def get_first(self, sql: str | list[str], parameters: Any = None) -> tuple[float]:
        """Run the query of a check as the package runs it; NaN without an answer, which no limit lets pass."""
        from petitions.store.checks import measure

        with self.get_sqlalchemy_engine().connect() as conn:
            return (measure(conn, str(sql), self.values),)


class PetitionCheckOperator(SQLThresholdCheckOperator):
    """One planned check of a fit: stores its outcome in `check_result`, and fails where the value breaks its limit."""

    def __init__(self, *, check: str, petition_run: str, model_id: str, values: dict[str, Any], **kwargs: Any) -> None:
        """See `SQLThresholdCheckOperator`.

        Args:
            check: the name of the outcome.
            petition_run: the run_id of the package, not Airflow's.
            model_id: the fit that is checked.
            values: what the query is given by name.
            kwargs: sql, min_threshold and max_threshold ("-inf" and "inf" where there is none), and those of any task.
        """
        super().__init__(retry_on_failure=False, **kwargs)
        self.check, self.petition_run, self.model_id, self.values = check, petition_run, model_id, values

    def get_db_hook(self) -> DbApiHook:
        """The door to the results database."""
        return ResultsHook(self.values)

    def push(self, meta_data: dict[str, Any]) -> None:
        """Store the outcome, before Airflow raises it."""
        from petitions.steps.check import take_outcome
        from petitions.steps.step import now
        from petitions.store.check_rules import Rule
        from petitions.store.checks import judge

        super().push(meta_data)  # type: ignore[no-untyped-call]
        least, most = meta_data["min_threshold"], meta_data["max_threshold"]
        rule = Rule(
            name=self.check,
            sql=self.sql,
            at_least=least if math.isfinite(least) else None,
            at_most=most if math.isfinite(most) else None,
        )
        result = judge(self.check, rule, meta_data["result"])
        take_outcome(
            ResultsHook(self.values).get_sqlalchemy_engine(), self.petition_run, self.model_id, result, at=now()
        )

    def get_openlineage_facets_on_start(self) -> None:
        """Nothing: the base class would ask for a connection of Airflow; inlets and outlets tell the tables."""

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> None:
        """Nothing, as at the start."""


def to_arguments(pipeline: "Pipeline", model_id: str) -> list[dict[str, Any]]:
    """Plan the checks of a fit: the arguments that `PetitionCheckOperator` is mapped over, ready for XCom."""
    return [
        {
            "check": item.name,
            "petition_run": pipeline.run_id,
            "model_id": model_id,
            "sql": item.rule.sql,
            "min_threshold": "-inf" if item.rule.at_least is None else str(item.rule.at_least),
            "max_threshold": "inf" if item.rule.at_most is None else str(item.rule.at_most),
            "values": dict(item.values),
        }
        for item in pipeline.plan_checks(model_id)
    ]
