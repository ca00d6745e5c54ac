"""Forget the weights of vectors: they were measured for ranks, and scores are fused now.

The step encode writes those that ship with the weights again, `petitions weigh-search --write` measures others; until
then words alone decide.
"""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("DELETE FROM petitions.encoder_weight")


def downgrade() -> None:
    op.execute("DELETE FROM petitions.encoder_weight")
