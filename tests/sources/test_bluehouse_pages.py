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


FOLLOWERS = [
    b"<!-- mirrored by somebody -->",
    b"\n<!--\n     FILE ARCHIVED ON 12:00:00 Aug 17, 2019\n" + b"  load_resource: 1.2\n" * 200 + b"-->\n",
    b"<script>track('</html>')</script>",
    b"<script>cut off",
    b'<div class="petitionsView_left"><h3 class="petitionsView_title">another</h3></div>',
    "<iframe src='x'></iframe><p>꼬리말".encode("cp949"),
    b"\0\0",
    b"</body></html>",
]


@pytest.mark.parametrize("follower", FOLLOWERS)
@pytest.mark.parametrize("end", [b"</html>", b"</HTML >"])
def test_what_follows_the_end_of_a_page_is_no_part_of_it(follower, end):
    page = bluehouse_page().replace(b"</html>", end)
    assert read(page + follower) == read(bluehouse_page())
    hidden = hidden_page().replace(b"</html>", end) + follower
    assert SITE.parse_detail(hidden, URL, "581762") == HiddenPage(source_id="581762")


@pytest.mark.parametrize(
    "before",
    [b"", b"<!-- </html> -->", b"<script>var end = '</html>';</script>", b'<a title="</html>">x</a>',
     b"<textarea></html></textarea>", b"<style>/* </html> */</style>", b"&lt;/html&gt;", b"</html"],
)  # fmt: skip
def test_a_page_without_its_end_tag_is_refused_whatever_looks_like_one(before):
    page = bluehouse_page()
    column = page.index(b'<div class="petitionsView_right">')
    for cut in (column, column - 20, len(page) - len("</html>\n")):
        with pytest.raises(ParseError, match="expected a page up to </html>, found"):
            read(page[:column].replace(b"<section", before + b"<section") if cut < column else page[:cut] + before)
    with pytest.raises(ParseError, match="expected a page up to </html>, found"):  # within the column it is no end
        read(bluehouse_page(body="x</html>y").removesuffix(b"</html>\n"))


@pytest.mark.parametrize("bad", [b"\xff", "가".encode()[:2], "꼬리말".encode("cp949"), b"\0"])
def test_bytes_that_are_no_utf_8_spoil_only_the_column_that_they_are_in(bad):
    page = bluehouse_page()
    for place in (b"<title>", b'<a href="/petitions/999">', b"</section>"):
        assert read(page.replace(place, place + bad)) == read(page)
    for place in (b'petitionsView_title wv">', b'View_write" style="x">'):
        with pytest.raises(ParseError, match=r"petitionsView_left: expected text in UTF-8, found bytes that are not"):
            read(page.replace(place, place + bad))


def test_a_byte_order_mark_is_no_part_of_a_page_or_a_list():
    assert read(b"\xef\xbb\xbf" + bluehouse_page()) == read(bluehouse_page())
    assert SITE.parse_list(b"\xef\xbb\xbf" + bluehouse_list("581762"), URL).n_rows == 1


def test_the_list_gives_the_id_of_the_page_and_not_its_place():
    listing = SITE.parse_list(bluehouse_list("581762", "581763"), URL)
    assert [entry.source_id for entry in listing.entries] == ["581762", "581763"]


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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": "가" * 501}, ".petitionsView_title: a title of 501 characters is over the limit of 500"),
        ({"begin": "1999-12-31"}, "청원시작: expected a day of 2000 to 2100, found 1999-12-31"),
        ({"end": "2101-01-01"}, "청원마감: expected a day of 2000 to 2100, found 2101-01-01"),
        ({"end": "2019-07-01"}, "청원마감: 2019-07-01 is before the begin, 2019-08-01"),
        ({"count": "1,23"}, ".petitionsView_count .counter: expected a count, found '1,23'"),
        ({"count": "9" * 60}, f".petitionsView_count .counter: expected a count, found '{'9' * 36}..."),
        ({"count": ""}, ".petitionsView_count .counter: found nothing"),
        ({"category": ""}, "카테고리: expected a known category, found ''"),
        ({"word": ""}, ".petitionsView_progress h4: found nothing"),
        ({"begin": ""}, "청원시작: expected YYYY-MM-DD, found ''"),
    ],
)
def test_a_message_tells_what_was_expected_and_what_was_found(changes, said):
    with pytest.raises(ParseError) as caught:
        read(bluehouse_page(**changes))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("petitionsView_left cs", ".petitionsView_left: found nothing"),
        ("petitionsView_progress", ".petitionsView_progress h4: found nothing"),
        ("petitionsView_title wv", ".petitionsView_title: found nothing"),
        ("counter", ".petitionsView_count .counter: found nothing"),
        ("petitionsView_info_list", ".petitionsView_info_list: found nothing"),
        ("petitionsView_writeHead", ".View_write under"),
        ("View_write", ".View_write under"),
    ],
)
def test_a_class_with_another_name_is_named(part, named):
    page = bluehouse_page().replace(f'class="{part}"'.encode(), b'class="renamed"')
    with pytest.raises(ParseError) as caught:
        read(page)
    assert str(caught.value).startswith(f"{URL}: {named}")


def test_no_title_or_body_stands_in_a_message():
    for changes in ({"count": "x"}, {"category": "x"}, {"word": "x"}, {"begin": "x"}, {"title": TITLE * 40}):
        with pytest.raises(ParseError) as caught:
            read(bluehouse_page(**changes))
        assert TITLE not in str(caught.value)
        assert "가로등" not in str(caught.value)


