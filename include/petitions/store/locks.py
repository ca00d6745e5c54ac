"""Who holds a lock of ours, for whoever has to wait for it: a process that stands still keeps its own."""

from sqlalchemy import Connection, text

# The two numbers of an advisory lock stand in pg_locks as object ids, which have no sign.
_HOLDERS = text("""
    SELECT string_agg(DISTINCT concat(
        s.application_name, ' from ' || host(s.client_addr),
        ', connected since ' || to_char(s.backend_start, 'YYYY-MM-DD HH24:MI:SS "UTC"')
    ), '; ')
    FROM pg_locks AS l
    JOIN pg_stat_activity AS s USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid = (hashtext(:kind)::bigint & 4294967295)::oid
        AND (CAST(:key AS text) IS NULL OR l.objid = (hashtext(:key)::bigint & 4294967295)::oid)
""")


def name_holders(conn: Connection, kind: str, key: str | None = None) -> str:
    """Name the sessions that hold a lock: host, process, address, and since when they are connected.

    Args:
        conn: an open connection.
        kind: the first part of the lock, of which Postgres knows the hash.
        key: the second one; None for any.
    """
    return conn.scalar(_HOLDERS, {"kind": kind, "key": key}) or "one that has ended meanwhile"
