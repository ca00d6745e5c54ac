"""What the crawl remembers: where a petition was read, whether it vanished, how far a crawl came, a site's pace."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "petitions"
TABLES = f"{SCHEMA}.crawl_progress, {SCHEMA}.site_pace"


def upgrade() -> None:
    op.add_column(
        "petition",
        sa.Column(
            "is_vanished",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="hidden since the site answers that there is no such petition; else its administrator hid it",
        ),
        schema=SCHEMA,
    )
    op.add_column(
        "petition",
        sa.Column(
            "artifact",
            sa.Text,
            nullable=False,
            server_default="",
            comment='the raw answer that the row was read from: "file#offset" in the archive; empty for the sample',
        ),
        schema=SCHEMA,
    )
    op.create_check_constraint(
        op.f("petition_is_vanished_check"), "petition", "NOT is_vanished OR status = 'hidden'", schema=SCHEMA
    )
    op.create_index(op.f("petition_source_last_seen_at_idx"), "petition", ["source", "last_seen_at"], schema=SCHEMA)
    key = sa.Text(collation="C")
    op.create_table(
        "crawl_progress",
        sa.Column("source", key, nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("until", sa.Date, nullable=False, comment="first day after the window"),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), nullable=False, comment="of the crawl that is told of here"
        ),
        sa.Column("stage", sa.Text, nullable=False, comment='a list of the site, "known", "sample" or "done"'),
        sa.Column("page", sa.Integer, nullable=False, comment="pages of that list whose petitions are all stored"),
        sa.Column("after", sa.Text, nullable=False, comment="in the stage known: the last petition that was asked for"),
        sa.Column("finished_on", sa.Date, comment="day on which the latest crawl that came to its end began, in Korea"),
        sa.CheckConstraint("page >= 0", name=op.f("crawl_progress_page_check")),
        sa.CheckConstraint("since < until", name=op.f("crawl_progress_until_check")),
        sa.PrimaryKeyConstraint("source", "since", "until", name=op.f("crawl_progress_pkey")),
        schema=SCHEMA,
        comment="One row is how far the latest crawl of a source over a window came; a killed one goes on from there.",
    )
    op.create_table(
        "site_pace",
        sa.Column("site", key, nullable=False, comment="host and port"),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False, comment="when it may be asked next"),
        sa.PrimaryKeyConstraint("site", name=op.f("site_pace_pkey")),
        schema=SCHEMA,
        comment="One row is the pace that all processes keep together towards a site.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {TABLES} TO petition_writer")


def downgrade() -> None:
    op.execute(f"REVOKE ALL ON {TABLES} FROM petition_writer")
    op.drop_table("site_pace", schema=SCHEMA)
    op.drop_table("crawl_progress", schema=SCHEMA)
    op.drop_index(op.f("petition_source_last_seen_at_idx"), "petition", schema=SCHEMA)
    op.drop_constraint(op.f("petition_is_vanished_check"), "petition", schema=SCHEMA)
    op.drop_column("petition", "artifact", schema=SCHEMA)
    op.drop_column("petition", "is_vanished", schema=SCHEMA)
