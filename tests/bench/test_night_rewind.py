import sys
from pathlib import Path

from sqlalchemy import text

from petitions.store.database import open_engine

sys.path.append(str(Path(__file__).parents[2] / "bench"))

from night_data import FIRST, SECOND  # noqa: E402
from night_rewind import GRANTS, Rewind, take_rounds  # noqa: E402
from night_run import Night  # noqa: E402


def write_night(database_url, artifacts, name):
    """What a night does to both: a row more, a file more."""
    engine = open_engine(database_url)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE IF NOT EXISTS night (name text)"))
        conn.execute(text("INSERT INTO night VALUES (:name)"), {"name": name})
        rows = list(conn.execute(text("SELECT name FROM night")).scalars())
    engine.dispose()
    (artifacts / name).mkdir(exist_ok=True)
    (artifacts / name / "file").write_text(name)
    return rows, sorted(path.name for path in artifacts.iterdir())


def test_each_second_night_finds_what_the_first_one_left(database_url, tmp_path):
    artifacts, found = tmp_path / "artifacts", []
    artifacts.mkdir()

    def take(name, until):
        found.append((until, *write_night(database_url, artifacts, name)))
        return Night(name=name, seconds=len(found), cpu_s=0, lines=[])

    rounds = take_rounds(take, 3, database_url, artifacts)
    three = ["first", "second", "nothing new"]
    assert [[night.name for night in round_] for round_ in rounds] == [three] * 3
    assert [[night.seconds for night in round_] for round_ in rounds] == [[1, 2, 3], [1, 4, 5], [1, 6, 7]]
    second, empty = (SECOND, three[:2], sorted(three[:2])), (SECOND, three, sorted(three))
    assert found == [(FIRST, ["first"], ["first"]), *[second, empty] * 3]


def test_who_may_connect_is_as_before(database_url, tmp_path):
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    engine = open_engine(database_url)
    name = engine.url.database
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC"))
        conn.execute(text(f"GRANT CONNECT ON DATABASE {name} TO petition_reader"))
        before = sorted(map(tuple, conn.execute(text(GRANTS), {"name": name})))
    Rewind(database_url, artifacts).rewind()
    engine.dispose()
    with engine.connect() as conn:
        assert sorted(map(tuple, conn.execute(text(GRANTS), {"name": name}))) == before
    assert ("CONNECT", "petition_reader") in before
    engine.dispose()
