"""The tasks of the DAG petition_topics: how Airflow runs each step, and the one call that it is.

Which comes after which stands in dags/petition_topics.py; what a step does in petitions.steps.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, TriggerRule, get_current_context, task
from petition_defaults import open_pipeline
from petition_telemetry import name_tables, send_figures

if TYPE_CHECKING:
    from petitions.pipeline import Pipeline
    from petitions.store.parts import Part
    from petitions.store.runs import StepResult

PETITION_TOPICS = Asset("petition_topics")
READS_TEXTS: dict[str, Any] = {
    "inlets": name_tables("petition"),
    "outlets": name_tables("petition_embedding", "petition_score", "petition_keyword", "petition_label"),
}
TPU: dict[str, Any] = {"queue": "tpu", "pool": "tpu"}
# A pool of as many slots as workers: parts that wait in the queue itself would time out there.
FALLBACK: dict[str, Any] = {"pool": "tpu_fallback", "trigger_rule": TriggerRule.ONE_FAILED}
LONG = timedelta(hours=6)
# A mapped task does not take its docs from the function.
ONE_PART = "{{ task.op_kwargs['part'] + 1 }}/{{ task.op_kwargs['n_parts'] }}"


def _open() -> "Pipeline":
    """The pipeline of the run, which sends the figures of its steps."""
    from petitions.settings import read_topic_count

    topics = get_current_context()["params"]["topics"]  # of the form a text, of the API a number too
    return replace(open_pipeline(topics=read_topic_count(str(topics)) if topics else None), report=_report_step)


def _report_step(step: str, part: "Part", result: "StepResult") -> None:
    """Send the figures of a step; "encode bert" is the step encode, and bert with the number of the part its part."""
    name, _, encoder = step.partition(" ")
    number = "" if part.n_parts == 1 else str(part)
    send_figures(
        name, rows_in=result.rows_in, rows_out=result.rows_out, seconds=result.seconds,
        part=f"{encoder} {number}".strip(),
    )  # fmt: skip


def _find_part(part: int, n_parts: int) -> "Part":
    """The part of the window that a mapped task is given by numbers."""
    from petitions.store.parts import Part

    return Part(number=part, n_parts=n_parts)


def _warn_of_fallback(pipeline: "Pipeline", part: "Part") -> None:
    """Say in the log why this runs here; refuse what failed on the queue `tpu` by an error of its own."""
    from airflow.sdk.configuration import conf

    pipeline.refuse_failed(part)
    # A task knows of the scheduler's settings what its environment says, and else not even Airflow's defaults.
    n_tries = 1 + conf.getint("scheduler", "num_stuck_in_queued_retries", fallback=2)
    waited = n_tries * conf.getfloat("scheduler", "task_queued_timeout", fallback=600.0)
    logging.getLogger("airflow.task").warning(
        "part %s runs on the default queue: the queue tpu was not served within %.0f s, or its worker died",
        part, waited,
    )  # fmt: skip


@task(
    pool="petition_sites", execution_timeout=timedelta(hours=8),
    outlets=name_tables("petition", "petition_agreement", "crawl_reject"),
)  # fmt: skip
def crawl() -> int:
    """Fetch what is new or may have changed; returns the petitions written."""
    return _open().crawl()


@task(inlets=name_tables("petition"), outlets=name_tables("petition_tokens", "petition_mentions"))
def tokenize() -> int:
    """Tokenize the texts that this tokenizer has not seen."""
    return _open().tokenize()


@task(inlets=name_tables("petition"), outlets=name_tables("petition_fingerprint", "petition_copy"))
def find_copies() -> int:
    """Find the petitions that say the same; returns how many pairs."""
    return _open().find_copies()


@task(
    inlets=name_tables("petition_tokens"),
    outlets=name_tables("topic_model", "topic", "topic_term", "topic_event", "petition_topic"),
)
def fit_topics() -> str:
    """Fit LDA over the window; returns the model_id."""
    return _open().fit_topics()


@task.short_circuit(ignore_downstream_trigger_rules=False)
def plan_encode() -> list[dict[str, int]]:
    """Divide what is left to do into parts; where that is nothing, the tasks that would do it are skipped."""
    n_parts = _open().plan_encode()
    return [{"part": part, "n_parts": n_parts} for part in range(n_parts)]


# The probe comes before the parts that still wait for a slot, or each of those would have to time out first.
@task(**TPU, retries=0, priority_weight=1000, weight_rule="absolute")
def ask_tpu() -> None:
    """Is the queue `tpu` served? Fails where no worker takes this, see the docs of the DAG."""


@task(
    **TPU, **READS_TEXTS, execution_timeout=LONG, map_index_template=ONE_PART,
    doc_md="Give a part of the texts what they lack: vectors, scores, keywords, labels.",
)  # fmt: skip
def encode(part: int, n_parts: int) -> int:
    """Do one part by all encoders in one process; returns what was written."""
    return _open().encode_texts(_find_part(part, n_parts))


@task(
    **FALLBACK, **READS_TEXTS, execution_timeout=LONG, map_index_template=ONE_PART,
    doc_md="Do what is left of `encode` on the default queue, where the queue `tpu` is not served.",
)  # fmt: skip
def encode_fallback(part: int, n_parts: int) -> int:
    """Do what is left of one part; returns what was written."""
    pipeline, chosen = _open(), _find_part(part, n_parts)
    _warn_of_fallback(pipeline, chosen)
    return pipeline.encode_texts(chosen)


@task(
    trigger_rule=TriggerRule.NONE_FAILED,
    inlets=name_tables("petition_embedding", "petition_topic"), outlets=name_tables("petition_score"),
)  # fmt: skip
def score(model_id: str) -> int:
    """Score how near each petition stands to the middle of its topic; needs the whole window."""
    return _open().score(model_id)


@task(outlets=name_tables("check_result"))
def check(model_id: str) -> int:
    """Run all checks of the fit; the log lists each with value and limit, and one that fails stops the publishing."""
    return _open().check(model_id)


@task(outlets=[PETITION_TOPICS, *name_tables("topic_model")])
def publish(model_id: str) -> None:
    """Switch the readers to this fit; skipped where they see a later window, unless triggered by hand."""
    from airflow.sdk.exceptions import AirflowSkipException

    run_type = get_current_context()["dag_run"].run_type  # an enum, whose text is "DagRunType.MANUAL"
    if not _open().publish(model_id, is_by_hand=run_type.value == "manual"):
        raise AirflowSkipException(f"{model_id} is not published: readers keep a later window")
