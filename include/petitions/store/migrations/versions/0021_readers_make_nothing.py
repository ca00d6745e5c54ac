"""Readers make no temporary tables and no large objects, which fill a disk; errors of the system are told.

Functions of Postgres can be taken from all only by a superuser: where the owner of the database is none,
deploy/prepare_databases.py does it as the administrator.
"""

from alembic import op

revision = "0021"
down_revision = "0020"

MAKERS = "lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea)"
RIGHT = """
DO $$ BEGIN
    EXECUTE format('{verb} TEMPORARY ON DATABASE %I {preposition} PUBLIC', current_database());
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        {verb} EXECUTE ON FUNCTION {makers} {preposition} PUBLIC;
    END IF;
END $$
"""


COMMENT = "COMMENT ON COLUMN petitions.pipeline_step.error_message IS '{}'"


def upgrade() -> None:
    told = "one line, without what was found in an answer; of an error of the system its words; else empty"
    op.execute(COMMENT.format(told))
    op.execute(RIGHT.format(verb="REVOKE", preposition="FROM", makers=MAKERS))


def downgrade() -> None:
    told = "one line, without what was found in an answer; empty of an error that is not ours, whose words may quote"
    op.execute(COMMENT.format(told))
    op.execute(RIGHT.format(verb="GRANT", preposition="TO", makers=MAKERS))
