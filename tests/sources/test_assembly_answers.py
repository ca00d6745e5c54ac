import json
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from invented_pages import assembly_row
from petitions.crawl.answer import Answer
from petitions.crawl.reading import read_counts, read_detail
from petitions.errors import ParseError
from petitions.records import Handling, Petition, Status, Window
from petitions.sources.assembly import AssemblySite
from petitions.sources.assembly_codes import STATES
from petitions.sources.site import MissingPage

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
        ("PROCESS_END", "ALTRV_DSUSE", "2024-06-30", Status.ANSWERED),
        ("PROCESS_END", None, "2024-07-20", Status.ENDED),
        ("ALTBIL_RFLC", None, "2024-06-30", Status.ANSWERED),
        ("EXAM", "CMIT_JDGING", "2024-06-30", Status.ENDED),
        ("NEW_STATE", "NEW_RESULT", "2024-07-01", Status.OPEN),
        ("NEW_STATE", "NEW_RESULT", "2024-06-30", Status.ENDED),
        (None, None, "2024-06-30", Status.ENDED),
    ],
)
def test_states_and_outcomes_become_four_words(state, result, end, status):
    assert read(sttusCode=state, resultCode=result, agreEndDe=f"{end} 23:59:59").status is status


@pytest.mark.parametrize(
    ("code", "name", "category"),
    [
        ("MSFRTN", "재난/안전/환경", "재난/안전/환경"),
        ("MSFRTN", "재난안전", "재난/안전/환경"),  # renamed: the code is known
        ("AIDATA", "인공지능/데이터", "인공지능/데이터"),
        ("AIDATA", None, "AIDATA"),
        (None, None, "분류 없음"),
    ],
)
def test_a_category_that_is_not_known_is_kept_as_the_site_says_it(code, name, category):
    petition = read(petitRealmCode=code, petitRealmNm=name)
    assert (petition.category, petition.category_code, petition.category_name) == (category, code or "", name or "")


def test_what_became_of_it_is_kept_by_code_and_name():
    said = {
        "sttusCode": "CMIT_FRWRD", "resultCode": "CMIT_JDGING", "resultCodeNm": "위원회심사", "jdgmnStepCode": "JS0001",
        "jrsdCmitCode": "9700006", "jrsdCmitNm": "법제사법위원회", "billId": "PRC_A2B4", "mtzNmpr": 50_000,
        "petitRegistDt": "2024-06-01 09:12:44", "petitEndDt": "soon",
    }  # fmt: skip
    petition = read(**said)
    assert petition.handling == Handling(
        state_code="CMIT_FRWRD", result_code="CMIT_JDGING", result_name="위원회심사", stage_code="JS0001",
        committee_code="9700006", committee_name="법제사법위원회", bill_id="PRC_A2B4", is_pending=True,
    )  # fmt: skip
    assert (petition.threshold, petition.registered_on, petition.closed_on) == (50_000, date(2024, 6, 1), None)


@pytest.mark.parametrize(
    ("state", "result", "bill", "is_pending"),
    [
        ("AGRE_PROGRS", None, None, False),
        ("PETIT_FORMATN", None, None, True),
        ("CMIT_FRWRD", "CMIT_RCEPT", "PRC_1", True),
        ("CMIT_FRWRD", "ALTRV_DSUSE", "PRC_1", False),
        ("NEW_STATE", None, "PRC_1", True),
        ("NEW_STATE", None, None, False),
        ("CMIT_FRWRD", "NEW_RESULT", "PRC_1", True),  # which may be no end
        ("PETIT_END", "PETIT_INADQT", None, False),
        ("PROCESS_END", None, "PRC_1", False),
    ],
)
def test_what_was_referred_is_pending_until_it_has_a_result(state, result, bill, is_pending):
    assert read(sttusCode=state, resultCode=result, billId=bill).handling.is_pending is is_pending


@pytest.mark.parametrize("purpose", ["", " ", "\n", "<br>", "<p></p>", "&nbsp;"])
def test_a_blank_purpose_is_none(purpose):
    assert read(petitObjet=purpose).purpose == ""


