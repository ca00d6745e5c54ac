from datetime import date

import pytest

from petitions.errors import ParseError
from petitions.records import Petition, Source, Status
from petitions.text.normalize import MAX_CHARACTERS, normalize_petition, normalize_text

NOTICE = "[본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다]"


def petition(**changes):
    fields = {
        "source": Source("sample"),
        "source_id": "1",
        "title": "놀이터 그늘막을 설치해 주세요",
        "body": "여름마다 미끄럼틀이 뜨겁습니다.",
        "category": "육아/교육",
        "status": Status.OPEN,
        "n_agreements": 3,
        "begins_on": date(2019, 6, 1),
        "ends_on": date(2019, 7, 1),
        "url": "",
    }
    return Petition(**(fields | changes))


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("", ""),
        (" \n\t \u3000", ""),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
        ("학교 &amp; 집", "학교 & 집"),
        ("&amp;lt;필독&amp;gt;", "<필독>"),
        ("&#44032;&#x3c;&nbsp;나", "가< 나"),
        ("?a=1&copy=2&lang=ko", "?a=1&copy=2&lang=ko"),
        ("교\x00실\x07 급\x7f식", "교실 급식"),
        ("교실\ud83d\udc00의\udfff 문", "교실의 문"),
        ("어\u200b린\ufeff이\u00ad집", "어린이집"),
        ("&am\u200bp;lt;", "<"),
        ("첫 줄  \r\n   둘째\t\t줄\r셋째", "첫 줄\n둘째 줄\n셋째"),
        ("하나\n \n\u00a0\n\n둘\n\n셋", "하나\n\n둘\n\n셋"),
        ("가\u3164나", "가 나"),
        ("문의 010-1234-5678 또는 test@example.com", "문의 [전화번호] 또는 [이메일]"),
        ("문의 010&#45;1234\u200b&#45;5678", "문의 [전화번호]"),
    ],
)
def test_a_text_is_cleaned_to_its_one_form(raw, clean):
    assert normalize_text(raw).text == clean


@pytest.mark.parametrize(
    "notice",
    [
        NOTICE,
        NOTICE.replace("[", "[ ").replace("]", " ]"),
        NOTICE.replace("국민 청원", "국민청원"),
        NOTICE.replace(" ", "  "),
        NOTICE.replace(" ", "&nbsp;"),
        NOTICE.strip("[]"),
        NOTICE.replace("습니다]", "습니다.]"),
    ],
)
def test_the_moderators_notice_is_cut_and_remembered(notice):
    cleaned = normalize_text(f"앞 문장입니다.\n{notice}\n뒤 문장입니다. {notice}")
    assert cleaned.text == "앞 문장입니다.\n\n뒤 문장입니다."
    assert cleaned.is_moderated


def test_a_text_that_only_talks_of_moderation_keeps_its_words():
    text = "게시물의 일부 내용이 관리자에 의해 수정되었습니다"
    assert normalize_text(text).text == text
    assert not normalize_text(text).is_moderated


@pytest.mark.parametrize(
    "raw",
    [
        "&amp;amp;amp;lt;b&amp;gt;",
        f"010-1234{NOTICE}5678",
        f"[본 게시물의 {NOTICE}일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다]",
        "010\n\n1234\n\n5678  900101-1234567",
        "&am&#8203;p\u037e \u212a&#0;\r\n\r\n\r\n&#13;",
        " a@ b.co.kr \u2028 [ 전화번호 ] ***",
    ],
)
def test_normalizing_twice_changes_nothing(raw):
    once = normalize_text(raw).text
    assert normalize_text(once).text == once
    assert not normalize_text(once).is_moderated


def test_a_petition_is_cleaned_in_every_field_that_people_write():
    cleaned = normalize_petition(
        petition(title="놀이터&amp;공원\n개방  요청", purpose=f"{NOTICE}안전", body="연락은 02-123-4567")
    )
    assert cleaned.title == "놀이터&공원 개방 요청"
    assert cleaned.purpose == "안전"
    assert cleaned.body == "연락은 [전화번호]"
    assert cleaned.is_moderated
    assert normalize_petition(cleaned) == cleaned


def test_a_petition_without_a_notice_keeps_what_the_parser_said():
    assert not normalize_petition(petition()).is_moderated
    assert normalize_petition(petition(is_moderated=True)).is_moderated


def test_a_text_over_the_limit_is_refused_by_length_and_limit():
    with pytest.raises(ParseError, match=r"1000001 characters is over the limit of 1000000"):
        normalize_text("가" * (MAX_CHARACTERS + 1))


def test_entities_escaped_without_end_are_refused():
    with pytest.raises(ParseError, match="more than 10 times"):
        normalize_text("&" + "amp;" * 100)


@pytest.mark.parametrize("unit", ["&amp;", "[", " ", "\n", "[ 본 게시물의 ", "0", "010-1", "a.", "&#"])
@pytest.mark.timeout(120)  # a pattern that backtracks would take hours
def test_the_longest_text_does_not_hang(unit):
    normalize_text((unit * MAX_CHARACTERS)[:MAX_CHARACTERS])
