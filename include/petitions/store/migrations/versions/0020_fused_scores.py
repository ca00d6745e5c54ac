"""Forget the weights of vectors: they were measured for ranks, and scores are fused now.

The step encode writes those that ship with the weights again, `petitions weigh-search --write` measures others; until
then words alone decide.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


OF_RANKS = "of its list beside that of words in search; 0: unused"
OF_SCORES = "of the cosine beside the best score by words in search; 0: unused"


def upgrade() -> None:
    _change(OF_SCORES, OF_RANKS)


def downgrade() -> None:
    _change(OF_RANKS, OF_SCORES)


def _change(comment: str, before: str) -> None:
    op.execute("DELETE FROM petitions.encoder_weight")
    op.alter_column(
        "encoder_weight",
        "search_weight",
        existing_type=sa.Double(),
        existing_nullable=False,
        comment=comment,
        existing_comment=before,
        schema="petitions",
    )
