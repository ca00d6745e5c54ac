"""Keep the senses of words."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

SCHEMA = "petitions"
TABLE = "word_sense"


def upgrade() -> None:
    op.create_table(
        TABLE,
        _key("word"),
        _key("source", "whose petitions were read; empty: all sources together"),
        _column("since", sa.Date(), "first day of beginning that was read"),
        _column("until", sa.Date(), "the first day after"),
        _key("encoder", "names of the weights whose vectors tell the senses apart"),
        _column("sense", sa.Integer(), "from 1, the most frequent"),
        _column("share", sa.Double(), "of the occurrences that were compared"),
        _column("n_occurrences", sa.Integer(), "of this sense among those that were compared"),
        _column("n_found", sa.Integer(), "occurrences of the word in all that was read"),
        _column("neighbours", sa.ARRAY(sa.Text()), "words beside it, the most telling first"),
        _column("petition_ids", sa.ARRAY(sa.Text()), "where it stands in its most typical sentences"),
        _column("method", sa.Text(), "version of what found it: tokenizer and rules"),
        _column("found_at", sa.DateTime(timezone=True), "when these rows were first found as they are"),
        sa.CheckConstraint("sense >= 1", name=op.f(f"{TABLE}_sense_check")),
        sa.CheckConstraint(
            "n_occurrences >= 1 AND n_found >= n_occurrences", name=op.f(f"{TABLE}_n_occurrences_check")
        ),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f(f"{TABLE}_share_check")),
        sa.PrimaryKeyConstraint("word", "source", "since", "until", "encoder", "sense", name=op.f(f"{TABLE}_pkey")),
        schema=SCHEMA,
        comment="One row is one sense that a word has in the petitions of a source and some days.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.{TABLE} TO petition_writer")


def downgrade() -> None:
    op.drop_table(TABLE, schema=SCHEMA)


def _key(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, comment=comment)


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment)
