"""The embeddings of petitions, by encoder and content hash, so that no text is encoded twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, Connection, Engine, LargeBinary, Select, Text, any_, func, literal, select

from petitions.errors import PermanentError
from petitions.records import PetitionText, Source, Window
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import count_unseen, read_unseen, shown_in_window
from petitions.store.tables import Key, petition, petition_embedding
from petitions.store.upsert import Counts, upsert

BATCH = 1_000  # vectors that a stream fetches at once: 3 MB of 768 numbers, four times that on their way
_SENT = func.vector_send(petition_embedding.c.embedding, type_=LargeBinary)  # width, zero, numbers in network order


def read_unencoded(
    conn: Connection,
    source: Source,
    window: Window,
    encoder: str,
    limit: int = 1000,
    part: Part = WHOLE,
    *,
    after: str = "",
) -> list[PetitionText]:
    """Read texts that this encoder has not seen, at most `limit`; none are left when the list is empty."""
    return read_unseen(conn, source, window, petition_embedding, {"encoder": encoder}, limit, part, after)


def count_unencoded(conn: Connection, source: Source, window: Window, encoder: str) -> int:
    """Count the texts that `read_unencoded` gives."""
    return count_unseen(conn, source, window, petition_embedding, {"encoder": encoder})


def upsert_embeddings(
    conn: Connection, encoder: str, texts: Sequence[PetitionText], embeddings: NDArray[np.float32]
) -> Counts:
    """Write the vectors of texts.

    A stored vector of the same content hash stays: an encoder gives the same text the same vector, but for the last
    bits, which depend on what else was in the batch.

    Args:
        conn: inside the caller's transaction.
        encoder: name of the weights and their hash.
        texts: N petitions.
        embeddings: float32 [N, D], unit length, in their order.

    Raises:
        PermanentError: not one finite vector a text.
    """
    if embeddings.ndim != 2 or len(embeddings) != len(texts):
        raise PermanentError(f"{encoder}: {len(texts)} texts need as many vectors, got shape {embeddings.shape}")
    if not np.isfinite(embeddings).all():
        raise PermanentError(f"{encoder}: a vector holds a number that is not finite")
    return upsert(
        conn,
        petition_embedding,
        (
            {
                "petition_id": text.petition_id,
                "encoder": encoder,
                "embedding": sent,
                "content_hash": text.content_hash,
            }
            for text, sent in zip(texts, _send(embeddings), strict=True)
        ),
        compare=("content_hash",),
    )


def _send(embeddings: NDArray[np.float32]) -> Iterator[bytes]:
    """The vectors as `vector_send` writes them: int16 width, int16 zero, float32 numbers, all in network order."""
    width = embeddings.shape[1]
    sent = np.dtype([("width", ">i2"), ("unused", ">i2"), ("numbers", ">f4", (width,))])
    for start in range(0, len(embeddings), 1000):  # turned in blocks, which is quick, and never all of them twice
        block = np.zeros(len(embeddings[start : start + 1000]), dtype=sent)
        block["width"], block["numbers"] = width, embeddings[start : start + 1000]
        data = block.tobytes()
        for place in range(0, len(data), sent.itemsize):
            yield data[place : place + sent.itemsize]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingBatch:
    """The vectors of n petitions."""

    texts: list[tuple[str, str]]  # [n], petition_id and content_hash
    embeddings: NDArray[np.float32]  # [n, D]

    @property
    def petition_ids(self) -> list[str]:
        """Whose vectors they are: [n]."""
        return [petition_id for petition_id, _ in self.texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingStream:
    """The vectors of a window, as often as they are asked for, with `BATCH` of them in memory at a time."""

    conn: Connection  # in a transaction whose snapshot all passes share; other queries may go between its batches
    query: Select[str, str, bytes]

    def __iter__(self) -> Iterator[EmbeddingBatch]:
        """One pass, in the order of the ids, by a cursor of its own on the server."""
        with self.conn.execute(self.query, execution_options={"yield_per": BATCH}) as rows:
            for batch in rows.partitions():
                texts = [(petition_id, content_hash) for petition_id, content_hash, _ in batch]
                yield EmbeddingBatch(texts=texts, embeddings=_receive([data for _, _, data in batch]))


@contextmanager
def open_embeddings(engine: Engine, source: Source, window: Window, encoder: str) -> Iterator[EmbeddingStream]:
    """Open the vectors of a window for passes that all see the same rows, whatever is written meanwhile.

    Vectors of hidden petitions, and of a text that has changed since, are left out. What `open_tokens` says of its
    transaction holds for this one too.
    """
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as conn, conn.begin():
        yield EmbeddingStream(conn=conn, query=select_embeddings(source, window, encoder))


def select_embeddings(source: Source, window: Window, encoder: str) -> Select[str, str, bytes]:
    """Ask for (petition_id, content_hash, vector as it is sent) of what `open_embeddings` reads, by id."""
    return (
        select(petition.c.petition_id, petition.c.content_hash, _SENT)
        .join(petition_embedding, petition_embedding.c.petition_id == petition.c.petition_id)
        .where(
            shown_in_window(source, window),
            petition_embedding.c.encoder == encoder,
            petition_embedding.c.content_hash == petition.c.content_hash,
        )
        .order_by(petition.c.petition_id)
    )


def read_embeddings(conn: Connection, encoder: str, petition_ids: Sequence[str]) -> NDArray[np.float32]:
    """Read the vectors of petitions that have one by an encoder: float32 [N, D] in their order, [0, 0] of none."""
    query = select(petition_embedding.c.petition_id, _SENT).where(
        petition_embedding.c.encoder == encoder,
        petition_embedding.c.petition_id == any_(literal(list(petition_ids), ARRAY(Key))),
    )
    sent: dict[str, bytes] = dict(conn.execute(query).all())
    return _receive([sent[petition_id] for petition_id in petition_ids])


def _receive(sent: Sequence[bytes]) -> NDArray[np.float32]:
    """The numbers of what `vector_send` gave: float32 [n, D]; of nothing [0, 0]."""
    if not sent:
        return np.zeros((0, 0), dtype=np.float32)
    return np.stack([np.frombuffer(data, dtype=">f4", offset=4) for data in sent]).astype(np.float32)


def ensure_index(conn: Connection, encoder: str) -> str | None:
    """Make search ready for an encoder: its HNSW index, and how many petitions have each token.

    Without effect where nothing has changed. Indexes of encoders that are neither this one nor published are dropped;
    going back to such a fit searches exactly, until this is called for its encoder.

    Args:
        conn: inside the caller's transaction; who writes vectors waits until it ends, readers do not.
        encoder: name of the weights and their hash.

    Returns:
        The name of the index; None below 2,000 vectors, which are searched exactly.
    """
    return conn.execute(select(func.petitions.prepare_search(encoder, type_=Text))).scalar_one()
