"""### petition_topics: what are people petitioning about?

Every night at 03:00 in Seoul: read the petitions of the latest three months, find their topics, score each petition,
and publish the answer in Postgres. The window is closed, `[until - months, until)`, and `until` is the day on which
the data interval ends (in Seoul), so a rerun of an old night reads the same window again.

| task | reads | writes |
|---|---|---|
| `crawl` | the site, `petition` | raw answers (artifact store), `petition`, `petition_agreement`, `crawl_reject` |
| `tokenize` | `petition` | `petition_tokens`, `petition_mentions` |
| `find_copies` | `petition` | `petition_fingerprint`, `petition_copy` |
| `fit_topics` | `petition_tokens`, the published fit | `topic_model`, `topic`, `topic_{term,event}`, `petition_topic` |
| `encode` (parts of the window; bert, elmo) | `petition` | `petition_embedding` |
| `score` (parts of the window) | `petition`, `petition_embedding` | `petition_{score,keyword,label}` |
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

import os

import pendulum
from airflow.sdk import Param, dag
from airflow.timetables.interval import CronDataIntervalTimetable
from petition_defaults import DEFAULT_ARGS, SEOUL, make_window_params
from petition_notices import NIGHT_DEADLINE
from petition_operators import PetitionCheckOperator
from petition_tasks import (
    ask_tpu,
    crawl,
    encode,
    encode_fallback,
    find_copies,
    finish_checks,
    fit_topics,
    plan_checks,
    plan_encode,
    plan_score,
    publish,
    score,
    score_fallback,
    score_similarity,
    tokenize,
)  # fmt: skip
from petition_telemetry import name_tables

# Only where somebody is told. A run with a deadline fails at the end of `airflow dags test` (Airflow 3.3.2, its bug).
IS_TOLD = os.environ.get("PETITIONS_NOTIFY_WEBHOOK") or os.environ.get("PETITIONS_NOTIFY_EMAIL")
PARAMS = make_window_params(months=3) | {
    "topics": Param(None, type=["null", "integer", "string"], minimum=2, maximum=200, pattern="^auto$", title="Topics",
                    description="A number, or auto; empty: the setting PETITIONS_TOPICS"),
}  # fmt: skip


@dag(
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL),
    start_date=pendulum.datetime(2026, 1, 1, tz=SEOUL),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    deadline=NIGHT_DEADLINE if IS_TOLD else None,
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
    planned = crawled >> find_copies() >> plan_checks(model_id)
    checked = PetitionCheckOperator.partial(
        task_id="check", map_index_template="{{ task.check }}",
        outlets=name_tables("check_result"),
        doc_md="One check of the run; a failed one stops the publishing by name.",
    ).expand_kwargs(planned)  # fmt: skip
    crawled >> tokenized >> [model_id, to_encode]
    to_encode >> tpu_for_encode >> encoded >> encoded_here >> to_score
    to_score >> tpu_for_score >> scored >> scored_here >> score_similarity(model_id) >> planned
    model_id >> to_score
    checked >> finish_checks(model_id) >> publish(model_id)


petition_topics()
