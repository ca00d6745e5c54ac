"""Rows and vectors into Postgres: ours beside pandas.to_sql, SQLAlchemy's executemany and plain COPY.

All write into empty tables of one server, in one transaction. Ours reads what is stored, keeps rows that are equal,
says what became of each, and has its keys and indexes; the peers' tables have a primary key.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import ALL_MONTHS, Arguments, Contestant, Stage, data_files

WIDTH = 384
COLUMNS = ("petition_id", "title", "body", "category", "begins_on", "ends_on", "n_agreements", "url")
MAKE_ROWS = """CREATE TABLE IF NOT EXISTS {table} (petition_id text PRIMARY KEY, title text, body text, category text,
    begins_on date, ends_on date, n_agreements integer, url text)"""
MAKE_VECTORS = "CREATE TABLE IF NOT EXISTS {table} (petition_id text PRIMARY KEY, embedding vector(384))"
Call = Callable[[int], dict[str, Any]]


@contextmanager
def start(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """A server, our tables in it, and the rows that all write: real petitions, again under other ids beyond them."""
    import numpy as np
    from crawl_ground import open_ground
    from load_speed import write_petitions

    from petitions.sources.lines import read_lines

    rows = [json.loads(line) for path in data_files(ALL_MONTHS) for line in read_lines(path)]
    chosen = [{**rows[number % len(rows)], "id": f"{number:06d}"} for number in range(size["n"])]
    (folder / "rows.json").write_text(json.dumps(chosen), encoding="utf-8")
    vectors = np.random.default_rng(0).normal(size=(size["n"], WIDTH)).astype(np.float32)
    np.save(folder / "vectors.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    with open_ground() as make:
        engine, _ = make()
        if size["is_vectors"]:
            write_petitions(engine, size["n"])
        url = engine.url.render_as_string(hide_password=False)
        yield {**size, "folder": str(folder), "url": url}


def _read_rows(arguments: Arguments) -> list[dict[str, Any]]:
    from datetime import date

    rows = json.loads(Path(arguments["folder"], "rows.json").read_text("utf-8"))
    return [
        {
            "petition_id": f"bluehouse:{row['id']}", "title": row["title"], "body": row["content"],
            "category": row["category"], "begins_on": date.fromisoformat(row["begin"]),
            "ends_on": date.fromisoformat(row["end"]), "n_agreements": int(str(row["num_agree"]).replace(",", "")),
            "url": f"https://example.org/{row['id']}",
        }
        for row in rows
    ]  # fmt: skip


def _read_vectors(arguments: Arguments) -> Any:
    import numpy as np

    return np.load(Path(arguments["folder"], "vectors.npy"))


def timed(engine: Any, table: str, act: Callable[[], object]) -> Call:
    """A turn into an empty table; the emptying is not timed."""
    from sqlalchemy import text

    def call(_: int) -> dict[str, Any]:
        with engine.begin() as conn:
            conn.execute(text(f"TRUNCATE {table} CASCADE"))
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as conn:
            conn.execute(text("CHECKPOINT"))
        began, cpu = time.perf_counter(), time.process_time()
        act()
        return {"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}

    return call


def make_ours(arguments: Arguments) -> Call:
    from datetime import UTC, datetime

    from petitions.records import Petition, Source, Status
    from petitions.store.database import open_engine
    from petitions.store.petitions import upsert_petitions

    engine, now = open_engine(arguments["url"]), datetime.now(UTC)
    petitions = [
        Petition(
            source=Source("bluehouse"), source_id=row["petition_id"].partition(":")[2], status=Status.ENDED,
            **{name: row[name] for name in COLUMNS if name != "petition_id"},
        )
        for row in _read_rows(arguments)
    ]  # fmt: skip

    def act() -> None:
        with engine.begin() as conn:
            upsert_petitions(conn, petitions, seen_at=now)

    return timed(engine, "petitions.petition", act)


def make_ours_vectors(arguments: Arguments) -> Call:
    from load_speed import WINDOW

    from petitions.records import Source
    from petitions.store.database import open_engine
    from petitions.store.petitions import read_texts
    from petitions.store.vectors import upsert_embeddings

    engine, vectors = open_engine(arguments["url"]), _read_vectors(arguments)
    with engine.connect() as conn:
        texts = read_texts(conn, Source("sample"), WINDOW)

    def act() -> None:
        with engine.begin() as conn:
            upsert_embeddings(conn, "bench@000000000000", texts, vectors)

    return timed(engine, "petitions.petition_embedding", act)


def _open_table(arguments: Arguments) -> tuple[Any, str, list[dict[str, Any]]]:
    """An engine, the peer's own table in it, and its rows."""
    from sqlalchemy import create_engine, text

    table, is_vectors = arguments["table"], arguments["is_vectors"]
    engine = create_engine(arguments["url"])
    with engine.begin() as conn:
        schema = conn.scalar(text("SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
                                  "WHERE t.typname = 'vector'"))  # fmt: skip
        make = (MAKE_VECTORS if is_vectors else MAKE_ROWS).format(table=table)
        conn.execute(text(make.replace("vector(", f"{schema}.vector(")))
    if not is_vectors:
        return engine, table, _read_rows(arguments)
    vectors = _read_vectors(arguments)
    rows = [{"petition_id": f"sample:{number:06d}", "embedding": row} for number, row in enumerate(vectors)]
    return engine, table, rows


