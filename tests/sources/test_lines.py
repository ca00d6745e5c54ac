import gzip

import pytest

from petitions.errors import ConfigError
from petitions.sources.lines import read_lines, split_lines

NO_ENDS = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\rj"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\r\nb\n\nc", ["a", "b", "", "c"]),
        ("\n", [""]),
        ("a\r\r\n", ["a\r"]),
        ("a\r", ["a\r"]),
        (f"{NO_ENDS}\n{NO_ENDS}", [NO_ENDS, NO_ENDS]),
    ],
)
def test_a_line_ends_with_a_line_feed_alone_in_texts_and_files(tmp_path, text, lines):
    assert split_lines(text) == lines
    (tmp_path / "a.txt").write_bytes(text.encode())
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(text.encode()))
    assert list(read_lines(tmp_path / "a.txt")) == list(read_lines(tmp_path / "a.txt.gz")) == lines


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffa\n\ufeffb\n".encode())
    assert list(read_lines(tmp_path / "a.txt")) == ["a", "\ufeffb"]


def test_another_encoding_is_named_with_its_line(tmp_path):
    (tmp_path / "a.txt").write_bytes("ok\n학교 급식\n".encode("cp949"))
    with pytest.raises(ConfigError, match=r"a\.txt, line 2: byte 1 is no UTF-8"):
        list(read_lines(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-9], lambda whole: whole[:30] + b"x" * 20, lambda _: b"text\n"]
)
def test_a_gzip_that_was_cut_damaged_or_is_none_is_named(tmp_path, damage):
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(1000)))
    (tmp_path / "a.jsonl.gz").write_bytes(damage(whole))
    with pytest.raises(ConfigError, match=r"a\.jsonl\.gz, after line \d+: the gzip is damaged or was cut"):
        list(read_lines(tmp_path / "a.jsonl.gz"))
