"""How much the vectors of an encoder count beside plain words, and the petitions that it is measured on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from petitions.records import PetitionText, Source
from petitions.store.petitions import read_texts_of
from petitions.store.tables import encoder_weight
from petitions.store.upsert import Counts, upsert

_SAMPLE = text("""
    SELECT p.petition_id, p.category FROM petitions.published_model AS m
    JOIN petitions.petition AS p
        ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    JOIN petitions.petition_embedding AS e
        ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1] AND e.content_hash = p.content_hash
    WHERE m.source = :source ORDER BY md5(p.petition_id) LIMIT :n
""")
_IS_WEIGHED = text("""
    SELECT coalesce(bool_or(search_weight > 0), false) FROM petitions.searched_encoder
    WHERE source = coalesce(:source, source)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderWeight:
    """What the list of an encoder's vectors is multiplied by, in search and among the most like ones."""

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


def sample_published(conn: Connection, source: Source, n: int) -> tuple[list[PetitionText], list[str]]:
    """Read n published petitions with a vector, always the same ones, by id; texts and categories."""
    categories: dict[str, str] = dict(conn.execute(_SAMPLE, {"source": source, "n": n}).all())
    texts: Sequence[PetitionText] = read_texts_of(conn, list(categories))
    return list(texts), [categories[item.petition_id] for item in texts]
