"""Petitions, their tokens, runs and checks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "petition",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False, comment='"source:source_id"'),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False, comment="the id that the site itself gives"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="청원의 취지 of the Assembly; elsewhere empty",
        ),
        sa.Column("body", sa.Text(), nullable=False, comment="normalized; phone, e-mail and resident numbers masked"),
        sa.Column("category", sa.Text(), nullable=False, comment="as the site names it"),
        sa.Column(
            "status", sa.Text(), nullable=False, comment="hidden: the site no longer shows it, and neither do the views"
        ),
        sa.Column("n_agreements", sa.Integer(), nullable=False, comment="as last seen; by day in petition_agreement"),
        sa.Column(
            "begins_on", sa.Date(), nullable=False, comment="first day of agreement, Korean time; decides the window"
        ),
        sa.Column("ends_on", sa.Date(), nullable=False, comment="last day of agreement, Korean time"),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "is_moderated", sa.Boolean(), nullable=False, comment="a moderator's notice stood in the text and was cut"
        ),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="SHA-256 of title, purpose and body"),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="moves once a UTC day, so that a second run writes nothing",
        ),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), nullable=False, comment="when the text or the status last changed"
        ),
        sa.CheckConstraint("petition_id = source || ':' || source_id", name=op.f("petition_petition_id_check")),
        sa.CheckConstraint("source IN ('assembly', 'bluehouse', 'sample')", name=op.f("petition_source_check")),
        sa.CheckConstraint("status IN ('open', 'ended', 'answered', 'hidden')", name=op.f("petition_status_check")),
        sa.CheckConstraint("title <> ''", name=op.f("petition_title_check")),
        sa.CheckConstraint("ends_on >= begins_on", name=op.f("petition_ends_on_check")),
        sa.CheckConstraint("n_agreements >= 0", name=op.f("petition_n_agreements_check")),
        sa.PrimaryKeyConstraint("petition_id", name=op.f("petition_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("petition_source_source_id_key")),
        schema="petitions",
        comment="One row is one petition as last seen. The petitioner's name is never stored.",
    )
    op.create_index(
        op.f("petition_source_begins_on_idx"), "petition", ["source", "begins_on"], unique=False, schema="petitions"
    )
    op.create_table(
        "petition_agreement",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False, comment="the day we looked, Korean time"),
        sa.Column("n_agreements", sa.Integer(), nullable=False),
        sa.CheckConstraint("n_agreements >= 0", name=op.f("petition_agreement_n_agreements_check")),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            ["petitions.petition.petition_id"],
            name=op.f("petition_agreement_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("petition_id", "seen_on", name=op.f("petition_agreement_pkey")),
        schema="petitions",
        comment="One row is the number of agreements of a petition on a day we looked.",
    )
    op.create_table(
        "crawl_reject",
        sa.Column("reject_id", sa.Text(collation="C"), nullable=False, comment="SHA-256 of source, url and reason"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "artifact",
            sa.Text(),
            nullable=False,
            comment='where the raw bytes of the first such answer are: "file#offset"',
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="when it was first seen"),
        sa.CheckConstraint("source IN ('assembly', 'bluehouse', 'sample')", name=op.f("crawl_reject_source_check")),
        sa.PrimaryKeyConstraint("reject_id", name=op.f("crawl_reject_pkey")),
        schema="petitions",
        comment="One row is one answer of a site that was no petition, and why.",
    )
    op.create_table(
        "petition_tokens",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "tokenizer",
            sa.Text(collation="C"),
            nullable=False,
            comment="name and version of tokenizer, dictionary and stop words",
        ),
        sa.Column("tokens", sa.ARRAY(sa.Text()), nullable=False, comment="in the order of the text; may be empty"),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="petition.content_hash of the text this was made from"
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petitions.petition.petition_id"], name=op.f("petition_tokens_petition_id_petition_fkey")
        ),
        sa.PrimaryKeyConstraint("petition_id", "tokenizer", name=op.f("petition_tokens_pkey")),
        schema="petitions",
        comment="One row is the tokens of one petition by one tokenizer.",
    )
    op.create_table(
        "pipeline_run",
        sa.Column("run_id", sa.Text(collation="C"), nullable=False, comment='"source_since_until"'),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False, comment="first day of the window"),
        sa.Column("until", sa.Date(), nullable=False, comment="first day after the window"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=True, comment="the fit that the run made; null before it"),
        sa.Column(
            "steps",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment='{"crawl": {"rows_in": 9, "rows_out": 9, "seconds": 1.5}, ...}',
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="one line; null unless failed"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("source IN ('assembly', 'bluehouse', 'sample')", name=op.f("pipeline_run_source_check")),
        sa.CheckConstraint(
            "state IN ('running', 'checked', 'published', 'failed')", name=op.f("pipeline_run_state_check")
        ),
        sa.CheckConstraint("since < until", name=op.f("pipeline_run_until_check")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pipeline_run_pkey")),
        schema="petitions",
        comment="One row is one source over one window: how its latest run went.",
    )
    op.create_table(
        "check_result",
        sa.Column("run_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False, comment="NaN where there was nothing to measure"),
        sa.Column("limit", sa.Text(), nullable=False, comment='what value must keep to, such as "at least 400"'),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column(
            "checked_at", sa.DateTime(timezone=True), nullable=False, comment="when this outcome was first found"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["petitions.pipeline_run.run_id"], name=op.f("check_result_run_id_pipeline_run_fkey")
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("check_result_pkey")),
        schema="petitions",
        comment="One row is one check of a run before publishing; one that did not pass stops the publishing.",
    )


def downgrade() -> None:
    op.drop_table("check_result", schema="petitions")
    op.drop_table("pipeline_run", schema="petitions")
    op.drop_table("petition_tokens", schema="petitions")
    op.drop_table("crawl_reject", schema="petitions")
    op.drop_table("petition_agreement", schema="petitions")
    op.drop_table("petition", schema="petitions")
