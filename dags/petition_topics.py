"""### petition_topics: what are people petitioning about?

Every night at 03:00 in Seoul: read the petitions of the latest three months, find their topics, score each petition,
and publish the answer in Postgres. The window is closed, `[until - months, until)`, and `until` is the day on which
the data interval ends (in Seoul), so a rerun of an old night reads the same window again.

| task | reads | writes |
|---|---|---|
| `crawl` | the site, `petition` | raw answers (artifact store), `petition`, `petition_agreement`, `crawl_reject` |
| `tokenize` | `petition` | `petition_tokens` |
| `fit_topics` | `petition_tokens`, the published fit | `topic_model`, `topic`, `topic_{term,event}`, `petition_topic` |
| `encode` (parts of the window; bert, elmo) | `petition` | `petition_embedding` |
| `score` (parts of the window) | `petition`, `petition_embedding` | `petition_score`, `petition_keyword` |
| `score_similarity` (bert, elmo) | `petition_embedding`, `petition_topic` | `petition_score` |
| `check` (each check) | all of these | `check_result` |
| `publish` | `check_result` | the published fit: one transaction, readers see all of it or nothing |

Every task may be killed and run again. Pools: `petition_sites` is the politeness towards a site, `tpu` the accelerator,
with one slot a worker, `tpu_fallback` what the fallback may take of the default queue. Permanent errors (a site that
changed, a setting that cannot be) fail at once; others are tried four times, as is a task whose worker was killed; a
check that failed is not tried again, and nothing is published.

`encode` and `score` are 8 to 64 parts of the window, which the workers of the queue `tpu` share. `tpu_for_encode` and
`tpu_for_score` ask whether anybody serves it: where nobody takes them within `[scheduler] task_queued_timeout`, tried
again `num_stuck_in_queued_retries` times, Airflow fails them. Then `encode_fallback` and `score_fallback` do what is
left on the default queue, and log a warning.

Publishing by a night or a backfill never puts an older window in the place of a later one: then `publish` is skipped.
A run that was triggered by hand publishes its window, whichever it is.
"""

import logging
import os
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import (
    Asset,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    TriggerRule,
    dag,
    get_current_context,
    task,
)  # fmt: skip
from airflow.timetables.interval import CronDataIntervalTimetable
from petition_notices import NIGHT_DEADLINE, PetitionNotifier
from petition_operators import PetitionCheckOperator, to_arguments
from petition_telemetry import name_tables, send_figures

from petitions.sources.registry import SOURCES  # noqa: TID253 - names alone, no library

if TYPE_CHECKING:
    from petitions.pipeline import Pipeline
    from petitions.store.parts import Part
    from petitions.store.runs import StepResult

SEOUL = "Asia/Seoul"
ENCODERS = ["bert", "elmo"]
PETITION_TOPICS = Asset("petition_topics")
ENCODES: dict[str, Any] = {"inlets": name_tables("petition"), "outlets": name_tables("petition_embedding")}
SCORES: dict[str, Any] = {
    "inlets": name_tables("petition", "petition_embedding"),
    "outlets": name_tables("petition_score", "petition_keyword"),
}
TPU: dict[str, Any] = {"queue": "tpu", "pool": "tpu"}
# A pool of as many slots as workers: parts that wait in the queue itself would time out there.
FALLBACK: dict[str, Any] = {"pool": "tpu_fallback", "trigger_rule": TriggerRule.ONE_FAILED}
LONG = timedelta(hours=6)
# A mapped task does not take its docs from the function.
ONE_PART = "{{ task.op_kwargs['encoder'] }} {{ task.op_kwargs['part'] + 1 }}/{{ task.op_kwargs['n_parts'] }}"
# Only where somebody is told. A run with a deadline fails at the end of `airflow dags test` (Airflow 3.3.2, its bug).
IS_TOLD = os.environ.get("PETITIONS_NOTIFY_WEBHOOK") or os.environ.get("PETITIONS_NOTIFY_EMAIL")
DEADLINE = NIGHT_DEADLINE if IS_TOLD else None
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
PARAMS = {
    "source": Param(None, type=["null", "string"], enum=[None, *SOURCES], title="Source",
                    description="Empty: the setting PETITIONS_SOURCE"),
    "until": Param(None, type=["null", "string"], format="date", title="Until",
                   description="First day that the window leaves out; empty: the end of the data interval"),
    "months": Param(3, type="integer", minimum=1, maximum=120, title="Months"),
    "topics": Param(None, type=["null", "integer", "string"], minimum=2, maximum=200, pattern="^auto$", title="Topics",
                    description="A number, or auto; empty: the setting PETITIONS_TOPICS"),
}  # fmt: skip