@pytest.mark.parametrize("make", [bluehouse_page, hidden_page])
def test_a_page_about_another_petition_is_refused_and_its_own_is_read(make):
    with pytest.raises(ParseError, match="meta og:url: expected petition 581762, found 581763"):
        SITE.parse_detail(make(own_url="https://site.test/petitions/581763?x=1"), URL, "581762")
    for own_url in ("https://www1.site.test/petitions/581762", "https://site.test/", ""):
        SITE.parse_detail(make(own_url=own_url), URL, "581762")


@pytest.mark.parametrize(
    "notice",
    [
        # of 2019, then of 2020
        "청원 요건에 위배되어 관리자에 의해 비공개된 청원입니다.",
        "사전동의 100명 이상의 요건을 충족하였으나, <br>청원 요건에 위배되어 관리자에 의해 비공개된 청원입니다.",
    ],
)
def test_both_known_sentences_of_a_hidden_page_mean_hidden(notice):
    assert SITE.parse_detail(hidden_page(notice), URL, "581762") == HiddenPage(source_id="581762")


def test_nothing_of_the_right_column_is_read():
    page = bluehouse_page().decode()
    left, _, right = page.partition('<div class="petitionsView_left cs">')
    aside = '<div class="right"><div class="wvcontents">비공개</div><h3 class="petitionsView_title">남</h3></div>'
    petition = read(f'{left}{aside}<div class="petitionsView_left cs">{right}'.encode())
    assert (petition.title, petition.body) == (TITLE, BODY_TEXT)
    assert SITE.find_petition(petition.url) == "581762"


@pytest.mark.parametrize(
    "markup",
    [
        "<!-- x --><script>alert(1)</script>",
        "<style>b { color: red }</style>",
        '<iframe src="https://x.test"><b>x</b></iframe>',
        "<noscript><b>x</b></noscript>",
        '<svg onload="x()"><style><b>x</b></style></svg>',
        "<textarea><b>x</b></textarea><xmp><b>x</b></xmp>",
        "<![CDATA[x]]><?x x ?>",
        '<a href="javascript:x()" title="&lt;b&gt;"></a><img src=x onerror="x()"><b<i></b<i>',
        "<b<script></b>",
    ],
)
def test_markup_of_a_page_never_becomes_text(markup):
    petition = read(bluehouse_page(title=f"가로등{markup}", body=f"밤길이{markup} 어둡습니다."))
    assert petition.body == "밤길이 어둡습니다."
    assert petition.title == "가로등"


def test_what_a_page_shows_as_text_stays_text_and_is_decoded_once():
    written = "&lt;b&gt;밤길&lt;/b&gt; &amp;lt;script&amp;gt; <개정 2018. 4. 17.> a &lt; b"
    assert read(bluehouse_page(body=written)).body == "<b>밤길</b> &lt;script&gt; <개정 2018. 4. 17.> a < b"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<b>" * 10_001, "tags, over the limit of 10000"),
        ("<div>" * 200 + "x", "nested deeper than 100"),
        ("가" * 200_001, "over the limit of 200000 characters"),
        ("가\0", "expected text in UTF-8"),
    ],
)
def test_a_page_beyond_all_real_ones_is_refused_before_it_is_built(body, said):
    with pytest.raises(ParseError, match=said):
        read(bluehouse_page(body=body))


def test_a_tag_with_very_many_attributes_is_read_at_once():
    attributes = " ".join(f"a{number}" for number in range(300_000))  # lxml builds a tree of it in minutes
    assert read(bluehouse_page(body=f"밤길<b {attributes}>이</b>")).body == "밤길이"


def test_an_element_whose_name_is_no_word_has_no_class_that_counts():
    for begin in ("<o:p", "<my-x", "<b<div"):
        petition = read(bluehouse_page(body=f'밤길이{begin} class="wvcontents"> 어둡</o:p></my-x>습니다.'))
        assert petition.body == "밤길이 어둡습니다."


def test_how_letters_are_read_is_part_of_a_body_alone():
    written = "가로<ruby>等<rt>등</rt></ruby> 설치"
    petition = read(bluehouse_page(title=written, body=written))
    assert (petition.title, petition.body) == ("가로 等 설치", "가로等등 설치")


def test_signs_that_no_xml_holds_are_read_as_they_stand():
    assert read(bluehouse_page(body="밤길\x0b이\x01 어둡\ufffe습니다", title="가로\x08등")).title == "가로\x08등"


def test_a_column_that_never_ends_is_read_to_its_last_text():
    page = bluehouse_page().replace(b"<section", b"</html><section")
    assert read(page[: page.rindex("가로등을".encode())]).body == "밤길이 어둡습니다."


def test_the_value_of_a_fact_stands_around_its_label_however_deep_that_is():
    page = bluehouse_page(category="안전<span>/<i><p class='x'>카테고리</p></i></span>환경")
    assert read(page.replace("<li><p>카테고리</p>".encode(), b"<li>")).category == "안전/환경"


def test_a_list_row_may_hold_thousands_commas_and_a_number_that_is_no_id():
    (entry,) = SITE.parse_list(bluehouse_list("581762"), URL).entries
    assert (entry.source_id, entry.begins_on) == ("581762", date(2019, 8, 1))


def test_a_list_with_wrong_keys_names_them():
    with pytest.raises(ParseError, match=r"expected keys status \(ok\) and item \(an array\), found 'state items'"):
        SITE.parse_list(b'{"state": "ok", "items": []}', URL)
