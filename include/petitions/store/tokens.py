"""The tokens of petitions, by tokenizer version and content hash, so that no text is tokenized twice."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, Select, func, select

from petitions.records import PetitionText, Source, TokenizerVersion, Window
from petitions.store.petitions import read_unseen, shown_in_window
from petitions.store.tables import petition, petition_tokens, tokenizer_version
from petitions.store.upsert import Counts, upsert

BATCH = 500  # petitions that a stream fetches at once: some MB


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionTokens:
    """The tokens of one petition by one tokenizer; a text may have none."""

    petition_id: str
    tokenizer: str
    content_hash: str
    tokens: list[str]


def read_untokenized(
    conn: Connection, source: Source, window: Window, tokenizer: str, limit: int = 1000, *, after: str = ""
) -> list[PetitionText]:
    """Read texts that this tokenizer has not seen, at most `limit`; none are left when the list is empty."""
    return read_unseen(conn, source, window, petition_tokens, {"tokenizer": tokenizer}, limit, after=after)


def record_tokenizer(conn: Connection, version: TokenizerVersion) -> Counts:
    """Write what the name of a tokenizer stands for; an equal row is left alone."""
    return upsert(conn, tokenizer_version, [asdict(version)])


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStream:
    """The tokens of a window, as often as they are asked for, with `BATCH` petitions in memory at a time.

    Several passes may be under way at once, in one thread.
    """

    conn: Connection  # in a transaction whose snapshot all passes share
    query: Select[str, list[str]]
    n_petitions: int

    def __len__(self) -> int:
        """The number of petitions in a pass."""
        return self.n_petitions

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        """One pass: (petition_id, tokens) in the order of the ids, by a cursor of its own on the server."""
        with self.conn.execute(self.query, execution_options={"yield_per": BATCH}) as rows:
            yield from rows


@contextmanager
def open_tokens(engine: Engine, source: Source, window: Window, tokenizer: str) -> Iterator[TokenStream]:
    """Open the tokens of a window for many passes that all see the same rows, whatever is written meanwhile.

    One read-only REPEATABLE READ transaction holds the rows as they are now until the block ends. It locks no one
    out, but keeps vacuum from removing what dies in that time: leave the block when the last pass is done. A stream
    is of no use after it.
    """
    query = select_tokens(source, window, tokenizer)
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as conn, conn.begin():
        # The first statement takes the snapshot, so the count belongs to the rows of every pass.
        n_petitions = conn.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
        yield TokenStream(conn=conn, query=query, n_petitions=n_petitions)


def select_tokens(source: Source, window: Window, tokenizer: str) -> Select[str, list[str]]:
    """Ask for (petition_id, tokens) of a window in the order of the ids: the documents of its corpus.

    Hidden petitions are left out, and so are tokens of a text that has changed since.
    """
    return (
        select(petition.c.petition_id, petition_tokens.c.tokens)
        .join(petition_tokens, petition_tokens.c.petition_id == petition.c.petition_id)
        .where(
            shown_in_window(source, window),
            petition_tokens.c.tokenizer == tokenizer,
            petition_tokens.c.content_hash == petition.c.content_hash,
        )
        .order_by(petition.c.petition_id)
    )
