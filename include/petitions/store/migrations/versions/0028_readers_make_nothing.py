"""Readers make no temporary tables and no large objects: they fill a disk, and nobody needs theirs.

Functions of Postgres can be taken from all only by a superuser: where the owner of the database is none,
deploy/prepare_databases.py does it as the administrator.
"""

from alembic import op

revision = "0028"
down_revision = "0019"

MAKERS = "lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea)"
RIGHT = """
DO $$ BEGIN
    EXECUTE format('{verb} TEMPORARY ON DATABASE %I {preposition} PUBLIC', current_database());
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        {verb} EXECUTE ON FUNCTION {makers} {preposition} PUBLIC;
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute(RIGHT.format(verb="REVOKE", preposition="FROM", makers=MAKERS))


def downgrade() -> None:
    op.execute(RIGHT.format(verb="GRANT", preposition="TO", makers=MAKERS))
