"""Let a source be any name: which ones there are is a matter of the code, so that a new one needs no migration."""

from alembic import op

revision = "0012"
down_revision = "0009"

SCHEMA = "petitions"
TABLES = ("petition", "crawl_reject", "pipeline_run", "topic_model")


def upgrade() -> None:
    _replace_checks("source ~ '^[a-z][a-z0-9_]{0,31}$'")


def downgrade() -> None:
    _replace_checks("source IN ('assembly', 'bluehouse', 'sample')")


def _replace_checks(condition: str) -> None:
    for table in TABLES:
        op.drop_constraint(op.f(f"{table}_source_check"), table, schema=SCHEMA)
        op.create_check_constraint(op.f(f"{table}_source_check"), table, condition, schema=SCHEMA)
