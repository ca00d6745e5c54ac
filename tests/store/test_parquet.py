"""Parquet holds the rows of a view with the types of its columns."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.cli import main
from petitions.errors import ConfigError
from petitions.store.parquet import write_parquet
from petitions.store.publishing import publish
from petitions.store.view_rows import OpenView

AT = datetime(2024, 7, 1, 3, 0, 0, 5, tzinfo=UTC)
KINDS = {
    "id": "bigint", "text": "text", "words": "text[]", "at": "timestamp with time zone", "day": "date",
    "share": "double precision", "total": "numeric", "is_so": "boolean", "steps": "jsonb", "nothing": "integer",
}  # fmt: skip
ROWS = [
    (2**40, '한글, "따옴표"\n😀', ["가", "", None], AT, date(1, 1, 1), 0.1 + 0.2, Decimal(12), True, {"가": [1]}, None),
    (2, "", [], None, date(9999, 12, 31), -0.0, Decimal("0.5"), None, [], None),
    (3, None, None, AT, None, None, None, False, None, None),
]


def write(rows, kinds=KINDS) -> tuple[int, pq.ParquetFile]:
    file = io.BytesIO()
    n_rows = write_parquet(file, OpenView(names=list(kinds), kinds=list(kinds.values()), rows=iter(rows)))
    return n_rows, pq.ParquetFile(io.BytesIO(file.getvalue()))


def test_every_type_comes_back_equal_and_a_column_of_nulls_keeps_its_type():
    n_rows, file = write(ROWS)
    back = file.read().to_pylist()
    assert n_rows == len(back) == 3
    for row, told in zip(ROWS, back, strict=True):
        told["steps"] = None if told["steps"] is None else json.loads(told["steps"])
        assert tuple(told.values()) == row
    assert file.schema_arrow.field("nothing").type == pa.int32()
    assert file.schema_arrow.field("at").type == pa.timestamp("us", tz="UTC")


def test_a_view_without_rows_has_its_columns():
    n_rows, file = write([])
    assert (n_rows, file.metadata.num_rows, file.schema_arrow.names) == (0, 0, list(KINDS))


def test_many_rows_are_many_groups():
    n_rows, file = write(((n, "가") for n in range(9_000)), {"n": "integer", "s": "text"})
    assert (n_rows, file.metadata.num_rows) == (9_000, 9_000)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [4_000, 4_000, 1_000]


def test_a_type_that_is_not_known_is_named():
    with pytest.raises(ConfigError, match="the column where_it_is, which is point"):
        write([], {"where_it_is": "point"})


@pytest.mark.postgres
@pytest.mark.slow
def test_every_view_of_the_readers_is_as_many_rows_and_a_refused_one_leaves_the_old_file(
    engine, database_url, monkeypatch, tmp_path
):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    with engine.begin() as conn:
        write_all(conn, make_petitions(6))
        publish(conn, "fit-1", [BERT], at=MONDAY)
        views = conn.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'petitions'::regnamespace"
                 " AND has_table_privilege('petition_reader', oid, 'SELECT')")
        ).all()  # fmt: skip
        counts = {view: conn.scalar(text(f"SELECT count(*) FROM petitions.{view}")) for view in views}
    output = tmp_path / "out.parquet"
    for view, n_rows in counts.items():
        result = CliRunner().invoke(main, ["export", view, "--format", "parquet", "--output", str(output)])
        assert (result.exit_code, pq.read_metadata(output).num_rows) == (0, n_rows), (view, result.output)
    titles = CliRunner().invoke(main, ["export", "current_petition", "--format", "parquet"])
    assert "건널목" in pq.read_table(io.BytesIO(titles.stdout_bytes)).column("title").to_pylist()[0]
    with engine.begin() as conn:
        conn.execute(text("CREATE VIEW petitions.odd AS SELECT '(1,2)'::point AS p;"
                          " GRANT SELECT ON petitions.odd TO petition_reader"))  # fmt: skip
    before = output.read_bytes()
    refused = CliRunner().invoke(main, ["export", "odd", "--format", "parquet", "--output", str(output)])
    assert (refused.exit_code, refused.output.count("\n"), output.read_bytes()) == (1, 1, before)
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]
