import gzip
import json
import unicodedata

import pytest

from petitions.errors import ConfigError
from petitions.training.corpus import read_corpus

NOTICE = "[본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다]"


def write_gzip(path, text):
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_a_petition_is_title_and_content_without_the_notice_and_phone_number(tmp_path):
    petition = {"title": "횡단보도를 고쳐 주세요", "content": f"{NOTICE} 연락은 010-1234-5678 로 바랍니다."}
    path = write_gzip(tmp_path / "a.jsonl.gz", json.dumps(petition) + "\n")
    assert list(read_corpus([path])) == ["횡단보도를 고쳐 주세요\n 연락은 [전화번호] 로 바랍니다."]


def test_reviews_and_lines_come_in_the_order_of_the_files(tmp_path):
    reviews = write_gzip(tmp_path / "r.tsv.gz", '1\t2\t20.01.01\t9\t"좋은 영화\n1\t2\t20.01.02\t1\t \n')
    lines = tmp_path / "l.txt"
    lines.write_text(unicodedata.normalize("NFD", "첫째 줄") + "\n\n둘째 줄\n", encoding="utf-8")
    assert list(read_corpus([reviews, lines])) == ['"좋은 영화', "첫째 줄", "둘째 줄"]


def test_a_review_and_a_line_hold_what_other_programs_take_for_an_end(tmp_path):
    reviews = write_gzip(
        tmp_path / "r.tsv.gz", "1\t2\t20.01.01\t9\t좋은\u2028영\r화\r\n1\t2\t20.01.02\t1\t나쁜\x85영화"
    )
    lines = tmp_path / "l.txt"
    lines.write_bytes("첫째\x0b줄\r\n둘째\u2028줄\n".encode())
    texts = ["좋은\u2028영\r화", "나쁜\x85영화", "첫째\x0b줄", "둘째\u2028줄"]
    assert list(read_corpus([reviews, lines])) == texts


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.jsonl.gz", "a.tsv.gz"])
def test_a_corpus_in_another_encoding_or_cut_is_named(tmp_path, name):
    content = "1\t2\t3\t4\t학교\n" if name.endswith(".tsv.gz") else '{"title": "학교", "content": "급식"}\n' * 9
    for text, damaged in ((content.encode("cp949"), "line 1: byte .* is no UTF-8"), (content.encode(), "was cut")):
        packed = gzip.compress(text) if name.endswith(".gz") else text
        if damaged == "was cut":
            if not name.endswith(".gz"):
                continue
            packed = packed[:-12]
        (tmp_path / name).write_bytes(packed)
        with pytest.raises(ConfigError, match=rf"{name}, .*{damaged}"):
            list(read_corpus([tmp_path / name]))


def test_a_byte_order_mark_is_no_part_of_a_petition(tmp_path):
    (tmp_path / "a.jsonl").write_text('\ufeff{"title": "제목", "content": "본문"}\n', encoding="utf-8")
    assert list(read_corpus([tmp_path / "a.jsonl"])) == ["제목\n본문"]


def test_a_missing_file_and_a_foreign_kind_are_named_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.txt"):
        read_corpus([tmp_path / "gone.txt"])
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(ConfigError, match=r"a\.pdf"):
        read_corpus([tmp_path / "a.pdf"])


def test_a_line_without_any_text_is_named_by_file_and_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"title": "제목", "content": "본문"}\n{"headline": "제목"}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a\.jsonl, line 2"):
        list(read_corpus([path]))
