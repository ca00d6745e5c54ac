"""What search by words needs: an index over tokens, how many petitions have each, and one over categories."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = "petitions"
FROM_FIT = f"COMMENT ON COLUMN {SCHEMA}.topic_event.from_model_id IS "


def upgrade() -> None:
    op.create_table(
        "token_frequency",
        sa.Column(
            "tokenizer",
            sa.Text(collation="C"),
            nullable=False,
            comment="name and version of tokenizer, dictionary and stop words",
        ),
        sa.Column("token", sa.Text(collation="C"), nullable=False),
        sa.Column("n_petitions", sa.Integer(), nullable=False, comment="that have it, when search was last prepared"),
        sa.CheckConstraint("n_petitions >= 0", name=op.f("token_frequency_n_petitions_check")),
        sa.PrimaryKeyConstraint("tokenizer", "token", name=op.f("token_frequency_pkey")),
        schema=SCHEMA,
        comment="One row is one token of one tokenizer: how common it is, so that search weighs rare ones more.",
    )
    op.create_index(
        op.f("petition_tokens_tokens_idx"), "petition_tokens", ["tokens"], schema=SCHEMA, postgresql_using="gin"
    )
    op.create_index(
        op.f("petition_source_category_status_begins_on_idx"),
        "petition",
        ["source", "category", "status", "begins_on"],
        schema=SCHEMA,
    )
    op.execute(FROM_FIT + "'null when born, and where that fit was pruned'")


def downgrade() -> None:
    op.execute(FROM_FIT + "'null when born'")
    op.drop_index(op.f("petition_source_category_status_begins_on_idx"), "petition", schema=SCHEMA)
    op.drop_index(op.f("petition_tokens_tokens_idx"), "petition_tokens", schema=SCHEMA)
    op.drop_table("token_frequency", schema=SCHEMA)
    # The indexes of encoders belong to no revision: prepare_search makes them anew.
    op.execute("""
        DO $$
        DECLARE made text;
        BEGIN
            FOR made IN SELECT indexname FROM pg_indexes
                WHERE schemaname = 'petitions' AND indexname LIKE 'petition\\_embedding\\_hnsw\\_%'
            LOOP
                EXECUTE format('DROP INDEX petitions.%I', made);
            END LOOP;
        END $$
    """)
