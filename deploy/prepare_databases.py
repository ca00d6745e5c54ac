"""Make the databases `airflow` and `petitions` and the roles that log in to them; without effect where all is there.

Reads host and passwords from PGPASSFILE, whose last line is the administrator's. A password that changed there is
set anew, so that a rotation is: new file, this script, restart.

| role | may |
|---|---|
| `airflow` | own the database `airflow` (Airflow's metadata) |
| `petition_owner` | own the database `petitions`: migrations, pruning |
| `petitions` | what `petition_writer` may: the pipeline |
| `petition_page` | what `petition_reader` may: the page in Airflow |
"""

import os
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from petitions.store.session import describe_session

OWNERS = {"airflow": "airflow", "petitions": "petition_owner"}  # database: its owner
GROUPS = {"petitions": "petition_writer", "petition_page": "petition_reader"}  # role: what it is a member of

_MAKERS = "lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea)"  # of large objects, which nobody here needs
_CREATE = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")  # whatever the server's own is


def prepare_databases(passfile: Path) -> None:
    """Make roles, then databases, then what only an administrator may do inside of them."""
    lines = [line.split(":", 4) for line in passfile.read_bytes().decode().removesuffix("\n").split("\n")]
    passwords = {role: password for *_, role, password in lines}
    host, port, _, admin, _ = lines[-1]
    server = {"host": host, "port": port, "user": admin, "passfile": str(passfile), "autocommit": True}
    server |= describe_session("prepare_databases", {}, connect_timeout_s=10)
    with psycopg.connect(**server, dbname="postgres") as conn:
        for group in GROUPS.values():
            _make_role(conn, group, sql.SQL("NOLOGIN"))
        for role, password in passwords.items():
            if role != admin:
                verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
                _make_role(conn, role, sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(verifier)))
        for role, group in GROUPS.items():
            conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role)))
        for name, owner in OWNERS.items():
            if not conn.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                conn.execute(_CREATE.format(sql.Identifier(name), sql.Identifier(owner)))
            conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        for role in GROUPS:
            conn.execute(sql.SQL("GRANT CONNECT ON DATABASE petitions TO {}").format(sql.Identifier(role)))
    with psycopg.connect(**server, dbname="petitions") as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
        with suppress(psycopg.errors.InsufficientPrivilege):  # an administrator who is no superuser
            conn.execute(f"REVOKE EXECUTE ON FUNCTION {_MAKERS} FROM PUBLIC")


def _make_role(conn: psycopg.Connection, role: str, options: sql.Composable) -> None:
    verb = "ALTER" if conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount else "CREATE"
    conn.execute(sql.SQL("{} ROLE {} {}").format(sql.SQL(verb), sql.Identifier(role), options))


if __name__ == "__main__":
    prepare_databases(Path(os.environ["PGPASSFILE"]))
