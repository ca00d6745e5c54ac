"""### petition_models: what would weights know that were trained on our own petitions?

On the first of each month at 05:00 in Seoul, or by hand: pre-train a small BERT and a small ELMo on the stored
petitions of the last year, on the queue `tpu`, and put each as a new folder into the artifact store.

| task | reads | writes |
|---|---|---|
| `choose_encoders` | the parameter `encoder` | - |
| `train` (bert, elmo) | `petition` | `weights/<encoder>-<hash>/` in the artifact store: weights, model card |

**It does not change what encodes the nights.** Read the model card's figures on the text held out (`README.md` in the
folder; also in the task's log) beside those of the weights in use, and set `PETITIONS_BERT_MODEL` or
`PETITIONS_ELMO_MODEL` to a copy of the folder if the new ones are better; the next night encodes the window anew.

A DAG that should run after it takes the asset: `@dag(schedule=[Asset("petition_weights")])`. Training that was killed
begins again from the start: try it again with fewer minutes where the machine is not there long enough.
"""

from datetime import timedelta

import pendulum
from airflow.sdk import Asset, Param, dag, get_current_context, task
from airflow.timetables.interval import CronDataIntervalTimetable
from petition_defaults import DEFAULT_ARGS, SEOUL, make_window_params, open_pipeline

PETITION_WEIGHTS = Asset("petition_weights")
PARAMS = make_window_params(months=12) | {
    "encoder": Param("both", type="string", enum=["both", "bert", "elmo"], title="Encoder"),
    "minutes": Param(60, type="number", minimum=0.01, maximum=600, title="Minutes of training, each"),
}


@dag(
    schedule=CronDataIntervalTimetable("0 5 1 * *", timezone=SEOUL),
    start_date=pendulum.datetime(2026, 1, 1, tz=SEOUL),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS | {"retries": 1, "execution_timeout": timedelta(minutes=5)},
    params=PARAMS,
    doc_md=__doc__,
    tags=["petitions"],
)
def petition_models() -> None:
    """Wire the two tasks."""

    @task
    def choose_encoders() -> list[str]:
        """Name the encoders to train."""
        encoder = get_current_context()["params"]["encoder"]
        return ["bert", "elmo"] if encoder == "both" else [encoder]

    @task(
        queue="tpu", pool="tpu", outlets=[PETITION_WEIGHTS], execution_timeout=timedelta(hours=12),
        doc_md="Pre-train one encoder; returns its folder in the artifact store.",
    )  # fmt: skip
    def train(encoder: str) -> str:
        from petitions.steps.train import train_weights

        return train_weights(open_pipeline(), encoder, get_current_context()["params"]["minutes"])

    train.expand(encoder=choose_encoders())


petition_models()
