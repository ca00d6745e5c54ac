"""What is new since the day we looked before: petitions that came, and those that gained most agreements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from petitions.records import Source
from topic_browser.rows import Rows, read_rows

SHOWN = 5
MOST_OPEN = 3000  # petitions that are looked through: the newest open ones


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Ids, so that a petition that was hidden since is left out where its title is read."""

    seen_on: date | None = None  # the last day we looked; None: there was none before it
    n_new: int = 0
    new: Sequence[str] = ()  # first seen on that day, most agreements first
    gained: Sequence[tuple[str, int, int]] = ()  # id, agreements gained, in days; the most a day first


def read_news(conn: Connection, source: Source) -> News:
    """Read them of the open petitions, whose agreements alone move."""
    newest = """
        SELECT petition_id FROM petitions.current_petition
        WHERE source = :source AND status = 'open' ORDER BY begins_on DESC, petition_id LIMIT :most
    """
    curve = """
        WITH curve AS MATERIALIZED (
            SELECT petition_id, seen_on, n_agreements, gain, n_days FROM petitions.agreement_curve
            WHERE petition_id = ANY (:ids)
        ), days AS (
            SELECT max(seen_on) AS seen_on, min(seen_on) AS first_seen_on FROM curve
        )
        SELECT curve.* FROM curve JOIN days USING (seen_on)
        WHERE days.first_seen_on < days.seen_on ORDER BY curve.n_agreements DESC, curve.petition_id
    """
    ids = [row["petition_id"] for row in read_rows(conn, newest, source=str(source), most=MOST_OPEN)]
    rows = read_rows(conn, curve, ids=ids) if ids else []
    return _tell(rows) if rows else News()


def _tell(rows: Rows) -> News:
    new = [row["petition_id"] for row in rows if row["gain"] is None]
    gained = sorted((row for row in rows if (row["gain"] or 0) > 0), key=_rate, reverse=True)
    return News(
        seen_on=rows[0]["seen_on"],
        n_new=len(new),
        new=new[:SHOWN],
        gained=[(row["petition_id"], row["gain"], row["n_days"]) for row in gained[:SHOWN]],
    )


def _rate(row: dict[str, Any]) -> float:
    return float(row["gain"] / max(row["n_days"], 1))
