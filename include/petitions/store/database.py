"""The results database: opening it, bringing its schema up to date, and refusing a schema that is not ours.

An empty URL means the embedded server of `petitions.store.embedded`.
"""

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import ExceptionContext

from petitions.errors import SchemaError
from petitions.store.embedded import LOCAL
from petitions.store.engine import make_engine
from petitions.store.failures import translate_failure
from petitions.store.tables import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

logger = logging.getLogger(__name__)

VIEWS = Path(__file__).with_name("views")
MIGRATIONS = Path(__file__).with_name("migrations")
CONNECT_TIMEOUT_S = 10
# A chunk of ours is written in seconds. A statement that hangs, or waits for a lock that a second run over the same
# window holds, ends with an error that Airflow retries instead of holding a worker for hours.
_SETTINGS = {
    "search_path": f"public,{SCHEMA}",  # our statements name the schema; Alembic compares only what is not the first
    "statement_timeout": "15min",
    "lock_timeout": "2min",
    "idle_in_transaction_session_timeout": "0",  # a transaction waits for the work between two chunks
    "temp_buffers": "128MB",  # what is staged for an upsert stays in memory; taken only as far as it is needed
}


def open_engine(database_url: str, local: Path = LOCAL) -> Engine:
    """Connect to the results database, and start the embedded one where no URL is given.

    Args:
        database_url: a SQLAlchemy URL of Postgres (the driver in it is ignored: it is always psycopg 3), or empty.
        local: the folder of the embedded server; made when absent.

    Raises:
        ConfigError: a URL that is no URL of Postgres, a pooler that will not do, or a database that is not in UTF-8.
        DatabaseDownError: nothing answers there, or it lets us not in.
    """
    engine = make_engine(database_url, "petitions", _SETTINGS, connect_timeout_s=CONNECT_TIMEOUT_S, local=local)
    event.listen(engine, "handle_error", _translate)
    with engine.connect():
        return engine


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStatus:
    """The revision that the database has ("" without a schema), the one this code wants, and its views' state."""

    current: str
    head: str
    views_current: bool


def upgrade(engine: Engine) -> None:
    """Bring the schema to the revision of this code, in one transaction; without effect where it is there already.

    Migrations are history and stay as they were, while views and functions change with the code; so the migrations
    make tables alone, and views/*.sql, the only place of the views, are applied after them whenever either has changed.

    Raises:
        SchemaError: the database is newer than this code.
    """
    with engine.begin() as conn:
        conn.execute(text("SET LOCAL statement_timeout = 0"))  # a migration may build an index for an hour
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('petitions.upgrade'))"))  # workers start together
        status = _read_status(conn)
        if status.current == status.head and status.views_current:
            return
        _refuse_unknown(status)
        from alembic import command  # a tenth of a second, for which no other command waits: all ask the status

        _drop_views(conn)
        command.upgrade(_alembic(conn), "head")
        conn.exec_driver_sql(_read_views(), execution_options={"no_parameters": True})
        conn.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{_views_mark()}'"))
        logger.info("schema %s is at %s, was at %s", SCHEMA, status.head, status.current or "nothing")


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Go back to a revision, in one transaction. The views go: they fit only the newest; `upgrade` brings them back."""
    from alembic import command

    with engine.begin() as conn:
        _drop_views(conn)
        conn.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS NULL"))
        command.downgrade(_alembic(conn), revision)


def schema_status(engine: Engine) -> SchemaStatus:
    """Read which revision of the schema the database has."""
    with engine.connect() as conn:
        return _read_status(conn)


def require_schema(engine: Engine) -> None:
    """Refuse to work on a schema that is not the one of this code.

    Raises:
        SchemaError: the schema is missing, older or newer.
    """
    status = schema_status(engine)
    _refuse_unknown(status)
    if not status.current:
        raise SchemaError("the database has no schema petitions yet: run petitions db upgrade")
    if status.current != status.head:
        raise SchemaError(f"the schema is at {status.current}, older than {status.head}: run petitions db upgrade")
    if not status.views_current:
        raise SchemaError("the views are not those of this code: run petitions db upgrade")


def _alembic(conn: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config


def _read_status(conn: Connection) -> SchemaStatus:
    mark = conn.execute(text("SELECT obj_description(to_regnamespace(:name))"), {"name": SCHEMA}).scalar_one()
    return SchemaStatus(current=_read_revision(conn), head=_list_revisions()[-1], views_current=mark == _views_mark())


def _read_revision(conn: Connection) -> str:
    """The revision that Alembic has noted; "" where it has not been here, or has gone back to the base."""
    if conn.scalar(text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.alembic_version"}) is None:
        return ""
    return conn.scalar(text(f"SELECT version_num FROM {SCHEMA}.alembic_version")) or ""  # noqa: S608


def _list_revisions() -> list[str]:
    """The revisions that this code knows, the first one first: a migration's file is named after its own."""
    return sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def _refuse_unknown(status: SchemaStatus) -> None:
    if status.current and status.current not in _list_revisions():
        raise SchemaError(f"the schema is at {status.current}, newer than this code knows ({status.head}): update it")


def _views_mark() -> str:
    return f"Petition Topics; views {hashlib.sha256(_read_views().encode()).hexdigest()}"


def _read_views() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(VIEWS.glob("*.sql")))


def _drop_views(conn: Connection) -> None:
    """Drop what the files of views make; something of the user's that rests on one of them stops it, and is kept."""
    made = re.findall(r"^CREATE (VIEW|FUNCTION) petitions\.(\w+)", _read_views(), re.MULTILINE)
    for kind, name in reversed(made):
        conn.execute(text(f"DROP {kind} IF EXISTS {SCHEMA}.{name}"))


def _translate(context: ExceptionContext) -> None:
    """Raise ours instead of the driver's; a failed ping is left to the pool, which connects anew."""
    error = context.original_exception
    if isinstance(error, psycopg.Error) and not context.is_pre_ping:
        raise translate_failure(error) from error
