"""Tell petitions that were set aside from answers that were no petition."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

SCHEMA = "petitions"
ASIDE = "no answer at any try, while the site answered for others: asked for again on later nights"
ARTIFACT = 'where the raw bytes of the first such answer are: "file#offset"; empty where nothing came'
ARTIFACT_BEFORE = 'where the raw bytes of the first such answer are: "file#offset"'


def upgrade() -> None:
    op.add_column(
        "crawl_reject",
        sa.Column("is_aside", sa.Boolean(), nullable=False, server_default=sa.false(), comment=ASIDE),
        schema=SCHEMA,
    )
    op.alter_column("crawl_reject", "artifact", comment=ARTIFACT, existing_comment=ARTIFACT_BEFORE, schema=SCHEMA)
    op.create_index(op.f("crawl_reject_source_url_idx"), "crawl_reject", ["source", "url"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_index(op.f("crawl_reject_source_url_idx"), "crawl_reject", schema=SCHEMA)
    op.alter_column("crawl_reject", "artifact", comment=ARTIFACT_BEFORE, existing_comment=ARTIFACT, schema=SCHEMA)
    op.drop_column("crawl_reject", "is_aside", schema=SCHEMA)
