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
| `encode` (parts of what is left) | `petition` | `petition_{embedding,score,keyword,label}` |
| `score` | `petition_embedding`, `petition_topic` | `petition_score` |
| `check` | all of these | `check_result` |
| `publish` | `check_result` | the published fit: one transaction, readers see all of it or nothing |

`encode` is all that depends on a text alone, by BERT, ELMo and fine-tuned models; `score` what depends on the fit.
Every task may be killed and run again. Pools: `petition_sites` is the politeness towards a site, `tpu` the accelerator,
with one slot a worker, `tpu_fallback` what the fallback may take of the default queue. Permanent errors (a site that
changed, a setting that cannot be, a check that failed) fail at once; others are tried four times, as is a task whose
worker was killed. Where a check failed nothing is published.

`plan_encode` counts what texts lack: on a quiet night that is one part, which loads each network once, or none; up to
64, which the workers of the queue `tpu` share, where much is new. `ask_tpu` asks whether anybody serves that queue:
where nobody takes it within `[scheduler] task_queued_timeout`, tried again `num_stuck_in_queued_retries` times, Airflow
fails it. Then `encode_fallback` does what is left on the default queue, and logs a warning.

Publishing by a night or a backfill never puts an older window in the place of a later one: then `publish` is skipped.
A run that was triggered by hand publishes its window, whichever it is.

**Trigger** switches a paused DAG on unless the box for it in the form is cleared, and a DAG that is switched on runs
the last night at once: it asks the live site of the setting `PETITIONS_SOURCE`. Unknown parameters are refused.
"""

import os

import pendulum
from airflow.sdk import Param, dag
from airflow.timetables.interval import CronDataIntervalTimetable
from petition_defaults import DEFAULT_ARGS, SEOUL, make_window_params
from petition_notices import NIGHT_DEADLINE
from petition_tasks import (
    ask_tpu,
    check,
    crawl,
    encode,
    encode_fallback,
    find_copies,
    fit_topics,
    plan_encode,
    publish,
    score,
    tokenize,
)

# Only where somebody is told. A run with a deadline fails at the end of `airflow dags test` (Airflow 3.3.2, its bug).
IS_TOLD = os.environ.get("PETITIONS_NOTIFY_WEBHOOK") or os.environ.get("PETITIONS_NOTIFY_EMAIL")
PARAMS = make_window_params(months=3) | {
    # With examples, and the text first, Airflow's form has a line for it, and no text area.
    "topics": Param(None, type=["null", "string", "integer"], minimum=2, maximum=200, pattern="^(auto|[0-9]{1,3})$",
                    examples=["auto", "9"], title="Topics",
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
    crawled, tokenized, model_id, parts = crawl(), tokenize(), fit_topics(), plan_encode()
    encoded, encoded_here = encode.expand_kwargs(parts), encode_fallback.expand_kwargs(parts)
    copied, scored = find_copies(), score(model_id)
    crawled >> [tokenized, copied, parts]
    tokenized >> model_id
    parts >> ask_tpu() >> encoded >> encoded_here >> scored
    [scored, copied] >> check(model_id) >> publish(model_id)


petition_topics()
