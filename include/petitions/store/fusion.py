"""How much the vectors of an encoder count beside plain words, and the petitions that it is measured on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, text

from petitions.records import PetitionText, Source, Window
from petitions.store.petitions import read_texts_of
from petitions.store.tables import encoder_weight
from petitions.store.topic_reads import read_published
from petitions.store.upsert import Counts, upsert

_SAMPLE = text("""
    SELECT p.petition_id, p.category FROM petitions.petition AS p
    JOIN petitions.petition_embedding AS e
        ON e.petition_id = p.petition_id AND e.encoder = :encoder AND e.content_hash = p.content_hash
    WHERE p.source = :source AND p.begins_on >= :since AND p.begins_on < :until AND p.status <> 'hidden'
    ORDER BY md5(p.petition_id) LIMIT :n
""")
_IS_WEIGHED = text("""
    SELECT coalesce(bool_or(search_weight > 0), false) FROM petitions.searched_encoder
    WHERE source = coalesce(:source, source)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderWeight:
    """What the cosine of an encoder's vectors is multiplied by, in search and among the most like ones."""

    encoder: str
    search_weight: float = 0.0
    similar_weight: float = 0.0


def upsert_weight(conn: Connection, weight: EncoderWeight) -> Counts:
    """Write how much the vectors of an encoder count."""
    return upsert(conn, encoder_weight, [asdict(weight)])


def insert_weight(conn: Connection, weight: EncoderWeight) -> Counts:
    """Write the same where nothing is known of the encoder yet."""
    return upsert(conn, encoder_weight, [asdict(weight)], compare=())


def is_weighed(conn: Connection, source: Source | None = None) -> bool:
    """Say whether vectors count in the search of a source, or of any: else a question need not be embedded."""
    return bool(conn.execute(_IS_WEIGHED, {"source": source}).scalar_one())


def read_search_weight(conn: Connection, encoder: str) -> float:
    """Read how much the vectors of an encoder count in search; 0 where it was not measured."""
    row = encoder_weight.c
    return float(conn.scalar(select(row.search_weight).where(row.encoder == encoder)) or 0.0)


def sample_published(conn: Connection, source: Source, n: int, encoder: str) -> tuple[list[PetitionText], list[str]]:
    """Read n published petitions with a vector by an encoder, always the same ones, by id; texts and categories."""
    published = read_published(conn, source)
    if published is None:
        return [], []
    return sample_encoded(conn, source, published.window, encoder, n)


def sample_encoded(
    conn: Connection, source: Source, window: Window, encoder: str, n: int
) -> tuple[list[PetitionText], list[str]]:
    """Read the same of a window, with a vector by an encoder."""
    bound = {"source": source, "since": window.since, "until": window.until, "encoder": encoder, "n": n}
    categories: dict[str, str] = dict(conn.execute(_SAMPLE, bound).all())
    texts: Sequence[PetitionText] = read_texts_of(conn, list(categories))
    return list(texts), [categories[item.petition_id] for item in texts]
