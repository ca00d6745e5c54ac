"""All rows of the results database, without what a clock or a file name decides: two runs are compared by them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector
from sqlalchemy import Connection, Engine, select, text

from invented import WINDOW
from petitions.records import Source, Window
from petitions.store import (  # noqa: F401 - their tables belong to the metadata that is read
    copy_tables,
    label_tables,
    run_tables,
    sense_tables,
    topic_tables,
)
from petitions.store.checks import CheckResult, plan_checks, run_check
from petitions.store.petitions import read_texts
from petitions.store.tables import metadata
from petitions.store.tokens import select_tokens
from petitions.store.words import PetitionWords, upsert_words
from petitions.text.bm25 import weigh_words

# Moments, what the last try of a step had left to do, and names of archive files, which hold the moment of the crawl.
DECIDED_BY_THE_CLOCK = {
    "first_seen_at", "last_seen_at", "changed_at", "seen_at", "seen_on", "fitted_at", "published_at", "checked_at",
    "started_at", "finished_at", "found_at", "rows_in", "rows_out", "seconds", "free_at", "finished_on",
}  # fmt: skip


def read_all_rows(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table as text, sorted."""
    found = {}
    with engine.connect() as conn:
        for table in metadata.sorted_tables:
            left_out = DECIDED_BY_THE_CLOCK | ({"artifact"} if table.name in ("crawl_reject", "petition") else set())
            columns = [column for column in table.columns if column.name not in left_out]
            found[table.name] = sorted(str(tuple(row)) for row in conn.execute(select(*columns)))
    return found


def read_versions(engine: Engine) -> dict[str, list[tuple]]:
    """The place and the transaction of every row: a row that is written again, even with the same values, differs."""
    with engine.connect() as conn:
        return {
            table.name: sorted(
                map(tuple, conn.exec_driver_sql(f"SELECT ctid::text, xmin::text FROM {table.fullname}").all())
            )
            for table in metadata.sorted_tables
        }


def read_tokens(conn: Connection, source: Source, window: Window, tokenizer: str) -> list[tuple[str, list[str]]]:
    """What a pass over the tokens of a window gives, in the transaction of a test."""
    return [(petition_id, tokens) for petition_id, tokens in conn.execute(select_tokens(source, window, tokenizer))]


def read_petition(conn: Connection, petition_id: str) -> dict[str, Any]:
    """A published petition with its topic, scores and keywords."""
    query = text("SELECT * FROM petitions.current_petition WHERE petition_id = :id")
    return dict(conn.execute(query, {"id": petition_id}).mappings().one())


def search_petitions(
    conn: Connection, embedding: NDArray[np.float32], k: int, encoder: str | None = None
) -> list[dict[str, Any]]:
    """The k published petitions nearest to a vector, the nearest first."""
    query = text("SELECT * FROM petitions.search_petitions(CAST(:embedding AS vector), :k, encoder => :encoder)")
    bound = {"embedding": Vector(embedding).to_text(), "k": k, "encoder": encoder}
    return [dict(row) for row in conn.execute(query, bound).mappings()]


def write_words(conn: Connection, source: Source, words: Sequence[Sequence[str]], window: Window = WINDOW) -> None:
    """Give the petitions of a window their words to be found by: the lists in turn, as if each were a body."""
    upsert_words(
        conn,
        [
            PetitionWords(
                petition_id=item.petition_id,
                tokenizer="search-1",
                content_hash=item.content_hash,
                weights=weigh_words([], words[number % len(words)]),
            )
            for number, item in enumerate(read_texts(conn, source, window))
        ],
    )


def run_checks(
    conn: Connection, source: Source, window: Window, model_id: str, scores: Mapping[str, Sequence[str]]
) -> list[CheckResult]:
    """Run every check of a fit, as the tasks of the DAG do one by one."""
    return [run_check(conn, item) for item in plan_checks(conn, source, window, model_id, scores)]
