import json
from datetime import date

import numpy as np

from petitions.commands.console import print_rows


def test_json_keeps_hangul_and_dates(capsys):
    print_rows([{"label": "학교", "day": date(2024, 1, 2), "vector": np.array([0.5, 1.0])}], as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"label": "학교", "day": "2024-01-02", "vector": [0.5, 1.0]}]


def test_no_rows_are_said_to_be_none(capsys):
    print_rows([])
    assert capsys.readouterr().out == "(no rows)\n"
    print_rows([], as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_text_from_the_web_is_neither_markup_nor_control_sequence(capsys):
    print_rows([{"title": "[red]빨강[/red] \x1b[31mx\x07"}])
    printed = capsys.readouterr().out
    assert "[red]빨강[/red]" in printed
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_what_json_has_no_number_for_is_null(capsys):
    print_rows([{"value": float("nan"), "limit": float("inf"), "share": 0.5}], as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"value": None, "limit": None, "share": 0.5}]
