"""Postgres and the artifact store: tables, migrations, reads and upserts."""
