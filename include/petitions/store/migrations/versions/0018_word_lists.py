"""Keep the petitions of each common word by weight, and what they are filtered by: search adds these lists up."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

SCHEMA = "petitions"
TABLE = "searched_petition"
KEY = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="from 1, by day and id",
        ),
        sa.Column("petition_id", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="of the petition, as the rest"),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            [f"{SCHEMA}.petition.petition_id"],
            name=op.f(f"{TABLE}_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f(f"{TABLE}_pkey")),
        sa.UniqueConstraint("petition_id", name=op.f(f"{TABLE}_petition_id_key")),
        schema=SCHEMA,
        comment="One row is a petition that has words, when search was last prepared, by a short number.",
    )
    # What was counted before has no lists: until search is prepared again, the index of words answers.
    op.execute(f"TRUNCATE {SCHEMA}.word_level")
    op.add_column(
        "word_level",
        sa.Column("numbers", sa.ARRAY(sa.Integer()), nullable=False, comment="searched_petition.number of them"),
        schema=SCHEMA,
    )
    op.execute(f"ALTER TABLE {SCHEMA}.word_level ALTER numbers SET STORAGE EXTERNAL")  # read quickly


def downgrade() -> None:
    op.drop_column("word_level", "numbers", schema=SCHEMA)
    op.drop_table(TABLE, schema=SCHEMA)
