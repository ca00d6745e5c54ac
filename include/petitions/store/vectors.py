"""The embeddings of petitions, by encoder and content hash, so that no text is encoded twice."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, LargeBinary, Text, func, select

from petitions.errors import PermanentError
from petitions.records import PetitionText, Source, Window
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import read_unseen, shown_in_window
from petitions.store.tables import petition, petition_embedding
from petitions.store.upsert import Counts, upsert


def read_unencoded(
    conn: Connection, source: Source, window: Window, encoder: str, limit: int = 1000, part: Part = WHOLE
) -> list[PetitionText]:
    """Read texts that this encoder has not seen, at most `limit`; none are left when the list is empty."""
    return read_unseen(conn, source, window, petition_embedding, {"encoder": encoder}, limit, part)


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


def read_embeddings(
    conn: Connection, source: Source, window: Window, encoder: str
) -> tuple[list[tuple[str, str]], NDArray[np.float32]]:
    """Read the vectors of a window, hidden petitions and vectors of a text that has changed since left out.

    Returns:
        N pairs of petition_id and content_hash, by id, and float32 [N, D]; without any, an empty list and [0, 0].
    """
    sent = func.vector_send(petition_embedding.c.embedding, type_=LargeBinary)  # width, zero, numbers in network order
    rows = conn.execute(
        select(petition.c.petition_id, petition.c.content_hash, sent)
        .join(petition_embedding, petition_embedding.c.petition_id == petition.c.petition_id)
        .where(
            shown_in_window(source, window),
            petition_embedding.c.encoder == encoder,
            petition_embedding.c.content_hash == petition.c.content_hash,
        )
        .order_by(petition.c.petition_id)
    ).all()
    if not rows:
        return [], np.zeros((0, 0), dtype=np.float32)
    numbers = np.stack([np.frombuffer(data, dtype=">f4", offset=4) for _, _, data in rows])  # [N, D]
    return [(petition_id, content_hash) for petition_id, content_hash, _ in rows], numbers.astype(np.float32)


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
