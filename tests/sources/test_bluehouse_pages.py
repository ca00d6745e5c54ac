from datetime import date
from pathlib import Path

import pytest

from invented_pages import BODY_TEXT, TITLE, bluehouse_list, bluehouse_page, hidden_page
from petitions.errors import ParseError
from petitions.records import Petition, Status, Window
from petitions.sources.bluehouse import BlueHouseSite
from petitions.sources.site import HiddenPage

SAVED = Path(__file__).parents[2].parent / "shared" / "data" / "html"
URL = "https://site.test/petitions/581762"
SITE = BlueHouseSite(base_url="https://site.test", window=Window(since=date(2019, 8, 1), until=date(2019, 9, 1)))


def read(page: bytes, source_id: str = "581762") -> Petition:
    petition = SITE.parse_detail(page, URL, source_id)
    assert isinstance(petition, Petition)
    return petition


def test_an_open_page_gives_every_field():
    petition = read(bluehouse_page())
    assert (petition.title, petition.body, petition.purpose) == (TITLE, BODY_TEXT, "")
    assert (petition.petition_id, petition.url) == ("bluehouse:581762", URL)
    assert (petition.category, petition.status, petition.n_agreements) == ("안전/환경", Status.OPEN, 1234)
    assert (petition.begins_on, petition.ends_on) == (date(2019, 8, 1), date(2019, 8, 31))


@pytest.mark.parametrize("head", ["청원내용", "청원개요"])
def test_an_answered_page_gives_the_second_text_block(head):
    petition = read(bluehouse_page(is_answered=True, head=head, word="브리핑"))
    assert (petition.body, petition.status) == (BODY_TEXT, Status.ANSWERED)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("청원종료 ", Status.ENDED),
        ("답변대기", Status.ENDED),
        ("답변완료", Status.ANSWERED),
        (" 청원진행중\n", Status.OPEN),
    ],
)
def test_status_words_are_read_with_the_blanks_around_them(word, status):
    assert read(bluehouse_page(word=word)).status is status


def test_counts_may_hold_thousands_commas():
    assert read(bluehouse_page(count="1,192,049")).n_agreements == 1_192_049


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"title": " "}, ".petitionsView_title"),
        ({"body": "<!-- -->"}, ".View_write"),
        ({"head": "다른제목"}, ".View_write"),
        ({"word": "새상태"}, ".petitionsView_progress h4"),
        ({"category": "새분야"}, "카테고리"),
        ({"count": "많음"}, ".petitionsView_count"),
        ({"begin": "2019-02-30"}, "청원시작"),
        ({"end": "2019-07-01"}, "청원마감"),
    ],
)
def test_a_broken_part_is_named_with_its_url(changes, named):
    with pytest.raises(ParseError) as caught:
        read(bluehouse_page(**changes))
    assert named in str(caught.value)
    assert URL in str(caught.value)


def test_a_hidden_page_is_hidden_whatever_its_wording():
    for notice in ("사전동의 100명 이상의 요건을 충족하였으나, 비공개된 청원입니다.", "비공개 청원입니다"):
        assert SITE.parse_detail(hidden_page(notice), URL, "581762") == HiddenPage(source_id="581762")


def test_a_maintenance_notice_in_the_same_frame_is_not_hiding():
    with pytest.raises(ParseError, match="wvcontents"):
        read(hidden_page("서비스 점검 중입니다."))


@pytest.mark.parametrize("page", [b"", b"<html><body>\xff\xfe\x00 points", bluehouse_page()[:-60], b"\xff</html>"])
def test_a_page_that_is_cut_or_garbled_is_no_petition(page):
    with pytest.raises(ParseError):
        read(page)


def test_the_list_gives_the_id_of_the_page_and_not_its_place():
    listing = SITE.parse_list(bluehouse_list("581762", "581763"), URL)
    assert [entry.source_id for entry in listing.entries] == ["581762", "581763"]


def test_the_list_ends_with_an_empty_page_or_a_page_of_older_petitions():
    assert SITE.is_last(SITE.parse_list(bluehouse_list(), URL), 0)
    assert SITE.is_last(SITE.parse_list(bluehouse_list("1", created="2019-07-31"), URL), 1)
    assert not SITE.is_last(SITE.parse_list(bluehouse_list("1", created="2019-08-01"), URL), 1)


def test_a_page_with_fewer_rows_than_another_is_the_last():
    listing = SITE.parse_list(bluehouse_list("1", "2", "3"), URL)
    assert [SITE.is_last(listing, largest) for largest in (0, 3, 7)] == [False, False, True]


@pytest.mark.parametrize(
    "answer", [b"[]", b'{"status":"ok"}', b'{"status":"no","item":[]}', b'{"status":"ok","item":[{"id":"x"}]}']
)
def test_a_list_of_another_shape_is_refused(answer):
    with pytest.raises(ParseError, match="https://site.test"):
        SITE.parse_list(answer, URL)


@pytest.mark.skipif(not SAVED.exists(), reason=f"{SAVED} is absent: the saved pages of the site stand there")
def test_the_two_saved_pages_of_the_real_site_parse():
    petition = read((SAVED / "detail_594884_in_progress_2020-12.html").read_bytes(), "594884")
    assert (petition.category, petition.status, petition.n_agreements) == ("교통/건축/국토", Status.OPEN, 132)
    assert (petition.begins_on, petition.ends_on) == (date(2020, 12, 21), date(2021, 1, 20))
    assert petition.body.startswith("부산에서")
    assert petition.body.endswith("청원합니다.")
    hidden = SITE.parse_detail((SAVED / "detail_594198_hidden_2020-12.html").read_bytes(), URL, "594198")
    assert hidden == HiddenPage(source_id="594198")