def open_pipeline() -> "Pipeline":
    """Connect inside a task: whoever parses this file must not pay for it."""
    from petitions.errors import ConfigError
    from petitions.pipeline import Pipeline

    context = get_current_context()
    params, data_interval_end = context["params"], context.get("data_interval_end")
    if params["until"]:
        until = date.fromisoformat(params["until"])
    elif data_interval_end:
        until = pendulum.instance(data_interval_end).in_timezone(SEOUL).date()
    else:
        raise ConfigError("this run has no data interval: trigger it with the parameter `until` (YYYY-MM-DD)")
    pipeline = Pipeline.open(source=params["source"], until=until, months=params["months"], topics=params["topics"])
    return replace(pipeline, report=report_step)


def report_step(step: str, part: "Part", result: "StepResult") -> None:
    """Send the figures of a step; "encode bert" is the step encode, and bert with the number of the part its part."""
    name, _, encoder = step.partition(" ")
    number = "" if part.n_parts == 1 else str(part)
    send_figures(
        name, rows_in=result.rows_in, rows_out=result.rows_out, seconds=result.seconds,
        part=f"{encoder} {number}".strip(),
    )  # fmt: skip


def list_parts(n_parts: int, encoders: list[str]) -> list[dict[str, Any]]:
    """What the tasks of a step are mapped over."""
    return [{"encoder": name, "part": part, "n_parts": n_parts} for name in encoders for part in range(n_parts)]


def find_part(part: int, n_parts: int) -> "Part":
    """The part of the window that a mapped task is given by numbers."""
    from petitions.store.parts import Part

    return Part(number=part, n_parts=n_parts)


def warn_of_fallback(pipeline: "Pipeline", step: str, part: "Part") -> None:
    """Say in the log why this runs here; refuse what failed on the queue `tpu` by an error of its own."""
    from airflow.sdk.configuration import conf

    pipeline.refuse_failed(step, part)
    n_tries = 1 + conf.getint("scheduler", "num_stuck_in_queued_retries")
    waited = n_tries * conf.getfloat("scheduler", "task_queued_timeout")
    logging.getLogger("airflow.task").warning(
        "%s %s runs on the default queue: the queue tpu was not served within %.0f s, or its worker died",
        step, part, waited,
    )  # fmt: skip


@task(
    pool="petition_sites", execution_timeout=timedelta(hours=8),
    outlets=name_tables("petition", "petition_agreement", "crawl_reject"),
)  # fmt: skip
def crawl() -> int:
    """Fetch what is new or may have changed; returns the petitions written."""
    return open_pipeline().crawl()


@task(inlets=name_tables("petition"), outlets=name_tables("petition_tokens"))
def tokenize() -> int:
    """Tokenize the texts that this tokenizer has not seen."""
    return open_pipeline().tokenize()


@task(
    inlets=name_tables("petition_tokens"),
    outlets=name_tables("topic_model", "topic", "topic_term", "topic_event", "petition_topic"),
)
def fit_topics() -> str:
    """Fit LDA over the window; returns the model_id."""
    return open_pipeline().fit_topics()


@task
def plan_encode() -> list[dict[str, Any]]:
    """Divide the window into parts by its size."""
    pipeline = open_pipeline()
    return list_parts(max(pipeline.plan_parts(f"encode {name}") for name in ENCODERS), ENCODERS)


# The probe comes before the parts that still wait for a slot, or each of those would have to time out first.
@task(**TPU, retries=0, priority_weight=1000, weight_rule="absolute")
def ask_tpu() -> None:
    """Is the queue `tpu` served? Fails where no worker takes this, see the docs of the DAG."""


@task(**TPU, **ENCODES, execution_timeout=LONG, map_index_template=ONE_PART, doc_md="Embed the texts not yet encoded.")
def encode(encoder: str, part: int, n_parts: int) -> int:
    """Embed one part; returns how many petitions."""
    return open_pipeline().encode(encoder, find_part(part, n_parts))


