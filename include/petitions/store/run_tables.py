"""The tables of a run's steps and of the checks of its fits; the run itself is `pipeline_run` in `tables`."""

from sqlalchemy import Boolean, CheckConstraint, Column, Double, ForeignKey, Integer, Table, Text

from petitions.store import topic_tables  # noqa: F401 - check_result has a key of its table topic_model
from petitions.store.tables import SCHEMA, At, Key, check_not_negative, check_one_of, metadata

STEP_STATES = ("running", "done", "skipped", "failed")
_MESSAGE = "one line, without what was found in an answer; of an error of the system its words; else empty"
_RESULT = "of the last try that was done; null before it"

pipeline_step = Table(
    "pipeline_step",
    metadata,
    Column("run_id", Key, ForeignKey(f"{SCHEMA}.pipeline_run.run_id"), primary_key=True),
    Column("step", Key, primary_key=True, comment='such as "crawl" and "encode bert"'),
    Column("part", Integer, primary_key=True, comment="from 1; workers share a step by its parts"),
    Column("n_parts", Integer, primary_key=True, comment="1 where the step is not shared"),
    Column("state", Text, nullable=False, comment="of its last try; running too where that was killed"),
    Column("started_at", At, nullable=False, comment="when its last try began"),
    Column("finished_at", At, comment="when its last try ended; null while it is running"),
    Column("rows_in", Integer, comment=_RESULT),
    Column("rows_out", Integer, comment=_RESULT),
    Column("seconds", Double, comment=_RESULT),
    Column("made_by", Text, nullable=False, server_default="", comment="version of what did it, or empty; as rows_in"),
    Column("error_kind", Text, comment="name of the error that its last try ended by; null unless failed"),
    Column("error_message", Text, comment=_MESSAGE),
    check_one_of("state", STEP_STATES),
    CheckConstraint("(state = 'running') = (finished_at IS NULL)", name="finished_at"),
    CheckConstraint("(state = 'failed') = (error_kind IS NOT NULL)", name="error_kind"),
    CheckConstraint("(error_kind IS NULL) = (error_message IS NULL)", name="error_message"),
    CheckConstraint("part >= 1 AND part <= n_parts", name="part"),
    *(check_not_negative(name) for name in ("rows_in", "rows_out", "seconds")),
    comment="One row is one step of a run, or a part of it: how its last try went.",
)

check_result = Table(
    "check_result",
    metadata,
    Column("model_id", Key, ForeignKey(f"{SCHEMA}.topic_model.model_id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("run_id", Key, ForeignKey(f"{SCHEMA}.pipeline_run.run_id"), nullable=False, comment="the run of the fit"),
    Column("encoder", Text, nullable=False, comment="whose vectors and scores were checked; empty: the fit alone"),
    Column("value", Double, nullable=False, comment="NaN where there was nothing to measure, or before it was run"),
    Column("limit", Text, nullable=False, comment='what value must keep to, such as "at least 400"'),
    Column("passed", Boolean, nullable=False, comment="false also before it was run"),
    Column("checked_at", At, nullable=False, comment="when this outcome was first found"),
    comment="One row is one check of a fit before publishing; one that did not pass stops the publishing of that fit.",
)
