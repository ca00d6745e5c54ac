"""The commands on the archive: what is there, one answer on screen, and old answers gone but for those in use."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from petitions.cli import main
from petitions.commands.archive import escape
from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.errors import ConfigError, PermanentError
from petitions.records import Petition, Reject, Source, Status
from petitions.store.archive_pruning import list_old_files, prune_files
from petitions.store.artifacts import ArtifactStore
from petitions.store.crawl_tables import crawl_reject
from petitions.store.petitions import insert_rejects, upsert_petitions
from petitions.store.tables import petition

pytestmark = pytest.mark.slow  # each has a database and an archive

AT = datetime(2019, 9, 1, 3, tzinfo=UTC)
LATER = AT + timedelta(days=30)
STEER = "가\x1b]0;owned\x07\x9b2J\u202e\r\n"


@pytest.fixture
def run(monkeypatch, tmp_path):
    for name in ("PETITIONS_SOURCE", "PETITIONS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(main, ["archive", *arguments])


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path)))


def write(archive, *numbers, source=Source("bluehouse"), at=AT, body="<p>{}"):
    with archive.open_batch(source, at=at) as batch:
        added = [
            batch.add(
                Answer(
                    url=f"https://site.test/petitions/{number}", status=200, headers=(("Content-Type", "text/html"),),
                    body=body.format(number).encode(), fetched_at=at,
                )
            )
            for number in numbers
        ]  # fmt: skip
    return [batch.reference(number) for number in added]


def refusal(result) -> str:
    assert result.exit_code == 1
    (line,) = result.output.strip().splitlines()
    return line


def test_each_command_explains_itself_in_one_screen(run):
    for words in ((), ("list",), ("show",), ("prune",)):
        result = run(*words, "--help")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) < 24


def test_list_counts_files_and_bytes_by_source_and_day(run, archive):
    for at in (AT, AT + timedelta(hours=1), AT + timedelta(days=1)):
        write(archive, 1, at=at)
    write(archive, 1, source=Source("assembly"))
    rows = json.loads(run("list", "--json").output)
    assert [(row["source"], row["day"], row["n_files"]) for row in rows] == [
        ("assembly", "2019-09-01", 1), ("bluehouse", "2019-09-01", 2), ("bluehouse", "2019-09-02", 1),
    ]  # fmt: skip
    assert sum(row["n_bytes"] for row in rows) == sum(file.n_bytes for file in archive.list_files())
    assert "assembly" not in run("list", "--source", "bluehouse").output
    assert "got 'senate'" in refusal(run("list", "--source", "senate"))


def test_an_empty_archive_has_no_rows_and_no_answer(run):
    assert run("list").output == "(no rows)\n"
    assert "has no answer of '584274'" in refusal(run("show", "584274"))


def test_show_prints_the_latest_answer_of_a_url_or_of_an_id_or_the_one_at_a_reference(run, archive):
    first, _ = write(archive, 584274, 2, body="old {}")
    last = write(archive, 1584274, 584274, at=LATER, body="new {}")[1]
    for wanted in ("584274", "https://site.test/petitions/584274", last):
        shown = run("show", wanted).output
        assert shown.startswith(f"# {last}\nhttps://site.test/petitions/584274\n")
        assert "status 200\nContent-Type: text/html\n" in shown
        assert shown.endswith("\n\nnew 584274\n")
    assert run("show", first).output.endswith("\nold 584274\n")
    both = json.loads(run("show", "584274", "--all", "--json").output)
    assert [(row["reference"], row["body"]) for row in both] == [(first, "old 584274"), (last, "new 584274")]
    assert "'raw/x' does not name a file of the archive" in refusal(run("show", "raw/x#1"))


def test_show_gives_a_pipe_the_bytes_as_they_are(run, archive):
    write(archive, 1, body=STEER)
    assert run("show", "1").stdout_bytes.endswith(STEER.encode() + b"\n")
    (row,) = json.loads(run("show", "1", "--json").stdout.replace("\\u000d", "\\r"))
    assert row["body"] == STEER


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_control_character_of_an_answer_reaches_a_terminal(archive, tmp_path, options):
    write(archive, 1, body=STEER)
    ours, theirs = os.openpty()
    environ = os.environ | {"PETITIONS_ARTIFACTS": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    code = "from petitions.commands.archive import archive; archive()"
    subprocess.run([sys.executable, "-c", code, "show", "1", *options], stdout=theirs, env=environ, check=True)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    assert r"가\u001b]0;owned\u0007\u009b2J\u202e" in shown.decode()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown.decode())


def _read(handle):
    try:
        return os.read(handle, 65536)
    except OSError:  # EIO: the other end is closed
        return b""


def test_an_escape_leaves_text_alone_and_keeps_json_json():
    assert escape("가나\t다\n") == "가나\t다\n"
    nasty = "".join(map(chr, [*range(0xA0), 0x2028, 0xE0001]))
    assert json.loads(escape(json.dumps(nasty, ensure_ascii=False))) == nasty


@pytest.mark.parametrize(
    ("before", "message"),
    [("yesterday", "--before must be a date YYYY-MM-DD, got 'yesterday'"), ("2999-01-01", "or earlier")],
)
def test_a_day_that_cannot_be_is_refused_in_one_line(run, before, message):
    assert message in refusal(run("prune", "--before", before))


def test_what_a_crawl_may_still_be_at_work_on_is_never_old(archive):
    now = datetime(2019, 9, 3, 0, 30, tzinfo=UTC)
    write(archive, 1, at=now - timedelta(days=2))
    assert list_old_files(archive, date(2019, 9, 1), now=now) == []
    with pytest.raises(ConfigError, match="must be 2019-09-01 or earlier"):
        list_old_files(archive, date(2019, 9, 2), now=now)


def store(engine, used, rejected):
    """Rows that were read from answers."""
    with engine.begin() as conn:
        upsert_petitions(conn, [make_petition(n, reference) for n, reference in enumerate(used)], seen_at=AT)
        about = {"source": Source("bluehouse"), "reason": "x"}
        rejects = [Reject(url=f"https://site.test/{n}", artifact=item, **about) for n, item in enumerate(rejected)]
        insert_rejects(conn, rejects, seen_at=AT)


def make_petition(number, reference):
    return Petition(
        source=Source("bluehouse"), source_id=str(number), title="가로등", body="길이 어둡습니다", category="기타",
        status=Status.OPEN, n_agreements=1, begins_on=AT.date(), ends_on=AT.date(), url="https://site.test/x",
        artifact=reference,
    )  # fmt: skip


def read_state(archive, engine):
    """The files, and for each row the answer that it resolves to; an answer that is gone is an error."""
    with engine.connect() as conn:
        rows = {
            f"{table.name} {key}": archive.read_answer(reference)
            for table, column in ((petition, petition.c.petition_id), (crawl_reject, crawl_reject.c.url))
            for key, reference in conn.execute(select(column, table.c.artifact).where(table.c.artifact != ""))
        }
    return [file.path for file in archive.list_files()], rows


def fill(archive, engine):
    """Five files: none of it used; some of it, with a body kept elsewhere in it; a reject's; all used; a recent one."""
    write(archive, 1, 2)
    some = write(archive, 11, 12, 13, at=AT + timedelta(hours=1), body="the same")
    bad = write(archive, 21, 22, at=AT + timedelta(hours=2))
    used = write(archive, 31, 32, at=AT + timedelta(hours=3))
    write(archive, 41, at=LATER)
    store(engine, [some[2], *used, ""], [bad[1]])


