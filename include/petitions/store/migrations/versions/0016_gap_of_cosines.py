"""Let topic_similarity go, which was a cosine and is a gap of two: the next run writes it, and no reader mixes them."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    _delete_scores()


def downgrade() -> None:
    _delete_scores()


def _delete_scores() -> None:
    op.execute("DELETE FROM petitions.petition_score WHERE score = 'topic_similarity'")
