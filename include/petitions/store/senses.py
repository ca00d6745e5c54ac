"""The petitions that hold a word, page by page, and the senses that were found of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from petitions.records import PetitionText, Source, Status, Window
from petitions.store.sense_tables import word_sense
from petitions.store.tables import petition
from petitions.store.upsert import Counts, upsert

PAGE = 500  # petitions in memory at once
_COMPARED = ("share", "n_occurrences", "n_found", "neighbours", "petition_ids", "method")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSense:
    """One sense of a word: how much of it there is, the words beside it, and where it stands most typically."""

    share: float
    n_occurrences: int
    neighbours: Sequence[str]
    petition_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSenses:
    """All senses of a word in some petitions, the most frequent first, and what found them."""

    word: str
    source: Source | None  # None: all sources together
    window: Window
    encoder: str
    method: str
    n_found: int  # occurrences, of which some may have been left out
    senses: Sequence[WordSense]


def read_stored_days(conn: Connection, source: Source | None) -> tuple[date, date] | None:
    """Read the first and the last day on which a petition of a source, or of any, begins; None where there is none."""
    query = select(func.min(petition.c.begins_on), func.max(petition.c.begins_on)).where(_shown(source))
    first, last = conn.execute(query).one()
    return None if first is None else (first, last)


def read_with_word(conn: Connection, word: str, source: Source | None, window: Window) -> Iterator[PetitionText]:
    """Read the petitions of a window that hold some letters, in the order of their ids, hidden ones left out."""
    texts = [petition.c[name] for name in PetitionText.__dataclass_fields__]
    holds = or_(*(petition.c[name].contains(word, autoescape=True) for name in ("title", "purpose", "body")))
    days = (petition.c.begins_on >= window.since, petition.c.begins_on < window.until)
    after = ""
    while True:
        page = conn.execute(
            select(*texts)
            .where(_shown(source), *days, holds, petition.c.petition_id > after)
            .order_by(petition.c.petition_id)
            .limit(PAGE)
        ).all()
        yield from (PetitionText(**row._asdict()) for row in page)
        if len(page) < PAGE:
            return
        after = page[-1].petition_id


def upsert_senses(conn: Connection, found: WordSenses, *, at: datetime) -> Counts:
    """Write the senses of a word in place of those that were found in the same petitions by the same weights."""
    rows = [
        {
            "word": found.word,
            "source": str(found.source or ""),
            "since": found.window.since,
            "until": found.window.until,
            "encoder": found.encoder,
            "sense": number,
            "share": round(sense.share, 6),
            "n_occurrences": sense.n_occurrences,
            "n_found": found.n_found,
            "neighbours": list(sense.neighbours),
            "petition_ids": list(sense.petition_ids),
            "method": found.method,
            "found_at": at,
        }
        for number, sense in enumerate(found.senses, start=1)
    ]
    key = [item.name for item in word_sense.primary_key if item.name != "sense"]
    return upsert(conn, word_sense, rows, compare=_COMPARED, replace_within=key)


def _shown(source: Source | None) -> ColumnElement[bool]:
    shown = petition.c.status != str(Status.HIDDEN)
    return shown if source is None else and_(shown, petition.c.source == str(source))
