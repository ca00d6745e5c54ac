"""Mark the main topic of a petition where it is written, so that no view has to sort every share to find it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = "petitions"


def upgrade() -> None:
    op.add_column(
        "petition_topic",
        sa.Column(
            "is_main",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="it has the largest share of the petition; of equal ones the lowest topic_id",
        ),
        schema=SCHEMA,
    )
    op.execute(f"""
        UPDATE {SCHEMA}.petition_topic AS t SET is_main = true FROM (
            SELECT DISTINCT ON (model_id, petition_id) model_id, petition_id, topic_id
            FROM {SCHEMA}.petition_topic ORDER BY model_id, petition_id, share DESC, topic_id
        ) AS main
        WHERE (t.model_id, t.petition_id, t.topic_id) = (main.model_id, main.petition_id, main.topic_id)
    """)  # noqa: S608
    op.alter_column("petition_topic", "is_main", server_default=None, schema=SCHEMA)
    op.create_index(
        "petition_topic_main_idx",
        "petition_topic",
        ["model_id", "petition_id"],
        schema=SCHEMA,
        postgresql_include=["topic_id", "share"],
        postgresql_where=sa.text("is_main"),
    )


def downgrade() -> None:
    op.drop_index("petition_topic_main_idx", table_name="petition_topic", schema=SCHEMA)
    op.drop_column("petition_topic", "is_main", schema=SCHEMA)
