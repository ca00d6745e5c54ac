"""A row for each step of a run, from which the run's state follows, and checks that belong to a fit."""

import json
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"

SCHEMA = "petitions"
# "encode bert 3/8: WeightsError: damaged", as an error was told until now; the words of ours alone may be shown on.
_TOLD = re.compile(r"(?P<step>[a-z_]+(?: [a-z]+)?)(?: (?P<part>[0-9]+)/(?P<n_parts>[0-9]+))?: (?P<error>.*)")
_OURS = re.compile(
    r"(?P<kind>(?:Transient|Fetch|DatabaseDown|Permanent|Config|Parse|SiteChanged|Schema|EmptyWindow|Weights"
    r"|CheckFailed)Error): (?P<message>.*)"
)
_RESULT = "of the last try that was done; null before it"
_MESSAGE = "one line, without what was found in an answer; empty of an error that is not ours, whose words may quote"


def _at(name: str, nullable: bool, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def upgrade() -> None:
    op.create_table(
        "pipeline_step",
        sa.Column("run_id", sa.Text(collation="C"), nullable=False),
        sa.Column("step", sa.Text(collation="C"), nullable=False, comment='such as "crawl" and "encode bert"'),
        sa.Column("part", sa.Integer(), nullable=False, comment="from 1; workers share a step by its parts"),
        sa.Column("n_parts", sa.Integer(), nullable=False, comment="1 where the step is not shared"),
        sa.Column("state", sa.Text(), nullable=False, comment="of its last try; running too where that was killed"),
        _at("started_at", False, "when its last try began"),
        _at("finished_at", True, "when its last try ended; null while it is running"),
        sa.Column("rows_in", sa.Integer(), comment=_RESULT),
        sa.Column("rows_out", sa.Integer(), comment=_RESULT),
        sa.Column("seconds", sa.Double(), comment=_RESULT),
        sa.Column(
            "made_by",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="version of what did it, or empty; as rows_in",
        ),
        sa.Column("error_kind", sa.Text(), comment="name of the error that its last try ended by; null unless failed"),
        sa.Column("error_message", sa.Text(), comment=_MESSAGE),
        sa.CheckConstraint("state IN ('running', 'done', 'skipped', 'failed')", name=op.f("pipeline_step_state_check")),
        sa.CheckConstraint("(state = 'running') = (finished_at IS NULL)", name=op.f("pipeline_step_finished_at_check")),
        sa.CheckConstraint(
            "(state = 'failed') = (error_kind IS NOT NULL)", name=op.f("pipeline_step_error_kind_check")
        ),
        sa.CheckConstraint(
            "(error_kind IS NULL) = (error_message IS NULL)", name=op.f("pipeline_step_error_message_check")
        ),
        sa.CheckConstraint("part >= 1 AND part <= n_parts", name=op.f("pipeline_step_part_check")),
        sa.CheckConstraint("rows_in >= 0", name=op.f("pipeline_step_rows_in_check")),
        sa.CheckConstraint("rows_out >= 0", name=op.f("pipeline_step_rows_out_check")),
        sa.CheckConstraint("seconds >= 0", name=op.f("pipeline_step_seconds_check")),
        sa.ForeignKeyConstraint(
            ["run_id"], [f"{SCHEMA}.pipeline_run.run_id"], name=op.f("pipeline_step_run_id_pipeline_run_fkey")
        ),
        sa.PrimaryKeyConstraint("run_id", "step", "part", "n_parts", name=op.f("pipeline_step_pkey")),
        schema=SCHEMA,
        comment="One row is one step of a run, or a part of it: how its last try went.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.pipeline_step TO petition_writer")
    _fill_steps()
    _give_checks_their_fit()
    for name in ("state", "steps", "error", "started_at", "finished_at"):
        op.drop_column("pipeline_run", name, schema=SCHEMA)
    op.alter_column("pipeline_run", "model_id", comment="the fit that the run made last; null before it", schema=SCHEMA)
    op.create_table_comment(
        "pipeline_run", "One row is one source over one window; its steps tell how its latest run went.", schema=SCHEMA
    )


def _fill_steps() -> None:
    conn = op.get_bind()
    runs = conn.execute(sa.text(f"SELECT * FROM {SCHEMA}.pipeline_run"))  # noqa: S608
    rows = [row for run in runs.mappings().all() for row in _split(dict(run)).values()]
    if rows:
        insert = sa.text(f"""
            INSERT INTO {SCHEMA}.pipeline_step VALUES (:run_id, :step, :part, :n_parts, :state, :started_at,
                :finished_at, :rows_in, :rows_out, :seconds, :made_by, :error_kind, :error_message)
        """)  # noqa: S608
        conn.execute(insert, rows)


def _split(run: dict[str, Any]) -> dict[tuple[str, int, int], dict[str, Any]]:
    """The steps of a run by step, part and number of parts; of a run that was not done nothing says it was checked."""
    at = run["finished_at"] or run["started_at"]
    rows = {}
    for step, part, n_parts, told in _list_steps(run["steps"]):
        last = {"running": (), "failed": (), "checked": ("check",), "published": ("check", "publish")}[run["state"]]
        if step in ("check", "publish") and step not in last:
            continue
        rows[step, part, n_parts] = {
            "run_id": run["run_id"], "step": step, "part": part, "n_parts": n_parts, "state": "done",
            "started_at": run["started_at"], "finished_at": at, "rows_in": told["rows_in"],
            "rows_out": told["rows_out"], "seconds": told["seconds"], "made_by": told.get("made_by", ""),
            "error_kind": None, "error_message": None,
        }  # fmt: skip
    if run["state"] == "failed":
        failed = _read_failure(run)
        key = (failed["step"], failed["part"], failed["n_parts"])
        rows[key] = {**rows.get(key, {}), **failed, "started_at": run["started_at"], "finished_at": at}
    return rows


def _list_steps(steps: dict[str, Any]) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    for step, told in steps.items():
        if not told.get("parts"):
            if not told.get("failed"):
                yield step, 1, 1, told
            continue
        for name, one in told["parts"].items():
            part, n_parts = map(int, name.split("/"))
            yield step, part, n_parts, one


def _read_failure(run: dict[str, Any]) -> dict[str, Any]:
    told = _TOLD.fullmatch(run["error"] or "")
    words = told["error"] if told else ""
    ours = _OURS.fullmatch(words)
    kind = ours["kind"] if ours else (re.match(r"\w+", words) or ["Error"])[0]
    if told and told["step"] == "check" and not ours:  # "check: embeddings_missing is 3, must be at most 0"
        kind, message = "CheckFailedError", words
    else:
        message = re.sub(r"\bfound .*$", "found …", ours["message"]) if ours else ""
    return {
        "run_id": run["run_id"], "step": told["step"] if told else "unknown",
        "part": int(told["part"] or 1) if told else 1, "n_parts": int(told["n_parts"] or 1) if told else 1,
        "state": "failed", "rows_in": None, "rows_out": None, "seconds": None, "made_by": "",
        "error_kind": kind, "error_message": message,
    }  # fmt: skip


def _give_checks_their_fit() -> None:
    """Keep the outcomes of a run of which it is sure that they are of its last fit; others let nothing be published.

    It is sure where nothing came after the checks, and where that fit has been published; an outcome that did not pass
    is kept in any case.
    """
    columns = (
        sa.Column("model_id", sa.Text(collation="C")),
        sa.Column(
            "encoder",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="whose vectors and scores were checked; empty: the fit alone",
        ),
    )
    for item in columns:
        op.add_column("check_result", item, schema=SCHEMA)
    op.execute(f"""
        UPDATE {SCHEMA}.check_result AS c
        SET model_id = m.model_id, encoder = CASE c.name WHEN split_part(c.name, ' ', 1) THEN ''
            ELSE substr(c.name, strpos(c.name, ' ') + 1) END
        FROM {SCHEMA}.pipeline_run AS r JOIN {SCHEMA}.topic_model AS m USING (model_id)
        WHERE c.run_id = r.run_id AND (
            r.state IN ('checked', 'published') OR m.published_at IS NOT NULL OR EXISTS (
                SELECT FROM {SCHEMA}.check_result AS other WHERE other.run_id = r.run_id AND NOT other.passed
            )
        )
    """)  # noqa: S608
    op.execute(f"DELETE FROM {SCHEMA}.check_result WHERE model_id IS NULL")  # noqa: S608
    op.alter_column("check_result", "encoder", server_default=None, schema=SCHEMA)
    op.drop_constraint("check_result_pkey", "check_result", schema=SCHEMA)
    op.create_primary_key(op.f("check_result_pkey"), "check_result", ["model_id", "name"], schema=SCHEMA)
    op.create_foreign_key(
        op.f("check_result_model_id_topic_model_fkey"), "check_result", "topic_model", ["model_id"], ["model_id"],
        source_schema=SCHEMA, referent_schema=SCHEMA,
    )  # fmt: skip
    comments = {
        "run_id": "the run of the fit",
        "value": "NaN where there was nothing to measure, or before it was run",
        "passed": "false also before it was run",
    }
    for name, comment in comments.items():
        op.alter_column("check_result", name, comment=comment, schema=SCHEMA)
    op.create_table_comment(
        "check_result",
        "One row is one check of a fit before publishing; one that did not pass stops the publishing of that fit.",
        schema=SCHEMA,
    )


def downgrade() -> None:
    _take_checks_their_fit()
    op.add_column(
        "pipeline_run", sa.Column("state", sa.Text(), server_default="running", nullable=False), schema=SCHEMA
    )
    op.add_column(
        "pipeline_run",
        sa.Column(
            "steps",
            JSONB(),
            server_default="{}",
            nullable=False,
            comment='{"crawl": {"rows_in": 9, "rows_out": 9, "seconds": 1.5}, ...}',
        ),
        schema=SCHEMA,
    )
    op.add_column("pipeline_run", sa.Column("error", sa.Text(), comment="one line; null unless failed"), schema=SCHEMA)
    for name in ("started_at", "finished_at"):
        op.add_column("pipeline_run", sa.Column(name, sa.DateTime(timezone=True)), schema=SCHEMA)
    _join_steps()
    for name in ("state", "steps"):
        op.alter_column("pipeline_run", name, server_default=None, schema=SCHEMA)
    op.alter_column("pipeline_run", "started_at", nullable=False, schema=SCHEMA)
    op.alter_column("pipeline_run", "model_id", comment="the fit that the run made; null before it", schema=SCHEMA)
    op.create_table_comment(
        "pipeline_run", "One row is one source over one window: how its latest run went.", schema=SCHEMA
    )
    op.create_check_constraint(
        op.f("pipeline_run_state_check"),
        "pipeline_run",
        "state IN ('running', 'checked', 'published', 'failed')",
        schema=SCHEMA,
    )
    op.drop_table("pipeline_step", schema=SCHEMA)


def _join_steps() -> None:
    """Steps as they were: without parts, each done anew; a run that failed or was published is told as that."""
    conn = op.get_bind()
    found = conn.execute(
        sa.text(f"""
            SELECT run_id, min(started_at) AS started_at, max(finished_at) AS finished_at, CASE
                    WHEN bool_or(state = 'failed') THEN 'failed'
                    WHEN bool_or(step = 'publish' AND state = 'done') THEN 'published' ELSE 'running'
                END AS state,
                max(concat_ws(': ', step, error_kind, nullif(error_message, '')))
                    FILTER (WHERE state = 'failed') AS error
            FROM {SCHEMA}.pipeline_step GROUP BY run_id
        """)  # noqa: S608
    )
    for run in found.mappings().all():
        steps = conn.execute(
            sa.text(f"""
                SELECT step, sum(rows_in) AS rows_in, sum(rows_out) AS rows_out, sum(seconds) AS seconds,
                    max(made_by) AS made_by
                FROM {SCHEMA}.pipeline_step WHERE run_id = :run_id AND seconds IS NOT NULL GROUP BY step
            """),  # noqa: S608
            {"run_id": run["run_id"]},
        )
        told = {row["step"]: {name: row[name] for name in row if name != "step"} for row in steps.mappings()}
        conn.execute(
            sa.text(f"""
                UPDATE {SCHEMA}.pipeline_run SET state = :state, steps = CAST(:steps AS jsonb), error = :error,
                    started_at = :started_at, finished_at = CASE :state WHEN 'running' THEN NULL ELSE :finished_at END
                WHERE run_id = :run_id
            """),  # noqa: S608
            {**run, "steps": json.dumps(told, default=int)},
        )
    conn.execute(sa.text(f"UPDATE {SCHEMA}.pipeline_run SET started_at = now() WHERE started_at IS NULL"))  # noqa: S608


def _take_checks_their_fit() -> None:
    """Of the checks of several fits of a run those of its last one stay."""
    op.execute(f"""
        DELETE FROM {SCHEMA}.check_result AS c USING {SCHEMA}.pipeline_run AS r
        WHERE r.run_id = c.run_id AND c.model_id IS DISTINCT FROM r.model_id
    """)  # noqa: S608
    op.drop_constraint("check_result_model_id_topic_model_fkey", "check_result", schema=SCHEMA)
    op.drop_constraint("check_result_pkey", "check_result", schema=SCHEMA)
    op.drop_column("check_result", "model_id", schema=SCHEMA)
    op.drop_column("check_result", "encoder", schema=SCHEMA)
    op.create_primary_key(op.f("check_result_pkey"), "check_result", ["run_id", "name"], schema=SCHEMA)
    comments = {"run_id": None, "value": "NaN where there was nothing to measure", "passed": None}
    for name, comment in comments.items():
        op.alter_column("check_result", name, comment=comment, schema=SCHEMA)
    op.create_table_comment(
        "check_result",
        "One row is one check of a run before publishing; one that did not pass stops the publishing.",
        schema=SCHEMA,
    )