@task(
    **FALLBACK, **ENCODES, execution_timeout=LONG, map_index_template=ONE_PART,
    doc_md="Do what is left of `encode` on the default queue, where the queue `tpu` is not served.",
)  # fmt: skip
def encode_fallback(encoder: str, part: int, n_parts: int) -> int:
    """Embed what is left of one part; returns how many petitions."""
    pipeline, chosen = open_pipeline(), find_part(part, n_parts)
    warn_of_fallback(pipeline, f"encode {encoder}", chosen)
    return pipeline.encode(encoder, chosen)


@task(trigger_rule=TriggerRule.NONE_FAILED)
def plan_score() -> list[dict[str, Any]]:
    """Divide the window into parts by its size."""
    return list_parts(open_pipeline().plan_parts("score bert"), ["bert"])


@task(**TPU, **SCORES, execution_timeout=LONG, map_index_template=ONE_PART, doc_md="Score the texts not yet scored.")
def score(encoder: str, part: int, n_parts: int) -> int:
    """Score one part; returns how many petitions."""
    return open_pipeline().score_texts(find_part(part, n_parts))


@task(
    **FALLBACK, **SCORES, execution_timeout=LONG, map_index_template=ONE_PART,
    doc_md="Do what is left of `score` on the default queue, where the queue `tpu` is not served.",
)  # fmt: skip
def score_fallback(encoder: str, part: int, n_parts: int) -> int:
    """Score what is left of one part; returns how many petitions."""
    pipeline, chosen = open_pipeline(), find_part(part, n_parts)
    warn_of_fallback(pipeline, f"score {encoder}", chosen)
    return pipeline.score_texts(chosen)


@task(
    trigger_rule=TriggerRule.NONE_FAILED,
    inlets=name_tables("petition_embedding", "petition_topic"),
    outlets=name_tables("petition_score"),
)
def score_similarity(model_id: str) -> int:
    """Score how near each petition stands to the middle of its topic; needs the whole window."""
    pipeline = open_pipeline()
    return sum(pipeline.score_similarity(model_id, encoder) for encoder in ENCODERS)


@task
def plan_checks(model_id: str) -> list[dict[str, Any]]:
    """Make the vectors searchable, and list the checks of the run."""
    return to_arguments(open_pipeline(), model_id)


@task
def finish_checks() -> int:
    """All checks have passed: the run may be published."""
    return open_pipeline().finish_checks()


@task(outlets=[PETITION_TOPICS, *name_tables("topic_model")])
def publish(model_id: str) -> None:
    """Switch the readers to this fit; skipped where they see a later window, unless triggered by hand."""
    from airflow.sdk.exceptions import AirflowSkipException

    run = get_current_context()["dag_run"]
    if not open_pipeline().publish(model_id, is_by_hand=str(run.run_type) == "manual"):
        raise AirflowSkipException(f"{model_id} is not published: readers keep a later window")


@dag(
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL),
    start_date=pendulum.datetime(2026, 1, 1, tz=SEOUL),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    deadline=DEADLINE,
    doc_md=__doc__,
    tags=["petitions"],
)
def petition_topics() -> None:
    """Wire the steps."""
    crawled, tokenized, model_id = crawl(), tokenize(), fit_topics()
    to_encode, to_score = plan_encode(), plan_score()
    tpu_for_encode = ask_tpu.override(task_id="tpu_for_encode")()
    tpu_for_score = ask_tpu.override(task_id="tpu_for_score")()
    encoded, encoded_here = encode.expand_kwargs(to_encode), encode_fallback.expand_kwargs(to_encode)
    scored, scored_here = score.expand_kwargs(to_score), score_fallback.expand_kwargs(to_score)
    similar = score_similarity(model_id)
    planned = plan_checks(model_id)
    checked = PetitionCheckOperator.partial(
        task_id="check", map_index_template="{{ task.check }}",
        outlets=name_tables("check_result"),
        doc_md="One check of the run; a failed one stops the publishing by name.",
    ).expand_kwargs(planned)  # fmt: skip
    crawled >> tokenized >> [model_id, to_encode]
    to_encode >> tpu_for_encode >> encoded >> encoded_here >> to_score
    to_score >> tpu_for_score >> scored >> scored_here >> similar >> planned
    model_id >> to_score
    checked >> finish_checks() >> publish(model_id)


petition_topics()
