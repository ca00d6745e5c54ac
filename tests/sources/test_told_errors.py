"""Whatever a site puts in place of what it used to say: the error names the place, and tells readers none of it."""

import errno
import json
from datetime import date

import pytest

from invented_pages import TITLE, assembly_row, bluehouse_list, bluehouse_page, hidden_page
from petitions.errors import ParseError, PetitionsError, SiteChangedError
from petitions.privacy import redact_error
from petitions.records import Window
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.sources.fields import MOST_ROWS

TEXT = "비밀스러운 말"
WINDOW = Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
ASSEMBLY = AssemblySite(base_url="https://site.test", window=WINDOW, today=date(2024, 7, 1))
BLUEHOUSE = BlueHouseSite(base_url="https://site.test", window=WINDOW)
URL = "https://site.test/1"
WRONG = [TEXT, f"2024-02-31 {TEXT}", f"1999-01-01 {TEXT}", [TEXT], {TEXT: TEXT}, f"{TEXT}\nfound {TEXT}", "", None, -1]


def read_all():
    """Each wrong value in each place of an answer, with the parser that reads it."""
    row = assembly_row()
    for key in row:
        for value in WRONG:
            yield ASSEMBLY.parse_detail, json.dumps(row | {key: value}), row["petitId"]
            yield ASSEMBLY.parse_list, json.dumps([row | {key: value}])
    for value in WRONG:
        yield ASSEMBLY.parse_list, json.dumps(value)
        yield ASSEMBLY.parse_detail, json.dumps(value), "1"
        yield BLUEHOUSE.parse_list, json.dumps(value)
        for key in ("id", "created"):
            yield BLUEHOUSE.parse_list, json.dumps({"status": "ok", "item": [{"id": "1", "created": 1, key: value}]})
    yield BLUEHOUSE.parse_list, TEXT
    for word in (TEXT, f"2024-02-31 {TEXT}", f"<b>{TEXT}</b>"):
        for key in ("word", "category", "count", "begin", "end", "head"):
            yield BLUEHOUSE.parse_detail, bluehouse_page(**{key: word}).decode(), "1"
        yield BLUEHOUSE.parse_detail, hidden_page(word).decode(), "1"
        yield BLUEHOUSE.parse_detail, word, "1"


def test_no_text_of_an_answer_is_told_to_readers():
    n_errors = n_quotes = 0
    for parse, answer, *source_id in read_all():
        try:
            parse(answer.encode(), URL, *source_id)
        except ParseError as error:
            n_errors += 1
            n_quotes += TEXT in str(error)
            told = redact_error(SiteChangedError(f"the site has changed: {error} (raw answer: raw/a#1)"))
            assert "비밀" not in told
            assert told.startswith(f"the site has changed: {URL}")
    assert n_errors > 100
    assert n_quotes > 20


def test_an_error_without_a_quotation_is_told_whole():
    with pytest.raises(ParseError, match="a list of 10001 rows is over the limit") as caught:
        BLUEHOUSE.parse_list(bluehouse_list(*map(str, range(MOST_ROWS + 1))), URL)
    assert redact_error(caught.value) == str(caught.value)


def test_of_an_error_of_somebody_else_nothing_is_told_and_of_ours_one_line_of_500_characters():
    assert redact_error(ValueError(TITLE)) == ""
    assert redact_error(OSError(TITLE)) == ""
    assert redact_error(OSError(errno.ENOSPC, TITLE, f"/tmp/{TITLE}")) == "No space left on device"
    assert redact_error(PetitionsError("a\n b  c")) == "a b c"
    assert len(redact_error(PetitionsError("x" * 9_000))) == 500
