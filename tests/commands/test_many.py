"""The commands for many lines: bounded memory, bad lines by their number, and no half file."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from petitions.cli import main
from petitions.commands import many
from petitions.commands.many import cut_batches, read_pairs, read_texts, track, write_rows
from petitions.errors import ConfigError

N = 300_000
WIDTH = 64


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> Path:
    """A file of N short pairs."""
    path = tmp_path_factory.mktemp("many") / "lines.txt"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"학교 급식 {number}\t둘\n" for number in range(N))
    return path


def measure_peak(work) -> int:
    """Bytes that Python and numpy hold at most."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_rows_of_many_lines_are_written_in_memory_that_does_not_grow(lines, tmp_path):
    """What is written takes 77 MB; the reader and the writer hold a batch of it."""
    output = tmp_path / "rows.npy"

    def compute(texts):
        numbers = np.array([int(text.rsplit(" ", 1)[1]) for text in texts], np.float32)
        return np.repeat(numbers[:, np.newaxis], WIDTH, axis=1)

    def read():
        return (first for first, _ in read_pairs(lines))

    peak = measure_peak(lambda: write_rows(read, lambda: compute, output, 4_096))
    assert peak < output.stat().st_size / 5
    rows = np.load(output, mmap_mode="r")
    assert rows.dtype == np.float32 and rows.shape == (N, WIDTH)
    np.testing.assert_array_equal(rows[:, -1], np.arange(N, dtype=np.float32))


def test_a_batch_holds_no_more_characters_than_it_may(monkeypatch):
    monkeypatch.setattr(many, "CHARACTERS", 10)
    assert list(cut_batches(["가" * 9, "나", "다", "라라"], 3)) == [["가" * 9, "나"], ["다", "라라"]]
    assert list(cut_batches([("가" * 5, "나" * 5), ("다", "")], 3)) == [[("가" * 5, "나" * 5)], [("다", "")]]
    assert list(cut_batches([], 3)) == [[]], "so that no line gives an array of no row"


def test_how_far_it_came_is_said_where_it_takes_long(monkeypatch, caplog):
    caplog.set_level("INFO", logger="petitions")
    assert [len(batch) for batch in track(iter([[1, 2], [3]]), 3)] == [2, 1]
    assert caplog.messages == []
    monkeypatch.setattr(many, "QUIET_S", -1)
    list(track(iter([[1, 2], [3]]), 3))
    assert caplog.messages == ["2 of 3 lines", "3 of 3 lines"]


def write_texts(path: Path, output: Path, compute) -> int:
    return write_rows(lambda: read_texts(path), lambda: compute, output, 2)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_is_broken_off_leaves_the_old_file_and_no_half_one(tmp_path, error):
    (tmp_path / "lines.txt").write_text("하나\n둘\n셋\n", encoding="utf-8")
    (tmp_path / "rows.npy").write_bytes(b"old")

    def compute(texts):
        if "셋" in texts:
            raise error
        return np.zeros((len(texts), 3), np.float32)

    with pytest.raises(error):
        write_texts(tmp_path / "lines.txt", tmp_path / "rows.npy", compute)
    assert (tmp_path / "rows.npy").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.txt", "rows.npy"]


def test_no_line_gives_an_array_of_no_row(tmp_path):
    (tmp_path / "lines.txt").write_bytes(b"")
    output = tmp_path / "rows.npy"
    assert write_texts(tmp_path / "lines.txt", output, lambda texts: np.zeros((len(texts), 3), np.float32)) == 0
    assert np.load(output).shape == (0, 3)


def test_a_bad_line_is_named_before_anything_is_loaded(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("하나\n둘\n".encode() + b"\xff\n")

    def load():
        raise AssertionError("loaded")

    with pytest.raises(ConfigError, match="line 3: byte 1 is no UTF-8"):
        write_rows(lambda: read_texts(path), load, tmp_path / "rows.npy", 2)
    path.write_text("가\t나\n가\t나\t다\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2: first, tab, second expected, got 2 tabs"):
        write_rows(lambda: read_pairs(path), load, tmp_path / "rows.npy", 2)
    with pytest.raises(ConfigError, match="--input must be a file"):
        write_rows(lambda: read_pairs(tmp_path), load, tmp_path / "rows.npy", 2)


def test_an_input_that_changes_meanwhile_is_told_and_nothing_written(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("하나\n둘\n", encoding="utf-8")

    def load():
        path.write_text("하나\n", encoding="utf-8")
        return lambda texts: np.zeros((len(texts), 3), np.float32)

    with pytest.raises(ConfigError, match="2 lines at first and 1 then"):
        write_rows(lambda: read_texts(path), load, tmp_path / "rows.npy", 2)
    assert not (tmp_path / "rows.npy").exists()


@pytest.mark.parametrize("command", ["embed", "tokens", "keywords"])
def test_a_line_that_cannot_be_a_text_is_named_by_every_command(tmp_path, command):
    (tmp_path / "lines.txt").write_text("하나\n" + "가" * 1_000_001 + "\n", encoding="utf-8")
    options = [] if command == "tokens" else ["--output", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [command, "--input", str(tmp_path / "lines.txt"), *options])
    assert done.exit_code == 1
    assert "line 2: a text of 1000001 characters" in done.output
    assert not (tmp_path / "out").exists()
