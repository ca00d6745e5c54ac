"""Name what found the keywords of a petition, and call their number what it is: a weight, no probability of BERT's."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"

SCHEMA = "petitions"
TABLE = "petition_keyword"
WEIGHT = "0 to 1; higher for a word that a title of this text would sooner name"
COMMENT = "One row is one noun or compound that a petition is about, by frequency, rarity, place and masked words."
OLD_COMMENT = "One row is one word that masked-LM prompting gives for a petition."
EXTRACTOR = "version of what found it: rules, table of frequencies, weights; empty of one that was found by BERT alone"


def upgrade() -> None:
    _rename("probability", "weight", WEIGHT)
    op.add_column(
        TABLE,
        sa.Column("extractor", sa.Text(), nullable=False, server_default="", comment=EXTRACTOR),
        schema=SCHEMA,
    )
    op.alter_column(TABLE, "extractor", server_default=None, schema=SCHEMA)
    op.create_table_comment(TABLE, COMMENT, existing_comment=OLD_COMMENT, schema=SCHEMA)


def downgrade() -> None:
    op.create_table_comment(TABLE, OLD_COMMENT, existing_comment=COMMENT, schema=SCHEMA)
    op.drop_column(TABLE, "extractor", schema=SCHEMA)
    _rename("weight", "probability", None)


def _rename(old: str, new: str, comment: str | None) -> None:
    op.drop_constraint(op.f(f"{TABLE}_{old}_check"), TABLE, schema=SCHEMA)
    op.alter_column(TABLE, old, new_column_name=new, comment=comment, schema=SCHEMA)
    op.create_check_constraint(op.f(f"{TABLE}_{new}_check"), TABLE, f"{new} >= 0 AND {new} <= 1", schema=SCHEMA)
