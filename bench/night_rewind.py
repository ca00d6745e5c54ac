"""What the first night left, kept and set back to: the second night of `night.py` can be measured many times."""

import shutil
from collections.abc import Callable
from pathlib import Path

from night_data import NIGHTS
from night_run import Night
from sqlalchemy import Connection, create_engine, make_url, text

TakeNight = Callable[[str, str], Night]  # as NIGHTS has them
OWNER = "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = :name"
GRANTS = """
SELECT privilege_type, coalesce(quote_ident(rolname), 'PUBLIC') FROM pg_database, aclexplode(datacl) AS granted
LEFT JOIN pg_roles ON pg_roles.oid = granted.grantee WHERE datname = :name
"""
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"


class Rewind:
    """A database and a folder of artifacts, which nobody works on between the nights."""

    def __init__(self, database_url: str, artifacts: Path) -> None:
        """Keep copies of both; the URL is that of a superuser."""
        self._url, self._name = database_url, str(make_url(database_url).database)
        self._artifacts, self._kept = artifacts, artifacts.with_name(f"{artifacts.name}-first")
        copy_database(database_url, f"{self._name}_first")
        shutil.copytree(artifacts, self._kept)

    def rewind(self) -> None:
        """Set both back."""
        url = make_url(self._url)
        copy_database(url.set(database=f"{self._name}_first").render_as_string(hide_password=False), self._name)
        for path in self._artifacts.iterdir():  # the folder itself may be a volume
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self._kept, self._artifacts, dirs_exist_ok=True)


def take_rounds(take: TakeNight, n: int, database_url: str, artifacts: Path) -> list[list[Night]]:
    """One first night, and n times a second and one with nothing new from what it left; the first is of each round.

    Of more than one, each begins at a copy: beside the first night's own rows Postgres still cleans up.
    """
    first = take(*NIGHTS[0])
    kept, rounds = Rewind(database_url, artifacts) if n > 1 else None, list[list[Night]]()
    for _ in range(n):
        if kept:
            kept.rewind()
        rounds.append([first, *(take(*night) for night in NIGHTS[1:])])
    return rounds


def copy_database(database_url: str, target: str) -> None:
    """Copy a database over another, with its owner and grants, which Postgres leaves out; not its settings."""
    url = make_url(database_url)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        _copy(conn, {"name": url.database}, target)
    admin.dispose()


def _copy(conn: Connection, source: dict[str, str | None], target: str) -> None:
    owner = conn.execute(text(OWNER), source).scalar_one()
    grants = conn.execute(text(GRANTS), source).all()
    conn.execute(text(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)"))
    conn.execute(text(END_SESSIONS), source)
    conn.execute(text(f"CREATE DATABASE {target} TEMPLATE {source['name']} OWNER {owner}"))
    if grants:
        conn.execute(text(f"REVOKE ALL ON DATABASE {target} FROM PUBLIC"))
    for privilege, grantee in grants:
        conn.execute(text(f"GRANT {privilege} ON DATABASE {target} TO {grantee}"))
