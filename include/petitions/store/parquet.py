"""Rows of a view as Parquet, written by pyarrow in row groups, so that memory does not grow with their number."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from petitions.errors import ConfigError
from petitions.store.view_rows import OpenView

ROW_GROUP = 4_000  # rows in memory at once; 10 MB of long petitions
_TYPES = {
    "text": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "numeric": pa.float64(),  # ours are sums and ratios without a stated precision, which Arrow's decimal wants
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "jsonb": pa.string(),  # JSON text
}


def write_parquet(file: IO[bytes], view: OpenView) -> int:
    """Write all rows; returns their number. The types are those of the view's columns, so that no rows are well too.

    Raises:
        ConfigError: a column of a type that is not known here; nothing is written.
    """
    schema = pa.schema([(name, _find_type(name, kind)) for name, kind in zip(view.names, view.kinds, strict=True)])
    n_rows = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(view.rows, ROW_GROUP)):
            columns = [
                pa.array(_convert(values, kind), type=field.type)
                for values, kind, field in zip(zip(*group, strict=True), view.kinds, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=ROW_GROUP)
            n_rows += len(group)
    return n_rows


def _find_type(name: str, kind: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    if kind.endswith("[]"):
        return pa.list_(_find_type(name, kind.removesuffix("[]")))
    if kind not in _TYPES:
        raise ConfigError(f"--format parquet has no type for the column {name}, which is {kind}")
    return _TYPES[kind]


def _convert(values: Sequence[Any], kind: str) -> Sequence[Any]:
    if kind == "jsonb":
        return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    if kind == "numeric":
        return [None if value is None else float(value) for value in values]
    return values
