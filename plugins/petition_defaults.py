"""What both DAGs share: retries, parameters of a window, and the pipeline that a task opens from them.

Parsed with the DAG files: nothing heavy at module level.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import ExceptionRetryPolicy, Param, RetryAction, RetryRule, get_current_context
from petition_notices import PetitionNotifier

from petitions.sources.registry import SOURCES  # names alone: it imports no library

if TYPE_CHECKING:
    from petitions.pipeline import Pipeline

SEOUL = "Asia/Seoul"
DEFAULT_ARGS = {
    "owner": "petitions",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "retry_policy": ExceptionRetryPolicy(
        [RetryRule(exception="petitions.errors.PermanentError", action=RetryAction.FAIL)]
    ),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": PetitionNotifier(),
}


def make_window_params(months: int) -> dict[str, Param]:
    """The parameters of a run that choose a source and a window, so many months long unless it is said."""
    return {
        "source": Param(None, type=["null", "string"], enum=[None, *SOURCES], title="Source",
                        values_display={"null": "(the setting PETITIONS_SOURCE)"},
                        description="Where the box is set that switches the DAG on, last night runs at once, too: it"
                        " asks the live site of PETITIONS_SOURCE, whatever is chosen here"),
        "until": Param(None, type=["null", "string"], format="date", title="Until",
                       description="First day that the window leaves out; empty: the end of the data interval"),
        "months": Param(months, type="integer", minimum=1, maximum=120, title="Months"),
    }  # fmt: skip


def refuse_unknown(asked: Collection[str], known: Collection[str]) -> None:
    """Refuse a parameter that is not the DAG's, which Airflow takes without a word: a typing error would do nothing.

    Raises:
        ConfigError: names it, and those that there are.
    """
    from petitions.errors import ConfigError

    if unknown := sorted(set(asked) - set(known)):
        raise ConfigError(f"unknown parameter {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def open_pipeline(**changes: Any) -> "Pipeline":
    """Connect inside a task, over the window that the run's parameters or its data interval give.

    Raises:
        ConfigError: neither gives one, or the run has a parameter that the DAG does not know.
    """
    from petitions.errors import ConfigError
    from petitions.pipeline import Pipeline

    context = get_current_context()
    params, data_interval_end = context["params"], context.get("data_interval_end")
    refuse_unknown(context["dag_run"].conf or {}, context["dag"].params)
    if params["until"]:
        until = date.fromisoformat(params["until"])
    elif data_interval_end:
        until = pendulum.instance(data_interval_end).in_timezone(SEOUL).date()
    else:
        raise ConfigError("this run has no data interval: trigger it with the parameter `until` (YYYY-MM-DD)")
    return Pipeline.open(source=params["source"], until=until, months=params["months"], **changes)