def _as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Vectors as pgvector reads them; others as they are."""
    if "embedding" not in rows[0]:
        return rows
    return [{**row, "embedding": str(row["embedding"].tolist())} for row in rows]


def make_to_sql(arguments: Arguments) -> Call:
    import pandas
    from pgvector.sqlalchemy import Vector

    engine, table, rows = _open_table(arguments)
    kinds = {"embedding": Vector(WIDTH)} if arguments["is_vectors"] else None

    def act() -> None:
        pandas.DataFrame(rows).to_sql(table, engine, if_exists="append", index=False, dtype=kinds)

    return timed(engine, table, act)


def make_executemany(arguments: Arguments) -> Call:
    from sqlalchemy import text

    engine, table, rows = _open_table(arguments)
    names = ", ".join(rows[0])
    values = ", ".join(f":{name}" for name in rows[0])

    def act() -> None:
        with engine.begin() as conn:
            conn.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), _as_text(rows))

    return timed(engine, table, act)


def make_copy(arguments: Arguments) -> Call:
    engine, table, rows = _open_table(arguments)
    names = ", ".join(rows[0])

    def act() -> None:
        with engine.begin() as conn:
            cursor = conn.connection.driver_connection.cursor()
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in _as_text(rows):
                    copy.write_row(tuple(row.values()))

    return timed(engine, table, act)


def _contestants(ours: str, kind: str) -> tuple[Contestant, ...]:
    peers = (("pandas.to_sql", "to_sql"), ("SQLAlchemy, executemany", "executemany"), ("plain COPY", "copy"))
    return (
        Contestant(name="ours: upsert", maker=ours),
        *(
            Contestant(name=name, maker=maker, environment="words", arguments={"table": f"{maker}_{kind}"})
            for name, maker in peers
        ),
    )


MAKERS = {
    "ours": make_ours, "ours_vectors": make_ours_vectors,
    "to_sql": make_to_sql, "executemany": make_executemany, "copy": make_copy,
}  # fmt: skip
AS_TEXT = "The peers send text, as they do by themselves; plain COPY in binary is as fast as ours (load_speed.py)."
NOTE = "Into empty tables; the server's own CPU and memory are not counted."
STAGES = {
    "store": Stage(
        title="Store petitions",
        module="store",
        unit="rows",
        contestants=_contestants("ours", "rows"),
        sizes={
            "full": {"n": 3029, "rounds": 5, "is_vectors": False},
            "quick": {"n": 1000, "rounds": 3, "is_vectors": False},
        },
        prepare=start,
        note=f"{NOTE} Ours fills 34 columns with their indexes, where the peers fill eight, and hashes each text.",
    ),
    "store-vectors": Stage(
        title="Store vectors, 384 wide",
        module="store",
        unit="vectors",
        contestants=_contestants("ours_vectors", "vectors"),
        sizes={
            "full": {"n": 5000, "rounds": 5, "is_vectors": True},
            "quick": {"n": 1000, "rounds": 3, "is_vectors": True},
        },
        prepare=start,
        note=f"{NOTE} {AS_TEXT}",
    ),
}
