"""petitions keywords: a JSON list of words for each line, and one clear line for what it cannot read."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from petitions.commands import keywords as module
from petitions.commands.keywords import keywords
from petitions.encoders import registry
from petitions.encoders.bert_encoder import load_bert
from petitions.errors import ConfigError
from petitions.settings import Settings
from petitions.steps.score import extract_words


def find(tmp_path, data: bytes, *options: str) -> list[list[str]]:
    given, output = tmp_path / "lines.txt", tmp_path / "words.jsonl"
    given.write_bytes(data)
    done = CliRunner().invoke(
        keywords, ["--input", str(given), "--output", str(output), *options], catch_exceptions=False
    )
    assert done.exit_code == 0
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def test_each_line_gets_a_list_of_words_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LINES", 2)
    lines = "종부세를 내려 주세요\n\n학교 급식 조리실에 환기 시설\n"
    found = find(tmp_path, lines.encode(), "-k", "2")
    assert [len(words) for words in found] == [1, 0, 2] and found[0] == ["종부세"]


@pytest.mark.slow  # the weights that ship are loaded
def test_the_words_of_an_encoder_are_those_that_are_stored_under_it(tmp_path, monkeypatch):
    text = "버스 노선이 줄어 학생과 주민이 학교와 병원에 갈 수 없습니다. 버스를 늘려 주세요."
    plain = find(tmp_path, text.encode(), "--encoder", "bert")
    assert plain == find(tmp_path, text.encode())
    weighed = replace(registry.ENCODERS["bert"], masked_weight=2.0)
    monkeypatch.setattr(registry, "ENCODERS", {"bert": weighed})
    (asked,) = find(tmp_path, text.encode(), "--encoder", "bert")
    bert = load_bert(Settings().bert_model, "cpu")
    assert asked == [word for word, _ in extract_words([text], bert, 2.0)[0]]
    assert [asked] != plain


def test_an_encoder_without_masked_words_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="elmo gives no keywords, only bert"):
        find(tmp_path, b"", "--encoder", "elmo")


def test_no_line_gives_no_line(tmp_path):
    assert find(tmp_path, b"") == []


@pytest.mark.parametrize(("data", "said"), [(b"\xff\xfe", "line 1: byte 1 is no UTF-8"), ("가" * 1_000_001, "line 1")])
def test_a_line_that_cannot_be_read_is_named_and_the_output_stays(tmp_path, data, said):
    output = tmp_path / "words.jsonl"
    output.write_text("before\n")
    with pytest.raises(ConfigError, match=said):
        find(tmp_path, data if isinstance(data, bytes) else data.encode())
    assert output.read_text() == "before\n"


def test_an_input_that_is_no_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="--input must be a file"):
        args = ["--input", str(tmp_path), "--output", str(tmp_path / "out")]
        CliRunner().invoke(keywords, args, catch_exceptions=False)
