"""Cells of a table that is downloaded."""

import pytest
from topic_browser.tables import make_safe, write_table


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\ttab", "＝1", "＋1", "－1", "＠x", "|x", "%x", "\n=1"],
)
def test_a_text_that_a_spreadsheet_would_reckon_is_a_text(value):
    assert make_safe(value) == f"'{value}"


@pytest.mark.parametrize("value", ["제목 = 값", "a-b", "", -1, 0.5, None])
def test_any_other_value_stays_as_it_is(value):
    assert make_safe(value) == value


def test_commas_quotes_and_breaks_stay_within_their_cell():
    assert write_table(["제목"], [['a,"b"\n다음']]).decode() == '\ufeff제목\r\n"a,""b""\n다음"\r\n'
