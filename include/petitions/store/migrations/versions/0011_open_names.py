"""Let sources and scores have any name: the code knows which there are, so that a new one needs no migration."""

from alembic import op

revision = "0011"
down_revision = "0010"

SCHEMA = "petitions"
NAME = "~ '^[a-z][a-z0-9_]{0,31}$'"
LISTED = {  # by table and column
    ("petition", "source"): "'assembly', 'bluehouse', 'sample'",
    ("crawl_reject", "source"): "'assembly', 'bluehouse', 'sample'",
    ("pipeline_run", "source"): "'assembly', 'bluehouse', 'sample'",
    ("topic_model", "source"): "'assembly', 'bluehouse', 'sample'",
    ("petition_score", "score"): "'next_sentence', 'pseudo_log_likelihood', 'moderation', 'topic_similarity'",
}


def upgrade() -> None:
    for table, column in LISTED:
        _replace_check(table, column, f"{column} {NAME}")


def downgrade() -> None:
    for (table, column), names in LISTED.items():
        _replace_check(table, column, f"{column} IN ({names})")


def _replace_check(table: str, column: str, condition: str) -> None:
    op.drop_constraint(op.f(f"{table}_{column}_check"), table, schema=SCHEMA)
    op.create_check_constraint(op.f(f"{table}_{column}_check"), table, condition, schema=SCHEMA)
