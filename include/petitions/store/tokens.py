"""The tokens of petitions, by tokenizer version and content hash, so that no text is tokenized twice."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from petitions.records import Source, Window
from petitions.store.petitions import PetitionText, read_unseen, shown_in_window
from petitions.store.tables import petition, petition_tokens
from petitions.store.upsert import Counts, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionTokens:
    """The tokens of one petition by one tokenizer; a text may have none."""

    petition_id: str
    tokenizer: str
    content_hash: str
    tokens: list[str]


def read_untokenized(
    conn: Connection, source: Source, window: Window, tokenizer: str, limit: int = 1000
) -> list[PetitionText]:
    """Read texts that this tokenizer has not seen, at most `limit`; none are left when the list is empty."""
    return read_unseen(conn, source, window, petition_tokens, {"tokenizer": tokenizer}, limit)


def upsert_tokens(conn: Connection, rows: Iterable[PetitionTokens]) -> Counts:
    """Write tokens; those of an older text of the same petition are replaced."""
    return upsert(
        conn,
        petition_tokens,
        (
            {
                "petition_id": row.petition_id,
                "tokenizer": row.tokenizer,
                "tokens": row.tokens,
                "content_hash": row.content_hash,
            }
            for row in rows
        ),
    )


def read_tokens(conn: Connection, source: Source, window: Window, tokenizer: str) -> list[tuple[str, list[str]]]:
    """Read (petition_id, tokens) of a window in the order of the ids: the documents of its corpus.

    Hidden petitions are left out, and so are tokens of a text that has changed since.
    """
    rows = conn.execute(
        select(petition.c.petition_id, petition_tokens.c.tokens)
        .join(petition_tokens, petition_tokens.c.petition_id == petition.c.petition_id)
        .where(
            shown_in_window(source, window),
            petition_tokens.c.tokenizer == tokenizer,
            petition_tokens.c.content_hash == petition.c.content_hash,
        )
        .order_by(petition.c.petition_id)
    )
    return [(petition_id, tokens) for petition_id, tokens in rows]
