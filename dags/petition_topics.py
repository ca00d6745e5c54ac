"""### petition_topics: what are people petitioning about?

Every night at 03:00 in Seoul: read the petitions of the latest three months, find their topics, score each petition,
and publish the answer in Postgres. The window is closed, `[until - months, until)`, and `until` is the day on which
the data interval ends (in Seoul), so a rerun of an old night reads the same window again.

| task | reads | writes |
|---|---|---|
| `crawl` | the site, `petition` | raw answers (artifact store), `petition`, `petition_agreement`, `crawl_reject` |
| `tokenize` | `petition` | `petition_tokens` |
| `fit_topics` | `petition_tokens`, the published fit | `topic_model`, `topic`, `topic_{term,event}`, `petition_topic` |
| `encode` (bert, elmo) | `petition` | `petition_embedding` |
| `score` (bert, elmo) | `petition`, `petition_embedding`, `petition_topic` | `petition_score`, `petition_keyword` |
| `check` | all of these | `check_result` |
| `publish` | `check_result` | the published fit: one transaction, readers see all of it or nothing |

Every task may be killed and run again. Pools: `petition_sites` is the politeness towards a site, `tpu` the accelerator.
`encode` and `score` wait on the queue `tpu`. Permanent errors (a site that changed, a setting that cannot be) fail
at once; others are tried four times.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pendulum
from airflow.sdk import Asset, ExceptionRetryPolicy, Param, RetryAction, RetryRule, dag, get_current_context, task
from airflow.timetables.interval import CronDataIntervalTimetable

if TYPE_CHECKING:
    from petitions.pipeline import Pipeline

SEOUL = "Asia/Seoul"
ENCODERS = ["bert", "elmo"]
PETITION_TOPICS = Asset("petition_topics")
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
}
PARAMS = {
    "source": Param(None, type=["null", "string"], enum=[None, "assembly", "bluehouse", "sample"], title="Source",
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
    return Pipeline.open(source=params["source"], until=until, months=params["months"], topics=params["topics"])


@dag(
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone=SEOUL),
    start_date=pendulum.datetime(2026, 1, 1, tz=SEOUL),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    doc_md=__doc__,
    tags=["petitions"],
)
def petition_topics() -> None:
    """Wire the steps; each body is one call of the pipeline."""

    @task(pool="petition_sites", execution_timeout=timedelta(hours=8))
    def crawl() -> int:
        """Fetch what is new or may have changed; returns the petitions written."""
        return open_pipeline().crawl()

    @task
    def tokenize() -> int:
        """Tokenize the texts that this tokenizer has not seen."""
        return open_pipeline().tokenize()

    @task
    def fit_topics() -> str:
        """Fit LDA over the window; returns the model_id."""
        return open_pipeline().fit_topics()

    # A mapped task does not take its docs from the function.
    @task(queue="tpu", pool="tpu", execution_timeout=timedelta(hours=6), doc_md="Embed the texts not yet encoded.")
    def encode(encoder: str) -> int:
        return open_pipeline().encode(encoder)

    @task(queue="tpu", pool="tpu", execution_timeout=timedelta(hours=6), doc_md="Score the window with one encoder.")
    def score(encoder: str, model_id: str) -> int:
        return open_pipeline().score(model_id, encoder)

    @task
    def check(model_id: str) -> int:
        """Audit what was written; a failed check stops the publishing by name."""
        return open_pipeline().check(model_id)

    @task(outlets=[PETITION_TOPICS])
    def publish(model_id: str) -> None:
        """Switch the readers to this fit."""
        open_pipeline().publish(model_id)

    crawled, tokenized, model_id = crawl(), tokenize(), fit_topics()
    encoded = encode.expand(encoder=ENCODERS)
    scored = score.partial(model_id=model_id).expand(encoder=ENCODERS)
    crawled >> tokenized >> [model_id, encoded]
    encoded >> scored >> check(model_id) >> publish(model_id)


petition_topics()
