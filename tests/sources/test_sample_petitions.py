import json
from datetime import date

import pytest

from petitions.errors import ParseError
from petitions.records import Status, Window
from petitions.sources.sample import read_sample

WINDOW = Window.ending(date(2026, 1, 1))
ROW = {
    "id": "a-001",
    "category": "안전/환경",
    "theme": "street-lights",
    "days_before": 10,
    "n_agreements": 1234,
    "title": "가로등을 늘려 주세요",
    "body": "밤길이 어둡습니다.\n늘려\u2028주세요.",
}


def read(folder, *rows):
    lines = [row if isinstance(row, str) else json.dumps(ROW | row, ensure_ascii=False) for row in rows]
    (folder / "part-a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(read_sample(WINDOW, folder))


def test_a_line_becomes_a_petition_dated_before_the_end_of_the_window(tmp_path):
    (petition,) = read(tmp_path, {})
    assert (petition.petition_id, petition.body, petition.n_agreements) == ("sample:a-001", ROW["body"], 1234)
    assert (petition.begins_on, petition.ends_on) == (date(2025, 12, 22), date(2026, 1, 21))


@pytest.mark.parametrize(
    ("days_before", "n_agreements", "status"),
    [(30, 250_000, Status.OPEN), (31, 250_000, Status.ANSWERED), (31, 199_999, Status.ENDED)],
)
def test_status_follows_from_days_and_agreements(tmp_path, days_before, n_agreements, status):
    (petition,) = read(tmp_path, {"days_before": days_before, "n_agreements": n_agreements})
    assert petition.status is status


def test_a_shorter_window_takes_fewer(tmp_path):
    read(tmp_path, {}, {"id": "a-002", "days_before": 60})
    short = Window(since=date(2025, 12, 1), until=date(2026, 1, 1))
    assert [petition.source_id for petition in read_sample(short, tmp_path)] == ["a-001"]


@pytest.mark.parametrize(
    "row",
    [
        "{",
        "[]",
        '{"id": "x"}',
        {"category": "교육"},
        {"category": []},
        {"days_before": 92},
        {"n_agreements": "x"},
        {"title": " "},
        {},
    ],
)
def test_a_broken_line_is_named_by_file_and_line(tmp_path, row):
    with pytest.raises(ParseError, match=r"part-a.jsonl line 2"):
        read(tmp_path, {}, row)
