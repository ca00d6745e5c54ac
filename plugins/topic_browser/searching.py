"""What a reader searches by, and the petitions that answer: words, filters, a count that is bounded, a page of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

from fastapi import HTTPException, Request
from sqlalchemy import Connection

from petitions.records import Source, Status
from topic_browser.asking import require_text
from topic_browser.rows import Rows, read_rows
from topic_browser.snippets import cut_snippet, make_pattern, mark

PAGE, MOST = 20, 500  # petitions of a page, and those that are counted: more are told as more
LONGEST_QUESTION, LONGEST_CATEGORY = 500, 100  # characters
READ = 20_000  # characters of a text in which the words are looked for
STATUSES = tuple(status.value for status in Status if status is not Status.HIDDEN)
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A question and its filters, as they stand in the address; empty ones filter nothing."""

    question: str = ""
    category: str = ""
    status: str = ""
    first_day: date | None = None  # on which a petition begins, as the next
    last_day: date | None = None
    is_everywhere: bool = False  # of all sources

    @property
    def params(self) -> dict[str, str]:
        """What makes the address of this search again."""
        told = {
            "q": self.question, "category": self.category, "status": self.status,
            "first_day": self.first_day or "", "last_day": self.last_day or "",
            "everywhere": "1" if self.is_everywhere else "",
        }  # fmt: skip
        return {name: str(value) for name, value in told.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The petitions that answer a search, the best first, at most MOST of them."""

    ids: Sequence[str] = ()
    is_more: bool = False  # than these

    @property
    def n_pages(self) -> int:
        """How many pages they make."""
        return max(1, ceil(len(self.ids) / PAGE))


def read_search(request: Request) -> Search:
    """Read a search from an address.

    Raises:
        HTTPException: 400: a day, a status or a length that cannot be.
    """
    asked = request.query_params
    status = asked.get("status", "")
    if status and status not in STATUSES:
        raise HTTPException(400)
    return Search(
        question=require_text(asked.get("q", ""), LONGEST_QUESTION),
        category=require_text(asked.get("category", ""), LONGEST_CATEGORY),
        status=status,
        first_day=_read_day(asked.get("first_day", "")),
        last_day=_read_day(asked.get("last_day", "")),
        is_everywhere=asked.get("everywhere", "") == "1",
    )


def _read_day(told: str) -> date | None:
    """A day of a form, whose empty fields come as empty texts."""
    if not told:
        return None
    try:
        day = date.fromisoformat(told)
    except ValueError:
        raise HTTPException(400) from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise HTTPException(400)
    return day


def find_petitions(conn: Connection, source: Source, search: Search, tokens: Sequence[str]) -> Found:
    """Read which petitions stand highest by the words of a question, or have its letters where no word is known."""
    query = """
        SELECT found.petition_id
        FROM petitions.search_petitions_hybrid(
            CAST(:tokens AS text[]), NULL, :k, :category, :status, :since, :until, of_source => :source,
            question => :question
        ) AS found
        ORDER BY found.score DESC, found.petition_id
    """
    rows = read_rows(
        conn,
        query,
        tokens=list(tokens),
        k=MOST + 1,
        category=search.category or None,
        status=search.status or None,
        since=search.first_day,
        until=search.last_day + timedelta(days=1) if search.last_day else None,
        source=None if search.is_everywhere else str(source),
        question=search.question,
    )
    ids = [row["petition_id"] for row in rows]
    return Found(ids=ids[:MOST], is_more=len(ids) > MOST)


def has_meaning(conn: Connection, source: Source, search: Search) -> bool:
    """Whether vectors would count in this search, had the question one: then this page finds less than the command."""
    query = """
        SELECT coalesce(bool_or(search_weight > 0), false) AS is_weighed FROM petitions.searched_encoder
        WHERE source = coalesce(CAST(:source AS text), source)
    """
    (row,) = read_rows(conn, query, source=None if search.is_everywhere else str(source))
    return bool(row["is_weighed"])


def read_found(conn: Connection, ids: Sequence[str], search: Search, tokens: Sequence[str]) -> Rows:
    """Read what a page tells of the petitions found, in their order: titles and snippets with the words marked."""
    query = """
        SELECT p.petition_id, p.source, p.title, p.status, p.n_agreements, p.begins_on, p.category, p.topic_id,
            p.topic_label, left(concat_ws(' ', nullif(p.purpose, ''), p.body), :read) AS text
        FROM petitions.current_petition AS p
        WHERE p.petition_id = ANY (:ids) ORDER BY array_position(:ids, p.petition_id)
    """
    pattern = make_pattern([search.question, *tokens])
    return [_mark_row(row, pattern) for row in read_rows(conn, query, ids=list(ids), read=READ)]


def _mark_row(row: dict[str, Any], pattern: re.Pattern[str] | None) -> dict[str, Any]:
    return row | {"marked": mark(row["title"], pattern), "snippet": cut_snippet(row["text"], pattern)}
