"""Name the mean of mixtures for what it is; the shares by main topic are counted in the views."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

SCHEMA = "petitions"
SHARE = "of all petitions of the fit; the topics sum to 1"
MIXTURE = "mean over all petitions of the fit of how much of each is the topic; the topics sum to 1"
DROPPED = {
    "balanced_share": "share where every category weighs the same; null in fits of older versions",
    "agreement_share": "share where every agreement weighs the same; null in fits of older versions",
}
SEEN = "moves once a {} day, so that a second run writes nothing"


def upgrade() -> None:
    _rename("share", "mixture_share", old=SHARE, new=MIXTURE)
    for name in DROPPED:  # its check goes with it
        op.drop_column("topic", name, schema=SCHEMA)
    _tell_seen("UTC", "Korean")


def downgrade() -> None:
    _tell_seen("Korean", "UTC")
    for name, comment in DROPPED.items():
        op.add_column("topic", sa.Column(name, sa.Double(), comment=comment), schema=SCHEMA)
        is_share = f"{name} >= 0 AND {name} <= 1"
        op.create_check_constraint(op.f(f"topic_{name}_check"), "topic", is_share, schema=SCHEMA)
    _rename("mixture_share", "share", old=MIXTURE, new=SHARE)


def _rename(name: str, new_name: str, *, old: str, new: str) -> None:
    op.alter_column(
        "topic",
        name,
        schema=SCHEMA,
        new_column_name=new_name,
        existing_type=sa.Double(),
        existing_nullable=False,
        comment=new,
        existing_comment=old,
    )
    op.execute(f"ALTER TABLE {SCHEMA}.topic RENAME CONSTRAINT topic_{name}_check TO topic_{new_name}_check")


def _tell_seen(old: str, new: str) -> None:
    op.alter_column(
        "petition",
        "last_seen_at",
        schema=SCHEMA,
        existing_type=sa.DateTime(timezone=True),
        existing_nullable=False,
        comment=SEEN.format(new),
        existing_comment=SEEN.format(old),
    )