def prune(archive, engine, **options):
    files = list_old_files(archive, LATER.date(), now=LATER + timedelta(days=9))
    return list(prune_files(archive, engine, files, **options))


@pytest.mark.postgres
def test_prune_deletes_what_no_row_was_read_from_and_every_row_still_finds_its_answer(archive, engine):
    fill(archive, engine)
    files, rows = read_state(archive, engine)
    planned = prune(archive, engine, is_dry_run=True)
    assert read_state(archive, engine) == (files, rows)
    done = prune(archive, engine)
    assert done == planned
    assert [item.path for item in done] == files[:3]
    assert [bool(item.kept_in) for item in done] == [False, True, True]
    left, same_rows = read_state(archive, engine)
    assert same_rows == rows
    assert left == sorted([done[1].kept_in, done[2].kept_in, *files[3:]])
    answers = [answer.url[-2:] for path in left for _, answer in archive.read_file(path)[1]]
    assert answers == ["11", "13", "22", "31", "32", "41"]
    assert prune(archive, engine) == []
    assert read_state(archive, engine) == (left, rows)


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


@pytest.mark.slow
@pytest.mark.postgres
def test_a_prune_that_is_killed_anywhere_and_run_again_comes_to_the_same_end(new_database, tmp_path, monkeypatch):
    origin, engine = Archive(ArtifactStore(f"{tmp_path}/origin")), new_database()
    fill(origin, engine)
    contents = {path: origin.store.read(path) for path in origin.store.list()}
    with engine.connect() as conn:
        references = list(conn.scalars(select(petition.c.artifact).where(petition.c.artifact != "")))
        rejected = list(conn.scalars(select(crawl_reject.c.artifact)))
    prune(origin, engine)
    end = read_state(origin, engine)
    n_steps = 0
    for stop in range(100):
        archive = Archive(ArtifactStore(f"{tmp_path}/{stop}"))
        for path, content in contents.items():
            archive.store.write(path, content)
        with engine.begin() as conn:
            conn.execute(text("TRUNCATE petitions.petition, petitions.crawl_reject CASCADE"))
        store(engine, references, rejected)
        with monkeypatch.context() as patch:
            _kill_at(patch, stop)
            try:
                prune(archive, engine)
            except Killed:
                n_steps += 1
                read_state(archive, engine)
            else:
                break
        prune(archive, engine)
        assert read_state(archive, engine) == end
    assert n_steps >= 12  # before and after each write, each move and each deletion