@pytest.mark.parametrize("count", [None, ""])
def test_a_missing_count_is_told_and_comes_from_the_list(count):
    petition = read(agreCo=count)
    assert (petition.is_counted, petition.n_agreements) == (False, 0)
    listing = SITE.parse_list(json.dumps([assembly_row(agreCo="1,234")]).encode(), URL)
    answer = Answer(
        url=URL,
        status=200,
        headers=(),
        body=json.dumps(assembly_row(agreCo=count)).encode(),
        fetched_at=datetime.now(UTC),
    )
    found = read_detail(SITE, answer, ID, counts=read_counts(listing))
    assert (found.is_counted, found.n_agreements) == (True, 1234)


def test_the_closed_query_asks_for_the_further_states_too():
    states = parse_qs(urlsplit(SITE.list_request("closed", 1).url).query)["sttusCode"][0].split(",")
    assert set(states) == set(STATES) - {"AGRE_PROGRS"}


def test_a_petition_is_asked_for_as_the_page_of_the_site_asks():
    request = SITE.detail_request(ID)
    assert request.url == f"https://site.test/api/petits/{ID}?petitId={ID}&sttusCode="
    assert dict(request.headers) == {"Accept": "application/json, text/plain, */*", "Referer": "https://site.test/"}
    assert dict(SITE.list_request("open", 1).headers) == dict(request.headers)
    for url in (
        request.url,
        f"https://site.test/api/petits/{ID}",
        f"https://site.test/api/petits/{ID}?petitId={ID}&view=",
    ):
        assert SITE.find_petition(url) == ID
    for url in (
        "https://site.test/api/petits?pageIndex=1",
        f"https://other.test/api/petits/{ID}",
        f"{request.url}/x/../y"[:20],
    ):
        assert SITE.find_petition(url) is None


@pytest.mark.parametrize("state", ["AGRE_PROGRS", "PETIT_FORMATN", "CMIT_FRWRD", "PETIT_END", "PROCESS_END", "NEW"])
def test_petitions_of_all_states_are_linked_by_the_page_that_a_person_can_open(state):
    assert read(sttusCode=state).url == f"https://site.test/proceed/onGoingAll/{ID}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("petitId", "another"),
        ("petitSj", ""),
        ("petitCn", None),
        ("petitObjet", ["x"]),
        ("petitRealmCode", ["NEW"]),
        ("petitRealmNm", 7),
        ("mtzNmpr", "many"),
        ("billId", {}),
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


@pytest.mark.parametrize("answer", [b"", b" \n", b"null", b"{}", b"\xef\xbb\xbfnull"])
def test_an_answer_with_nothing_in_it_is_a_petition_that_is_not_there(answer):
    assert SITE.parse_detail(answer, URL, ID) == MissingPage(source_id=ID)


@pytest.mark.parametrize("answer", [b"[]", b"<html></html>", b"\xff", b"[" * 100_000, b"9" * 9_999])
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
    assert SITE.parse_list(b"[]", URL).n_rows == 0


@pytest.mark.parametrize("answer", [b'{"list": []}', b'[{"id": 1}]', b"[1]"])
def test_a_list_of_another_shape_is_refused(answer):
    with pytest.raises(ParseError, match="https://site.test"):
        SITE.parse_list(answer, URL)


def test_the_closed_query_reaches_past_the_window_since_its_days_are_about_the_end():
    query = parse_qs(urlsplit(SITE.list_request("closed", 2).url).query)
    assert (query["pageIndex"], query["beginDate"], query["endDate"]) == (["2"], ["20240401"], ["20241029"])
    assert "beginDate" not in parse_qs(urlsplit(SITE.list_request("open", 1).url).query)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"petitSj": "가" * 501}, "key petitSj: a title of 501 characters is over the limit of 500"),
        ({"petitCn": "가" * 200_001}, "key petitCn: a text of 200001 characters is over the limit of 200000"),
        ({"petitCn": "<b" * 20 + ">" * 20}, "key petitCn: a text holds tags within tags"),
        ({"petitCn": "\x00<br>\ud800"}, "key petitCn: expected text, found nothing"),
        ({"agreBeginDe": "1999-12-31 00:00:00"}, "key agreBeginDe: expected a day of 2000 to 2100, found 1999-12-31"),
        ({"agreEndDe": "2101-01-01 00:00:00"}, "key agreEndDe: expected a day of 2000 to 2100, found 2101-01-01"),
        ({"agreEndDe": "2024-05-01"}, "key agreEndDe: 2024-05-01 is before the begin, 2024-06-01"),
        ({"agreCo": ["x" * 99]}, "key agreCo: expected a count, found list"),
        ({"agreCo": 1.5}, "key agreCo: expected a count, found 1.5"),
        ({"petitRealmCode": "N" * 101}, f"found '{'N' * 36}..."),
    ],
)
def test_a_message_tells_what_was_expected_and_what_was_found(changes, said):
    with pytest.raises(ParseError) as caught:
        read(**changes)
    assert said in str(caught.value)


