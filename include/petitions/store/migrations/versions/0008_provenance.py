"""What the name of a tokenizer stands for, and the rights that checks and `petitions prune` need."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

SCHEMA = "petitions"
# Checks are replaced run by run; an old fit goes with its scores.
DELETED = f"{SCHEMA}.check_result, {SCHEMA}.topic_model, {SCHEMA}.petition_score"


def upgrade() -> None:
    op.create_table(
        "tokenizer_version",
        sa.Column(
            "tokenizer",
            sa.Text(collation="C"),
            nullable=False,
            comment="name and version of tokenizer, dictionary and stop words",
        ),
        sa.Column("tagger", sa.Text(), nullable=False, comment="name and version of what tags the morphemes"),
        sa.Column("dictionary", sa.Text(), nullable=False, comment="name and version of its dictionary"),
        sa.Column(
            "stop_words", sa.Text(), nullable=False, comment="SHA-256 of the stop words, sorted, one a line; 12 digits"
        ),
        sa.Column("rules", sa.Integer(), nullable=False, comment="version of the code that makes words of morphemes"),
        sa.PrimaryKeyConstraint("tokenizer", name=op.f("tokenizer_version_pkey")),
        schema=SCHEMA,
        comment="One row is one tokenizer: what its name stands for.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {SCHEMA}.tokenizer_version TO petition_writer")
    op.execute(f"GRANT DELETE ON {DELETED} TO petition_writer")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON {DELETED} FROM petition_writer")
    op.drop_table("tokenizer_version", schema=SCHEMA)
