"""Keep whether a petition holds enough of its main topic's terms to be of it, not of none."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

SCHEMA = "petitions"
TABLE, INDEX = "petition_topic", "petition_topic_main_idx"
COMMENT = "whether the petition holds enough of its terms; null but for the main topic, and in older fits"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("is_borne", sa.Boolean(), comment=COMMENT), schema=SCHEMA)
    _index(["topic_id", "share", "is_borne"])


def downgrade() -> None:
    _index(["topic_id", "share"])
    op.drop_column(TABLE, "is_borne", schema=SCHEMA)


def _index(include: list[str]) -> None:
    op.drop_index(INDEX, TABLE, schema=SCHEMA)
    op.create_index(
        INDEX,
        TABLE,
        ["model_id", "petition_id"],
        schema=SCHEMA,
        postgresql_include=include,
        postgresql_where=sa.text("is_main"),
    )