def test_no_title_or_body_stands_in_a_message():
    for key in ("petitId", "petitCn", "petitSj", "petitRealmCode", "agreCo", "sttusCode", "agreBeginDe"):
        with pytest.raises(ParseError) as caught:
            read(**{key: {"가로등": "밤길"}})
        assert "가로등" not in str(caught.value)
        assert "밤길" not in str(caught.value)


@pytest.mark.parametrize(
    "markup",
    [
        "<!-- x -->",
        "<!-- <b>x</b> --><script>alert(1)</script>",
        "<script src='x'></script>",
        "<style>b { color: red }</style>",
        "<iframe src=https://x.test></iframe><img/onerror=x()>",
        "<<b>img src=x onerror=x()>",
    ],
)
def test_markup_never_becomes_text(markup):
    text = read(petitSj=f"가로등{markup}", petitCn=f"밤길{markup}").body
    for sign in ("<script", "<style", "<img", "<iframe", "<!--", "alert", "color"):
        assert sign not in text


def test_entities_are_decoded_once():
    assert read(petitCn="&amp;lt;script&amp;gt; &lt;b&gt;").body == "&lt;script&gt; <b>"


def test_halves_of_a_pair_and_nul_go_and_a_whole_pair_stays():
    answer = json.dumps(assembly_row()).encode().replace(b'"petitCn": "', b'"petitCn": "a\\ud800\\u0000\\ud83d\\ude00')
    petition = SITE.parse_detail(answer, URL, ID)
    assert isinstance(petition, Petition)
    assert petition.body.startswith("a\U0001f600")


def test_a_byte_order_mark_is_no_part_of_an_answer():
    answer = b"\xef\xbb\xbf" + json.dumps(assembly_row()).encode()
    assert SITE.parse_detail(answer, URL, ID) == read()
    assert SITE.parse_list(b"\xef\xbb\xbf[" + answer.removeprefix(b"\xef\xbb\xbf") + b"]", URL).n_rows == 1


@pytest.mark.parametrize("bad", [b"\xff", "가".encode()[:2], b"\xed\xa0\x80", "가".encode("cp949")])
def test_bytes_that_are_no_utf_8_spoil_only_what_is_read_of_them(bad):
    def spoil(key):
        return json.dumps(assembly_row(**{key: "가BAD나"})).encode().replace(b"BAD", bad)

    for key in ("petrNm", "petitEndDt"):
        assert SITE.parse_detail(spoil(key), URL, ID) == read()
    for key in ("petitSj", "petitCn", "petitObjet"):
        with pytest.raises(ParseError, match=f"key {key}: expected text in UTF-8, found bytes that are not"):
            SITE.parse_detail(spoil(key), URL, ID)
        assert SITE.parse_list(b"[" + spoil(key) + b"]", URL).n_rows == 1  # of which a list reads none
    for key in ("petitId", "agreBeginDe", "sttusCode", "petitRealmCode"):
        with pytest.raises(ParseError, match=f"key {key}"):
            SITE.parse_detail(spoil(key), URL, ID)


def test_counts_may_hold_thousands_commas():
    assert read(agreCo="1,192,049").n_agreements == 1_192_049


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(assembly_row()).encode("utf-16"),
        b'{"petitId": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"sttusCode": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"[" + b"{}," * 100_001 + b"{}]",
    ],
)
def test_answers_beyond_all_real_ones_are_refused(answer):
    with pytest.raises(ParseError, match="https://site.test"):
        SITE.parse_detail(answer, URL, ID)
    with pytest.raises(ParseError, match="https://site.test"):
        SITE.parse_list(answer, URL)


def test_a_list_of_more_rows_than_any_page_is_refused():
    with pytest.raises(ParseError, match="a list of 10001 rows is over the limit of 10000"):
        SITE.parse_list(b"[" + b"1," * 10_000 + b"1]", URL)