def _kill_at(patch, stop):
    """Break off at one of the points before and after each change of files or rows."""
    left = [stop]

    def tick():
        left[0] -= 1
        if left[0] == -1:
            raise Killed

    def guard(change):
        def guarded(*arguments):
            tick()
            change(*arguments)
            tick()

        return guarded

    patch.setattr(ArtifactStore, "write", guard(ArtifactStore.write))
    patch.setattr(ArtifactStore, "delete", guard(ArtifactStore.delete))
    from petitions.store import archive_pruning

    patch.setattr(archive_pruning, "move_references", guard(archive_pruning.move_references))


@pytest.mark.postgres
def test_with_a_database_that_knows_nothing_of_the_archive_nothing_is_deleted(archive, engine):
    write(archive, 1)
    with pytest.raises(ConfigError, match="is this the right database"):
        prune(archive, engine)
    assert len(archive.list_files()) == 1


@pytest.mark.postgres
def test_a_damaged_file_of_which_a_part_is_used_stops_a_prune_and_stays(archive, engine):
    path = write(archive, 1, 2)[0].partition("#")[0]
    store(engine, [f"{path}#7"], [])
    with pytest.raises(PermanentError, match="#7', to which a row refers"):
        prune(archive, engine)
    archive.store.write(path, archive.store.read(path)[:-9])
    with pytest.raises(PermanentError, match="is damaged"):
        prune(archive, engine)
    assert archive.store.exists(path)


@pytest.mark.postgres
def test_the_command_prune_tells_what_would_go_and_then_what_went(run, archive, engine, database_url, monkeypatch):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    fill(archive, engine)
    n_bytes = sum(file.n_bytes for file in archive.list_files())
    asked = run("prune", "--before", "2019-10-01", "--dry-run")
    assert "4 files from before 2019-10-01: 1 would go, 2 shortened" in asked.output
    assert sum(file.n_bytes for file in archive.list_files()) == n_bytes
    done = run("prune", "--before", "2019-10-01")
    n_freed = n_bytes - sum(file.n_bytes for file in archive.list_files())
    assert done.output == (
        "4 files from before 2019-10-01: 1 deleted, 2 shortened to what is referred to, "
        f"{n_freed:,} bytes freed\n"
    )  # fmt: skip
