"""Engines on the results database whose connections are what the code takes them for.

Each new connection is asked, once, which settings it has and which server process serves it. The settings may have been
lost on the way: libpq lets PGTZ and PGDATESTYLE of the environment go before ours, and a pooler takes none. Then they
are set. A pooler is met where the server process is not the one that was told at the connection: PgBouncer and its kind
make up a number. One that hands each connection a process of its own for as long as it lasts (session mode) will do;
one that does so for a transaction alone cannot: locks and settings would be anybody's.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Dialect

from petitions.errors import ConfigError
from petitions.store.database_url import read_prepare_threshold
from petitions.store.embedded import LOCAL, find_url
from petitions.store.session import describe_session, name_settings

ENCODING = "UTF8"
_LOOKS = 5  # at a pooler that is in use by others, one look may miss what it does
_NO_OPTIONS = "unsupported startup parameter"
_ASK = """
    SELECT pg_backend_pid(), ARRAY(
        SELECT current_setting(name) FROM unnest(%s::text[]) WITH ORDINALITY AS asked (name, place) ORDER BY place
    )
"""
_SET = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS wanted (name, value)"
_LEFT_OVER = r"""
    SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name LIKE '\_pg3\_%')
        OR EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
"""
# Refused by Postgres once the process has used temporary tables, for whomever: at a pooler it stays as it is.
_NOT_SET_LATE = frozenset({"temp_buffers"})

Connection = psycopg.Connection[Any]


def make_engine(
    database_url: str,
    name: str,
    settings: Mapping[str, str],
    *,
    connect_timeout_s: int,
    local: Path = LOCAL,
    **pool: Any,
) -> Engine:
    """Make an engine, which connects at its first use.

    Args:
        database_url: a SQLAlchemy URL of Postgres (the driver in it is ignored: it is always psycopg 3), or empty.
        name: what asks.
        settings: of the session, each as Postgres shows it.
        connect_timeout_s: seconds to wait for the server.
        local: the folder of the embedded server, which is started where no URL is given.
        pool: more arguments of `create_engine`.

    Raises:
        ConfigError: a URL that is no URL of Postgres; at a connection: a pooler that will not do, another encoding.
        DatabaseDownError: the embedded server does not start.
    """
    url = find_url(database_url, local).set(drivername="postgresql+psycopg")
    arguments = describe_session(name, settings, connect_timeout_s=connect_timeout_s)
    arguments["prepare_threshold"] = read_prepare_threshold(database_url)
    if "options" in url.query:  # some providers tell by them which database is meant
        arguments["options"] = f"{url.query['options']} {arguments['options']}"
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,  # a statement in a log must not bring a petition along
        connect_args=arguments,
        **pool,
    )
    event.listen(engine, "do_connect", _Opener(name_settings(settings)).open)
    return engine


class _Opener:
    """Opens the connections of an engine; what it has learned of a pooler holds for the next ones."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._takes_options, self._keeps_sessions = True, False

    def open(self, dialect: Dialect, record: object, words: list[Any], about: dict[str, Any]) -> Connection:
        """Connect, in the place of SQLAlchemy."""

        def connect() -> Connection:
            try:
                return _connect(dialect, words, about if self._takes_options else about | {"options": ""})
            except psycopg.OperationalError as error:
                if _NO_OPTIONS not in str(error):
                    raise
                self._takes_options = False  # and PGOPTIONS of the environment would not arrive either
                return _connect(dialect, words, about | {"options": ""})

        conn = connect()
        try:
            conn.autocommit = True
            self._greet(conn, connect)
            conn.autocommit = False
        except BaseException:
            conn.close()
            raise
        return conn

    def _greet(self, conn: Connection, connect: Callable[[], Connection]) -> None:
        process, (encoding, *shown) = conn.execute(_ASK, [["server_encoding", *self._settings]]).fetchone() or (0, [""])
        if encoding != ENCODING:
            raise ConfigError(
                f"the results database {conn.info.dbname} is in {encoding}, and must be in {ENCODING}: make another by"
                f" CREATE DATABASE … ENCODING '{ENCODING}' TEMPLATE template0"
            )
        late = {
            name: value for (name, value), found in zip(self._settings.items(), shown, strict=True) if found != value
        }
        if process != conn.pgconn.backend_pid:
            if not self._keeps_sessions:
                with connect() as other:
                    other.autocommit = True
                    _refuse_turns(conn, other)
                    _refuse_left_over(other)
                self._keeps_sessions = True
            _refuse_left_over(conn)
            late = {name: value for name, value in late.items() if name not in _NOT_SET_LATE}
        if late:
            conn.execute(_SET, [[*late], [*late.values()]])


def _connect(dialect: Dialect, words: list[Any], about: dict[str, Any]) -> Connection:
    conn: Connection = dialect.connect(*words, **about)  # type: ignore[assignment]
    return conn


def _refuse_turns(conn: Connection, other: Connection) -> None:
    """Refuse a pooler that lends a server process for a transaction: two connections meet one, or one meets two.

    Raises:
        ConfigError: it does.
    """
    ours, theirs = set[int](), set[int]()
    for _ in range(_LOOKS):
        ours |= {_ask_process(conn), _ask_process(conn)}  # twice: poolers that go round have two, or more
        theirs.add(_ask_process(other))
        if len(ours) > 1 or len(theirs) > 1 or ours & theirs:
            raise ConfigError(
                "PETITIONS_DATABASE_URL leads to a pooler that shares sessions between transactions (PgBouncer with"
                " pool_mode = transaction or statement), where neither locks nor settings hold: give it the address"
                " of the server itself, or of a pool with pool_mode = session"
            )


def _ask_process(conn: Connection) -> int:
    (process,) = conn.execute("SELECT pg_backend_pid()", prepare=False).fetchone() or (0,)
    return int(process)


def _refuse_left_over(conn: Connection) -> None:
    """Refuse a pooler that hands a session on as another client left it; a lock would outlive whoever held it.

    Raises:
        ConfigError: it does.
    """
    (is_left_over,) = conn.execute(_LEFT_OVER).fetchone() or (False,)
    if is_left_over:
        raise ConfigError(
            "the pooler of PETITIONS_DATABASE_URL hands sessions on with the locks and prepared statements of others:"
            " its server_reset_query must be DISCARD ALL"
        )
