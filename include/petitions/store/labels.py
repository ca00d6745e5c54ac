"""The labels of petitions: those of their sites, to train on, and those that scorers give, by content hash."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ARRAY, ColumnElement, Connection, and_, any_, func, literal, select

from petitions.errors import PermanentError
from petitions.records import PetitionText, Source, Status, Window
from petitions.store.label_tables import petition_label
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import count_unseen, read_unseen
from petitions.store.tables import Key, petition
from petitions.store.upsert import Counts, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A stored petition with what its site says of it."""

    text: PetitionText
    begins_on: date
    category: str
    is_moderated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenLabels:
    """The labels that a scorer gives one petition, the likeliest first, and their probabilities."""

    petition_id: str
    scorer: str
    content_hash: str
    labels: Sequence[tuple[str, float]]


def read_labelled(conn: Connection, source: Source, since: date, until: date) -> list[LabelledText]:
    """Read the petitions of a source that begin in [since, until), in the order of their ids, hidden ones left out."""
    days = (petition.c.begins_on >= since, petition.c.begins_on < until)
    return _read(conn, and_(petition.c.source == str(source), *days))


def read_labelled_of(conn: Connection, petition_ids: Iterable[str]) -> list[LabelledText]:
    """Read those of some petitions that are stored, in the order of their ids, hidden ones left out."""
    return _read(conn, petition.c.petition_id == any_(literal(list(petition_ids), ARRAY(Key))))


def read_days(conn: Connection, source: Source) -> tuple[date, date] | None:
    """Read the first and the last day on which a petition of a source begins; None where there is none."""
    shown = and_(petition.c.source == str(source), petition.c.status != str(Status.HIDDEN))
    first, last = conn.execute(
        select(func.min(petition.c.begins_on), func.max(petition.c.begins_on)).where(shown)
    ).one()
    return None if first is None else (first, last)


def read_unlabelled(
    conn: Connection,
    source: Source,
    window: Window,
    scorer: str,
    limit: int = 1000,
    part: Part = WHOLE,
    *,
    after: str = "",
) -> list[PetitionText]:
    """Read texts that this scorer has not seen, at most `limit`; none are left when the list is empty."""
    return read_unseen(conn, source, window, petition_label, {"scorer": scorer}, limit, part, after)


def count_unlabelled(conn: Connection, source: Source, window: Window, scorer: str) -> int:
    """Count the texts that `read_unlabelled` gives."""
    return count_unseen(conn, source, window, petition_label, {"scorer": scorer})


def upsert_labels(conn: Connection, given: Iterable[GivenLabels]) -> Counts:
    """Write the labels of petitions; those of an older text, which this one lacks, are deleted.

    Raises:
        PermanentError: a probability that is not finite.
    """
    rows = [
        {
            "petition_id": item.petition_id,
            "scorer": item.scorer,
            "rank": rank,
            "label": label,
            "probability": round(_require_finite(probability, item), 6),
            "content_hash": item.content_hash,
        }
        for item in given
        for rank, (label, probability) in enumerate(item.labels, start=1)
    ]
    return upsert(conn, petition_label, rows, compare=("content_hash",), replace_within=("petition_id", "scorer"))


def _require_finite(probability: float, item: GivenLabels) -> float:
    if not math.isfinite(probability):
        raise PermanentError(f"a label of {item.petition_id} by {item.scorer} has the probability {probability}")
    return float(probability)


def _read(conn: Connection, condition: ColumnElement[bool]) -> list[LabelledText]:
    texts = (petition.c[name] for name in ("petition_id", "content_hash", "title", "purpose", "body"))
    columns = (*texts, petition.c.begins_on, petition.c.category, petition.c.is_moderated)
    shown = and_(condition, petition.c.status != str(Status.HIDDEN))
    return [
        LabelledText(
            text=PetitionText(**dict(zip(PetitionText.__dataclass_fields__, row[:5], strict=True))),
            begins_on=row.begins_on,
            category=row.category,
            is_moderated=row.is_moderated,
        )
        for row in conn.execute(select(*columns).where(shown).order_by(petition.c.petition_id))
    ]
