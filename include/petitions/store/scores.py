"""The scores and keywords of petitions, by encoder and content hash, so that no text is scored twice."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, select, tuple_

from petitions.errors import PermanentError
from petitions.records import PetitionText, Source, Window
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import count_where, read_where
from petitions.store.tables import petition, petition_keyword, petition_score
from petitions.store.upsert import Counts, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score of one petition by one encoder; `model_id` names the fit of a topic_similarity, else it is empty."""

    petition_id: str
    encoder: str
    score: str
    value: float
    content_hash: str
    model_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The words that one petition is about, the weightiest first, and their weights, 0 to 1."""

    petition_id: str
    encoder: str
    content_hash: str
    extractor: str  # the version of what found them
    words: list[tuple[str, float]]


def read_unscored(
    conn: Connection,
    source: Source,
    window: Window,
    encoder: str,
    scores: Sequence[str],
    limit: int = 1000,
    *,
    part: Part = WHOLE,
    after: str = "",
) -> list[PetitionText]:
    """Read texts that lack one of these scores by this encoder, at most `limit`, in the order of their ids."""
    is_due = and_(petition.c.petition_id > after, _is_unscored(encoder, scores))
    return read_where(conn, source, window, is_due, limit, part)


def count_unscored(conn: Connection, source: Source, window: Window, encoder: str, scores: Sequence[str]) -> int:
    """Count the texts that `read_unscored` gives."""
    return count_where(conn, source, window, _is_unscored(encoder, scores))


def _is_unscored(encoder: str, scores: Sequence[str]) -> ColumnElement[bool]:
    made = petition_score.c
    n_made = (
        select(func.count())
        .where(
            made.petition_id == petition.c.petition_id,
            made.content_hash == petition.c.content_hash,
            made.encoder == encoder,
            made.model_id == "",
            made.score.in_(scores),
        )
        .scalar_subquery()
    )
    return n_made < len(scores)


def read_without_keywords(
    conn: Connection,
    source: Source,
    window: Window,
    encoder: str,
    extractor: str,
    *,
    after: str,
    limit: int = 1000,
    part: Part = WHOLE,
) -> list[PetitionText]:
    """Read texts that lack keywords by this encoder and extractor, at most `limit`, in the order of their ids.

    Only ids greater than `after`: a text without any noun gets no keyword, and must not be met again and again.
    """
    is_due = and_(petition.c.petition_id > after, ~_has_keywords(encoder, extractor))
    return read_where(conn, source, window, is_due, limit, part)


def count_old_keywords(conn: Connection, source: Source, window: Window, encoder: str, extractor: str) -> int:
    """Count the texts that have keywords by this encoder, but of an older text or by another extractor.

    Those that have none are not told from those without any noun; a new text has no score yet either.
    """
    made = petition_keyword.c
    has_any = exists().where(made.petition_id == petition.c.petition_id, made.encoder == encoder)
    return count_where(conn, source, window, and_(has_any, ~_has_keywords(encoder, extractor)))


def _has_keywords(encoder: str, extractor: str) -> ColumnElement[bool]:
    made = petition_keyword.c
    return exists().where(
        made.petition_id == petition.c.petition_id,
        made.content_hash == petition.c.content_hash,
        made.encoder == encoder,
        made.extractor == extractor,
    )


def name_scores(encoder: str, texts: Sequence[PetitionText], values: Mapping[str, NDArray[np.float32]]) -> list[Score]:
    """The rows of scores float32 [N] of N texts, by the name of each, under the name of the weights."""
    return [
        Score(
            petition_id=text.petition_id,
            encoder=encoder,
            score=name,
            value=round(float(value), 6),
            content_hash=text.content_hash,
        )
        for name, found in values.items()
        for text, value in zip(texts, found, strict=True)
    ]


def upsert_scores(conn: Connection, scores: Iterable[Score]) -> Counts:
    """Write scores. A stored score of the same content hash stays: it differs in its last bits at most.

    Raises:
        PermanentError: a value that is not finite, an unknown score, or a topic_similarity without its fit.
    """
    return upsert(conn, petition_score, (_score_row(item) for item in scores), compare=("content_hash",))


def upsert_keywords(conn: Connection, keywords: Iterable[Keywords]) -> Counts:
    """Write keywords; words that an older text of a petition had, and this one lacks, are deleted."""
    keywords = list(keywords)
    key = tuple_(petition_keyword.c.petition_id, petition_keyword.c.encoder)
    wordless = [(item.petition_id, item.encoder) for item in keywords if not item.words]
    deleted = conn.execute(delete(petition_keyword).where(key.in_(wordless))).rowcount
    rows = [
        {
            "petition_id": item.petition_id,
            "encoder": item.encoder,
            "rank": rank,
            "word": word,
            "weight": round(float(weight), 6),
            "content_hash": item.content_hash,
            "extractor": item.extractor,
        }
        for item in keywords
        for rank, (word, weight) in enumerate(item.words, start=1)
    ]
    written = upsert(
        conn,
        petition_keyword,
        rows,
        compare=("content_hash", "extractor"),
        replace_within=("petition_id", "encoder"),
    )
    return written + Counts(deleted=deleted)


def _score_row(item: Score) -> dict[str, object]:
    if not math.isfinite(item.value):
        raise PermanentError(f"{item.score} of {item.petition_id} by {item.encoder} is {item.value}, not finite")
    return {
        "petition_id": item.petition_id,
        "encoder": item.encoder,
        "score": item.score,
        "model_id": item.model_id,
        "value": float(item.value),
        "content_hash": item.content_hash,
    }
