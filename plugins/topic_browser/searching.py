"""What a reader searches by, and the petitions that answer: words, filters, a count that is bounded, a page of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil
from typing import Any

from fastapi import HTTPException, Request
from sqlalchemy import Connection

from petitions.records import Source, Status
from topic_browser.asking import require_text
from topic_browser.meaning import Meaning
from topic_browser.rows import Rows, read_rows
from topic_browser.snippets import cut_snippet, make_pattern, mark

PAGE, MOST = 20, 500  # petitions of a page, and those that are counted: more are told as more
NEAR = 50  # petitions that meaning may move or add: as many as `petitions search` ranks by vectors
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
class Asked:
    """A question as petitions are found by it."""

    text: str = ""  # normalized
    tokens: Sequence[str] = ()  # its words
    meaning: Meaning = Meaning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Which of both found a petition: words (or letters), meaning, or each."""

    has_words: bool
    similarity: float | None = None  # cosine; None: it is not among the NEAR nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The petitions that answer a search, the best first."""

    hits: Mapping[str, Hit] = field(default_factory=dict)  # by petition_id, in their order
    n_by_words: int = 0  # at most MOST
    is_more: bool = False  # have the words than these
    has_meaning: bool = False  # vectors were counted
    lack: str = ""  # why they were not, though they would count; a name of `words`

    @property
    def ids(self) -> Sequence[str]:
        """The petitions in their order."""
        return list(self.hits)

    @property
    def n_near(self) -> int:
        """How many of them meaning alone has found."""
        return sum(not hit.has_words for hit in self.hits.values())

    @property
    def n_pages(self) -> int:
        """How many pages they make."""
        return max(1, ceil(len(self.hits) / PAGE))


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


def find_petitions(conn: Connection, source: Source, search: Search, asked: Asked) -> Found:
    """Read which petitions stand highest by words and meaning, then all others that have the words.

    The first NEAR are those that `petitions search` gives; behind them, and in the count, words alone decide, or
    letters where no word is known: near to a question is each petition, more or less.
    """
    from petitions.store.readers import Filters, search_hybrid

    if not asked.text.strip():
        return Found()
    filters = Filters(
        source=None if search.is_everywhere else source,
        category=search.category or None,
        status=search.status or None,
        since=search.first_day,
        until=search.last_day + timedelta(days=1) if search.last_day else None,
    )
    meaning = _require_published(conn, filters.source, asked.meaning)
    by_words = search_hybrid(conn, asked.tokens, None, MOST + 1, filters, question=asked.text)
    near: Rows = []
    if meaning.vector is not None:
        near = search_hybrid(
            conn, asked.tokens, meaning.vector, NEAR, filters, encoder=meaning.encoder, question=asked.text
        )
    words = [str(row["petition_id"]) for row in by_words]
    hits = {
        str(row["petition_id"]): Hit(
            has_words=row["token_rank"] is not None or row["petition_id"] in words,
            similarity=None if row["vector_rank"] is None else row["similarity"],
        )
        for row in near
    }
    return Found(
        hits=hits | {one: Hit(has_words=True) for one in words[:MOST] if one not in hits},
        n_by_words=min(len(words), MOST),
        is_more=len(words) > MOST,
        has_meaning=meaning.vector is not None,
        lack=meaning.lack,
    )


def is_weighed(conn: Connection, source: Source, search: Search) -> bool:
    """Whether vectors would count in this search, had the question one."""
    return any(row["search_weight"] > 0 for row in _read_searched(conn, None if search.is_everywhere else source))


def _require_published(conn: Connection, source: Source | None, meaning: Meaning) -> Meaning:
    """The vector of a question where all that is searched is by the same weights: others mean nothing to it."""
    if meaning.vector is None:
        return meaning
    published = {row["encoder"] for row in _read_searched(conn, source)}
    return meaning if published == {meaning.encoder} else Meaning(lack="meaning_other")


def _read_searched(conn: Connection, source: Source | None) -> Rows:
    query = """
        SELECT encoder, search_weight FROM petitions.searched_encoder
        WHERE source = coalesce(CAST(:source AS text), source)
    """
    return read_rows(conn, query, source=source and str(source))


def read_found(conn: Connection, hits: Mapping[str, Hit], search: Search, tokens: Sequence[str]) -> Rows:
    """Read what a page tells of the petitions found, in their order: titles and snippets with the words marked."""
    query = """
        SELECT p.petition_id, p.source, p.title, p.status, p.n_agreements, p.begins_on, p.category, p.topic_id,
            p.topic_label, left(concat_ws(' ', nullif(p.purpose, ''), p.body), :read) AS text
        FROM petitions.current_petition AS p
        WHERE p.petition_id = ANY (:ids) ORDER BY array_position(:ids, p.petition_id)
    """
    pattern = make_pattern([search.question, *tokens])
    rows = read_rows(conn, query, ids=list(hits), read=READ)
    return [_mark_row(row, pattern) | {"hit": hits[row["petition_id"]]} for row in rows]


def _mark_row(row: dict[str, Any], pattern: re.Pattern[str] | None) -> dict[str, Any]:
    return row | {"marked": mark(row["title"], pattern), "snippet": cut_snippet(row["text"], pattern)}
