import json
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from invented_pages import assembly_row
from petitions.errors import ParseError
from petitions.records import Petition, Status, Window
from petitions.sources.assembly import AssemblySite

ID = "0123456789ABCDEFE054B49691C1987F"
URL = f"https://site.test/api/petits/{ID}"
SITE = AssemblySite(
    base_url="https://site.test", window=Window(since=date(2024, 4, 1), until=date(2024, 7, 1)), today=date(2024, 7, 1)
)


def read(**changes) -> Petition:
    petition = SITE.parse_detail(json.dumps(assembly_row(**changes)).encode(), URL, ID)
    assert isinstance(petition, Petition)
    return petition


def test_a_record_gives_every_field_but_the_petitioner():
    petition = read()
    assert petition.title == "가로등 설치에 관한 청원"
    assert petition.purpose == "골목길을 밝힌다."
    assert petition.body == assembly_row()["petitCn"]
    assert (petition.category, petition.status, petition.n_agreements) == ("재난/안전/환경", Status.OPEN, 1234)
    assert (petition.begins_on, petition.ends_on) == (date(2024, 6, 1), date(2024, 7, 1))
    assert petition.url == f"https://site.test/proceed/onGoingAll/{ID}"
    assert "김아무개" not in repr(petition)


def test_markup_goes_and_quoted_laws_stay():
    body = "첫 줄<br/>둘째 &lt;줄&gt; <p class='x'>셋째</p><개정 2018. 4. 17.> https://site.test/?a=1&para=2"
    assert read(petitCn=body).body == "첫 줄\n둘째 <줄> 셋째\n<개정 2018. 4. 17.> https://site.test/?a=1&para=2"


def test_a_purpose_that_the_body_begins_with_is_left_out():
    assert read(petitObjet=assembly_row()["petitCn"][:12]).purpose == ""
    assert read(petitObjet=None).purpose == ""


@pytest.mark.parametrize(
    ("state", "result", "end", "status"),
    [
        ("AGRE_PROGRS", None, "2024-07-01", Status.OPEN),
        ("PETIT_END", "PETIT_INADQT", "2024-06-30", Status.ENDED),
        ("PETIT_FORMATN", None, "2024-07-01", Status.OPEN),
        ("PETIT_FORMATN", None, "2024-06-30", Status.ENDED),
        ("CMIT_FRWRD", "CMIT_JDGING", "2024-07-20", Status.OPEN),
        ("CMIT_FRWRD", "CMIT_JDGING", "2024-06-30", Status.ENDED),
        ("CMIT_FRWRD", "ALTRV_DSUSE", "2024-06-30", Status.ANSWERED),
        ("CMIT_FRWRD", "CMIT_DSUSE", "2024-06-30", Status.ANSWERED),
        ("CMIT_FRWRD", "EXP_DSUSE", "2024-06-30", Status.ENDED),
        ("CMIT_FRWRD", "WTHDRAW", "2024-06-30", Status.ENDED),
    ],
)
def test_states_and_outcomes_become_four_words(state, result, end, status):
    assert read(sttusCode=state, resultCode=result, agreEndDe=f"{end} 23:59:59").status is status


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("petitId", "another"),
        ("petitSj", ""),
        ("petitCn", None),
        ("petitObjet", ["x"]),
        ("petitRealmCode", "NEW"),
        ("petitRealmNm", "다른 이름"),
        ("sttusCode", ["NEW"]),
        ("agreCo", "many"),
        ("agreCo", True),
        ("agreCo", -1),
        ("agreBeginDe", 20240601),
        ("agreEndDe", "2024-05-01 23:59:59"),
    ],
)
def test_a_broken_key_is_named_with_its_url(key, value):
    with pytest.raises(ParseError) as caught:
        read(**{key: value})
    assert f"{URL}: key {key}" in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"[]", b"null", b"<html></html>", b"\xff", b"[" * 100_000, b"9" * 9_999])
def test_what_is_no_object_is_refused(answer):
    with pytest.raises(ParseError, match="https://site.test"):
        SITE.parse_detail(answer, URL, ID)


def test_a_list_is_an_array_and_ends_with_an_empty_one():
    rows = [assembly_row(), assembly_row(petitId="../x"), assembly_row(agreBeginDe=None)]
    listing = SITE.parse_list(json.dumps(rows).encode(), URL)
    assert [(entry.source_id, entry.begins_on, entry.status) for entry in listing.entries] == [
        (ID, date(2024, 6, 1), Status.OPEN)
    ]
    assert ["petitId" in listing.faults[0], "agreBeginDe" in listing.faults[1]] == [True, True]
    assert not SITE.is_last(listing, 0)
    assert SITE.is_last(SITE.parse_list(b"[]", URL), 0)


def test_a_page_with_fewer_rows_than_another_is_the_last_and_a_short_first_page_is_not():
    listing = SITE.parse_list(json.dumps([assembly_row(), assembly_row(agreBeginDe=None)]).encode(), URL)
    assert [SITE.is_last(listing, largest) for largest in (0, 2, 3, 100)] == [False, False, True, True]


@pytest.mark.parametrize("answer", [b'{"list": []}', b'[{"id": 1}]', b"[1]"])
def test_a_list_of_another_shape_is_refused(answer):
    with pytest.raises(ParseError, match="https://site.test"):
        SITE.parse_list(answer, URL)


def test_the_closed_query_reaches_past_the_window_since_its_days_are_about_the_end():
    query = parse_qs(urlsplit(SITE.list_request("closed", 2).url).query)
    assert (query["pageIndex"], query["beginDate"], query["endDate"]) == (["2"], ["20240401"], ["20241029"])
    assert "beginDate" not in parse_qs(urlsplit(SITE.list_request("open", 1).url).query)
