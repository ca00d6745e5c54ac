"""Shares of topics by category and by agreements, and what compares a fit with the one before."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

revision = "0006"
down_revision = "0005"

SCHEMA = "petitions"
COLUMNS: tuple[tuple[str, str, TypeEngine[Any], str], ...] = (
    (
        "topic_model",
        "changed_share",
        sa.Double(),
        "of the petitions in both windows, those that have another main topic than in the fit before; null: none",
    ),
    ("topic_model", "note", sa.Text(), "what readers should know, such as why there are fewer topics than asked for"),
    (
        "topic_model",
        "curve",
        JSONB(),
        'where PETITIONS_TOPICS is auto, what it chose from: [{"n_topics": 9, "npmi": 0.1, "stability": 0.8}, ...]',
    ),
    (
        "topic",
        "balanced_share",
        sa.Double(),
        "share where every category weighs the same; null in fits of older versions",
    ),
    (
        "topic",
        "agreement_share",
        sa.Double(),
        "share where every agreement weighs the same; null in fits of older versions",
    ),
    (
        "topic_event",
        "overlap",
        sa.Double(),
        "of petitions in both windows with either as main topic, those with both; null: too few, or not two topics",
    ),
)
COMMENTS: tuple[tuple[str, str, TypeEngine[Any], str, str], ...] = (  # the new one, and the one before
    (
        "crawl_progress",
        "finished_on",
        sa.Date(),
        "day on which the latest crawl of all lists that came to its end began, in Korea",
        "day on which the latest crawl that came to its end began, in Korea",
    ),
    (
        "topic_event",
        "distance",
        sa.Double(),
        "Jensen-Shannon distance of the two topics, 0 to 1; null when born or died",
        "Jensen-Shannon distance of the two topics, 0 to 1; null when born",
    ),
)


def upgrade() -> None:
    for table, name, kind, comment in COLUMNS:
        op.add_column(table, sa.Column(name, kind, comment=comment), schema=SCHEMA)
        if isinstance(kind, sa.Double):
            is_share = f"{name} >= 0 AND {name} <= 1"
            op.create_check_constraint(op.f(f"{table}_{name}_check"), table, is_share, schema=SCHEMA)
    for table, name, kind, new, old in COMMENTS:
        op.alter_column(table, name, schema=SCHEMA, existing_type=kind, comment=new, existing_comment=old)


def downgrade() -> None:
    for table, name, kind, new, old in COMMENTS:
        op.alter_column(table, name, schema=SCHEMA, existing_type=kind, comment=old, existing_comment=new)
    for table, name, _, _ in COLUMNS:  # its check goes with it
        op.drop_column(table, name, schema=SCHEMA)
