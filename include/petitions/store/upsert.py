"""One way to write many rows: binary COPY into a staging table, then one upsert that leaves equal rows alone.

Rows between whose keys none is stored, as in a first load, need no staging: they are copied into the table itself,
which is half as much to write. In: rows as mappings; out: how many were inserted, updated and left as they were. The
caller owns the transaction, and one transaction is one chunk: what a killed writer had not committed is not there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from operator import itemgetter

import psycopg
from pgvector.sqlalchemy import SPARSEVEC, VECTOR
from psycopg import sql
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Delete,
    Integer,
    String,
    Table,
    TableClause,
    and_,
    column,
    delete,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy import table as named_table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from petitions.errors import PermanentError
from petitions.store.failures import translate_failure

# Rows staged at once: what is staged stays in temp_buffers (store.database), and is not written to disk and read again.
_STAGED = 10_000
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a write did to the rows of a table."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            deleted=self.deleted + other.deleted,
        )


def excluded(name: str) -> ColumnElement[object]:
    """The value that a conflicting row would have brought, for the expressions of `assign` and `stale`."""
    return literal_column(f"excluded.{name}")


def upsert(
    conn: Connection,
    target: Table,
    rows: Iterable[Row],
    *,
    compare: Collection[str] | None = None,
    assign: Mapping[str, ColumnElement[object]] | None = None,
    stale: ColumnElement[bool] | None = None,
    replace_within: Sequence[str] = (),
) -> Counts:
    """Insert rows, or update those that differ from what is stored; of rows with one key the last one wins.

    Args:
        conn: inside the caller's transaction.
        target: the table; a row has a value for each of its columns, a vector as the bytes of `vector_send`.
        rows: what to write; none is allowed.
        compare: the columns that decide whether a stored row differs; None is all but the key, and an empty
            collection never updates.
        assign: what to set a column to on an update, where that is not the value brought.
        stale: a condition that makes a row differ besides `compare`.
        replace_within: columns of a group, such as the fit; stored rows of the groups written here whose key is not
            among `rows` are deleted.

    Raises:
        PermanentError: a value that Postgres cannot store, or that breaks a constraint of the table.
        DatabaseDownError: the connection broke.
    """
    keys = [item.name for item in target.primary_key]
    read_key = itemgetter(*keys)
    unique = {read_key(row): row for row in rows}
    if not unique:
        return Counts()
    read_row = itemgetter(*(item.name for item in target.columns))
    # In the order of the key two writers that meet wait for each other, and do not lock each other out. Sorted here:
    # Postgres would sort whole rows, vectors and all, on disk.
    ordered = sorted(unique)
    size = len(ordered) if replace_within else _STAGED
    written = Counts()
    for start in range(0, len(ordered), size):
        batch = ordered[start : start + size]
        values = [read_row(unique[key]) for key in batch]
        if not replace_within and _copy_new(conn, target, values):
            written += Counts(inserted=len(batch))
            continue
        stage = _stage(conn, target, values)
        changed = _insert_or_update(target, stage, compare, assign or {}, stale).cte("written")
        is_new = changed.c.is_new
        counted = select(func.count().filter(is_new), func.count().filter(~is_new)).select_from(changed)
        n_new, n_changed = conn.execute(counted).one()
        deleted = conn.execute(_delete_others(target, stage, replace_within)).rowcount if replace_within else 0
        conn.execute(text("DROP TABLE pg_temp.stage"))
        written += Counts(inserted=n_new, updated=n_changed, unchanged=len(batch) - n_new - n_changed, deleted=deleted)
    return written


def _copy_new(conn: Connection, target: Table, values: Sequence[Sequence[object]]) -> bool:
    """COPY rows, sorted by key, into the table itself; False, and nothing written, if it has a key in their range."""
    columns = list(target.columns)
    key = tuple_(*target.primary_key)
    first, last = (
        tuple_(*(literal(row[columns.index(item)]) for item in target.primary_key)) for row in (values[0], values[-1])
    )
    # The next key is one look into the index; a range, without statistics of a table just filled, would be a scan.
    following = select(*target.primary_key).where(key >= first).order_by(*target.primary_key).limit(1).subquery()
    if conn.execute(select(exists().where(tuple_(*following.c) <= last))).scalar_one():
        return False
    try:
        with conn.begin_nested():
            _copy(conn, target, target.fullname, values)
    except PermanentError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            return False  # another writer brought one of them just now
        raise
    return True


def _stage(conn: Connection, target: Table, values: Sequence[Sequence[object]]) -> TableClause:
    """COPY rows into a new temporary table."""
    conn.execute(text(f"CREATE TEMP TABLE stage (LIKE {target.fullname}) WITH (toast_tuple_target = 8160)"))
    _copy(conn, target, "pg_temp.stage", values)
    return named_table("stage", *(column(item.name, item.type) for item in target.columns), schema="pg_temp")


def _insert_or_update(
    target: Table,
    stage: TableClause,
    compare: Collection[str] | None,
    assign: Mapping[str, ColumnElement[object]],
    stale: ColumnElement[bool] | None,
) -> ReturningInsert[tuple[bool]]:
    """The statement that moves the staged rows over; it returns `is_new` for each row that it wrote."""
    names = [item.name for item in target.columns]
    keys = [item.name for item in target.primary_key]
    others = [name for name in names if name not in keys]
    watched = others if compare is None else list(compare)
    statement = insert(target).from_select(names, select(*stage.c))
    if watched:
        differs = tuple_(*(target.c[name] for name in watched)).is_distinct_from(tuple_(*map(excluded, watched)))
        statement = statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: excluded(name) for name in others} | dict(assign),
            where=differs if stale is None else differs | stale,
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    # xmax is 0 in a row that no transaction has replaced, so that an insert is told from an update.
    return statement.returning(literal_column("(xmax = 0)", Boolean).label("is_new"))


def _delete_others(target: Table, stage: TableClause, groups: Sequence[str]) -> Delete:
    """The statement that deletes rows of the staged groups that are not staged themselves."""
    same_key = and_(*(stage.c[item.name] == target.c[item.name] for item in target.primary_key))
    staged = select(*(stage.c[name] for name in groups))
    return delete(target).where(tuple_(*(target.c[name] for name in groups)).in_(staged), ~exists().where(same_key))


def _copy(conn: Connection, target: Table, into: str, rows: Sequence[Sequence[object]]) -> None:
    """COPY rows, in the order of the table's columns, into it or a table like it."""
    driver = conn.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise PermanentError(f"the store needs psycopg 3, got {type(driver).__module__}")
    names = sql.SQL(", ").join(
        sql.Identifier(item.name) for item in target.columns
    )  # a database may have another order
    place = sql.Identifier(*into.split("."))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(place, names)
    kinds = [  # bytes are sent as they are, so that a vector needs no object of its own
        "bytea"
        if isinstance(item.type, VECTOR | SPARSEVEC)
        else item.type.compile(dialect=_DIALECT).lower().split(" collate")[0]
        for item in target.columns
    ]
    numbers = [(place, item.name) for place, item in enumerate(target.columns) if isinstance(item.type, Integer)]
    texts = [(place, item.name) for place, item in enumerate(target.columns) if isinstance(item.type, String | ARRAY)]
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(kinds)
            for row in rows:
                _refuse_wrapped(target.name, numbers, row)
                copy.write_row(row)
    except (psycopg.Error, UnicodeEncodeError) as error:
        _refuse_unstorable(target.name, texts, rows)
        if isinstance(error, psycopg.Error):
            raise translate_failure(error) from error
        raise


def _refuse_wrapped(table: str, numbers: Iterable[tuple[int, str]], row: Sequence[object]) -> None:
    """Refuse numbers that binary COPY would wrap around."""
    for place, name in numbers:
        value = row[place]
        if isinstance(value, int) and not -(2**31) <= value < 2**31:
            raise PermanentError(f"{table}.{name} of {row[0]} must be under 2**31, got {value}")


def _refuse_unstorable(table: str, texts: Iterable[tuple[int, str]], rows: Iterable[Sequence[object]]) -> None:
    """Name the NUL or lone surrogate that broke a COPY, where one did; the text step takes them out."""
    for row, (place, name) in product(rows, texts):
        value = row[place]
        for part in value if isinstance(value, list) else (value,):
            if not isinstance(part, str) or (part.isascii() and "\x00" not in part):
                continue
            if "\x00" in part:
                raise PermanentError(f"{table}.{name} of {row[0]} holds a NUL at {part.index(chr(0))}")
            try:
                part.encode()
            except UnicodeEncodeError as error:
                raise PermanentError(f"{table}.{name} of {row[0]} is no Unicode at {error.start}") from None
