"""Whom and which regions petitions name, by content hash and by the lists of both; views/05_lists.sql finds them."""

from sqlalchemy import Connection, text

from petitions.records import Source, Window

# Of a chunk of petitions that lack them, and of those alone, as looking for them takes milliseconds each.
_UPSERT = text("""
INSERT INTO petitions.petition_mentions (petition_id, content_hash, lists, mentions)
SELECT due.petition_id, due.content_hash, due.lists, coalesce(
    (SELECT jsonb_agg(to_jsonb(found) - 'petition_id' ORDER BY found.list, found.name)
     FROM petitions.found_mention AS found WHERE found.petition_id = due.petition_id), '[]')
FROM (
    SELECT p.petition_id, p.content_hash, today.lists
    FROM petitions.petition AS p CROSS JOIN (SELECT lists FROM petitions.lists_today OFFSET 0) AS today
    WHERE p.source = :source AND p.begins_on >= :since AND p.begins_on < :until AND p.status <> 'hidden'
        AND p.petition_id > :after AND NOT EXISTS (
            SELECT FROM petitions.petition_mentions AS kept
            WHERE kept.petition_id = p.petition_id AND kept.content_hash = p.content_hash AND kept.lists = today.lists
        )
    ORDER BY p.petition_id LIMIT :limit
) AS due
ON CONFLICT (petition_id) DO UPDATE
    SET content_hash = excluded.content_hash, lists = excluded.lists, mentions = excluded.mentions
RETURNING petition_id
""")


def upsert_mentions(
    conn: Connection, source: Source, window: Window, *, after: str = "", limit: int = 1000
) -> list[str]:
    """Find and write what the next texts name for which this was not done yet, or with other lists; gives their ids.

    Args:
        conn: inside the caller's transaction.
        source: whose petitions; hidden ones are left out.
        window: begins_on is in it.
        after: only ids greater than this one: the last of the call before.
        limit: the most that is done.
    """
    bound = {"source": str(source), "since": window.since, "until": window.until, "after": after, "limit": limit}
    return sorted(conn.execute(_UPSERT, bound).scalars())
