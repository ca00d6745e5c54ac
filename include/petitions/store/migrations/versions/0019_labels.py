"""Keep the labels that fine-tuned models give petitions."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

SCHEMA = "petitions"
TABLE = "petition_label"


def upgrade() -> None:
    op.create_table(
        TABLE,
        _key("petition_id"),
        _key("scorer", "name of the fine-tuned weights and their hash"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="from 1, the likeliest label"),
        sa.Column("label", sa.Text(), nullable=False, comment="one of those that the scorer was trained on"),
        sa.Column(
            "probability",
            sa.Double(),
            nullable=False,
            comment="of the label among all that the scorer knows; calibrated",
        ),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="petition.content_hash of the text this was made from"
        ),
        sa.CheckConstraint("rank >= 1", name=op.f(f"{TABLE}_rank_check")),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name=op.f(f"{TABLE}_probability_check")),
        sa.ForeignKeyConstraint(
            ["petition_id"], [f"{SCHEMA}.petition.petition_id"], name=op.f(f"{TABLE}_petition_id_petition_fkey")
        ),
        sa.PrimaryKeyConstraint("petition_id", "scorer", "rank", name=op.f(f"{TABLE}_pkey")),
        schema=SCHEMA,
        comment="One row is one of the likeliest labels of one petition by one fine-tuned model.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.{TABLE} TO petition_writer")


def downgrade() -> None:
    op.drop_table(TABLE, schema=SCHEMA)


def _key(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, comment=comment)
