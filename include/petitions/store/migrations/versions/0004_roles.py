"""The roles petition_writer and petition_reader; what the reader may see is granted with the views."""

from alembic import op

revision = "0004"
down_revision = "0003"

# Roles belong to the whole server: another database of it may have made them, or its administrator, by hand.
ROLES = """
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['petition_writer', 'petition_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- a migration of another database made it in the meantime
            END;
        END IF;
    END LOOP;
END $$
"""
TABLES = (
    "petition, petition_agreement, crawl_reject, pipeline_run, check_result, petition_tokens, topic_model, topic,"
    " topic_term, topic_event, petition_topic, petition_embedding, petition_score, petition_keyword"
)
REPLACED = "topic, topic_term, topic_event, petition_topic, petition_keyword"  # a fit or a text that is done anew


def upgrade() -> None:
    op.execute(ROLES)
    op.execute("SET LOCAL search_path = petitions, public")
    op.execute("GRANT USAGE ON SCHEMA petitions TO petition_writer, petition_reader")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {TABLES} TO petition_writer")
    op.execute(f"GRANT DELETE ON {REPLACED} TO petition_writer")
    op.execute("GRANT SELECT ON alembic_version TO petition_writer")
    op.execute(
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO petition_writer', current_database()); END $$"
    )


def downgrade() -> None:
    op.execute("SET LOCAL search_path = petitions, public")
    op.execute(f"REVOKE ALL ON {TABLES}, alembic_version FROM petition_writer")
    op.execute("REVOKE ALL ON SCHEMA petitions FROM petition_writer, petition_reader")
    op.execute(
        "DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM petition_writer', current_database()); END $$"
    )
