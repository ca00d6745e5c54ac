"""Invented answers of both sites for tests, in the shapes that SITES.md tells of."""

import json
from typing import Any

TITLE, BODY = (
    "골목길 가로등을 늘려 주세요",
    "밤길이 어둡습니다.<br />\n\t\t\t가로등을 <b>늘려</b> 주세요 &amp; 고쳐 주세요.",
)
BODY_TEXT = "밤길이 어둡습니다.\n가로등을 늘려 주세요 & 고쳐 주세요."
HEAD = '<div class="petitionsView_writeHead"><h4>{}</h4><div class="writeHead_sns"></div></div>\n'


def bluehouse_page(
    *,
    title: str = TITLE,
    body: str = BODY,
    word: str = "청원진행중",
    category: str = "안전/환경",
    count: str = "1,234",
    begin: str = "2019-08-01",
    end: str = "2019-08-31",
    head: str = "청원내용",
    is_answered: bool = False,
    own_url: str = "",
) -> bytes:
    """A petition's page; the real ones tell their own address in og:url."""
    meta = f'<meta property="og:url" content="{own_url}">' if own_url else ""
    written = HEAD.format(head) + f'<div class="View_write" style="x">\n\t\t\t{body}\t\t\t</div>\n'
    if is_answered:
        video = '<div class="View_write"><iframe src="https://example.org/v"></iframe></div>\n'
        written = HEAD.format("청원답변") + video + written + HEAD.format("답변원고") + "<div>답변입니다.</div>"
    text = f"""<!DOCTYPE html><html><head><meta charset="utf-8">{meta}<title>x</title></head><body>
<section id="cont_view"><div class="petitionsView_left cs"><div class="petitionsView_left_pg">
<div class="petitionsView_progress"><h4>{word}</h4></div>
<h3 class="petitionsView_title wv">{title}</h3>
<h2 class="petitionsView_count">참여인원 : [ <span class="counter">{count}</span>명 ]</h2>
<div class="petitionsView_info"><ul class="petitionsView_info_list">
<li><p>카테고리</p>{category}</li><li><p>청원시작</p>{begin}</li><li><p>청원마감</p>{end}</li>
<li><p>청원인</p>naver - ***</li>
</ul></div>
<div class="petitionsView_write">{written}<ul class="View_write_link"></ul></div></div></div>
<div class="petitionsView_right"><h3 class="petitionsView_title">남의 청원</h3>
<a href="/petitions/999">남의 청원</a></div>
</section></body></html>
"""
    return text.encode()


def hidden_page(notice: str = "청원 요건에 위배되어 관리자에 의해 비공개된 청원입니다.", own_url: str = "") -> bytes:
    """The page of a petition that the administrator hides."""
    text = f'<html><head><meta property="og:url" content="{own_url}"></head><body>'
    text += '<div class="petitionsView_left"><div class="wvcontainer"><div class="wvcontents">'
    return f"{text}<h3>[ 알림 ]</h3><span>{notice}</span></div></div></div></body></html>".encode()


def bluehouse_list(*ids: str, created: str = "2019-08-01") -> bytes:
    """A page of the list call."""
    items = [
        {
            "id": number,
            "paging_id": place,
            "title": TITLE,
            "agreement": "1,234",
            "created": created,
            "finished": "2019-08-31",
        }
        for place, number in enumerate(ids, 70_000)
    ]
    return json.dumps({"status": "ok", "total": str(len(ids)), "page": 1, "paging": "", "item": items}).encode()


def assembly_row(**changes: Any) -> dict[str, Any]:
    """A petition of the Assembly's API."""
    row = {
        "petitId": "0123456789ABCDEFE054B49691C1987F",
        "petitSj": "가로등 설치에 관한 청원",
        "petitCn": "밤길이 어둡습니다.\n「도로법」 <개정 2018. 4. 17.>에 따라 늘려 주세요.",
        "petitObjet": "골목길을 밝힌다.",
        "petitRealmCode": "MSFRTN",
        "petitRealmNm": "재난/안전/환경",
        "sttusCode": "AGRE_PROGRS",
        "resultCode": None,
        "agreCo": 1234,
        "mtzNmpr": None,
        "agreBeginDe": "2024-06-01 00:00:00",
        "agreEndDe": "2024-07-01 23:59:59",
        "petrNm": "김아무개",
    }
    return row | changes
