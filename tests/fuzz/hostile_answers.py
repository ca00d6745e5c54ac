"""Answers of 5 MB, the most that the crawl takes in, each made to be slow in one step of a parser or of the masks."""

import json
from collections.abc import Iterator

from invented_pages import assembly_row, bluehouse_page

SIZE = 5_000_000
BODY = b"THE BODY STANDS HERE"
PAGE = bluehouse_page(body=BODY.decode())
ROW = json.dumps(assembly_row(petitCn=BODY.decode())).encode()

_MARKUP = (
    b"<b>", b"<div>", b"<p>", b"<br>", b"<br />\n", b"<", b">", b"</div>", b"<!--", b"<!-- -->", b"<![CDATA[", b"<?",
    b"</", b'<a x="', b"<a x=", b"<a ", b"<br ", b"<b></b>", b"<a><b><i><font><p>", b"<script>", b"<script></script>",
    b"<style>", b"<table><tr><td>", b"<ul><li>", b"<svg><style>", b"<select><option>", b"<title>", b"<textarea>",
    b"<plaintext>", b'<div class="petitionsView_left">', b'<div class="View_write">', b'<li><p>x</p>',
    b'<div class="wvcontents">', b'<div class="petitionsView_writeHead">',
    b'<meta property="og:url" content="/petitions/1">', b"<<b>b>",
)  # fmt: skip
_TEXT = (
    b"x", b" ", b"\n", b"\t ", b"&amp;", b"&", b"&lt;", b"&#0;", b"&#x41;", b"&amp;amp;", b"\xe3\x85\xa4",
    b"\xea\xb0\x80", b"0", b"010-", b"010 ", b"02) ", b"+82 ", b"1588", b"800101-", b"8001011", b"a@", b"a.", b"@a.a",
    b"@", b"a@a.", b"%", b'"petrNm" : ', b'"petrNm": \\"', b"petrNm", b"-", b"(0", b"8 ", b"\xef\xbc\xa0", b"1,",
    b"2019-08-01 ",
)  # fmt: skip
_JSON = {
    "numbers": b"1,", "floats": b"1e9,", "rows": b"{},", "lists": b"[],", "nulls": b"null,", "texts": b'"",',
    "tags": b'"<b>",', "petitioners": b'{"petrNm":"x"},', "long numbers": b"9" * 4_299 + b",",
    "phones": b'"010-1234-5678",', "infinite": b"1e999,", "ids": b'{"petitId":1},',
    "numbers of petitions": b'{"id":1},', "names": b'{"id":{"a":[[[1]]]}},',
    "good rows": b'{"id":"1","created":"2019-08-01"},', "lone halves": b'"\\ud800",', "pairs": b'"\\ud83d\\ude00",',
}  # fmt: skip


def make_hostile_answers() -> Iterator[tuple[str, bytes]]:
    """Give name and answer, one after the other."""
    for unit in (*_MARKUP, *_TEXT):
        yield f"all {unit!r}", unit * (SIZE // len(unit))
        yield f"page of {unit!r}", _fill(PAGE, unit)
        if unit.count(b"<"):  # as many as pass the first limit, and more than lxml's own depth
            yield f"page of 9,000 {unit!r}", PAGE.replace(BODY, unit * (9_000 // unit.count(b"<")))
            yield f"page of 60 {unit!r}", PAGE.replace(BODY, unit * 60 + b"x" * 100_000)
        text = json.dumps(unit.decode())[1:-1].encode()
        yield f"text of {unit!r}", _fill(ROW, text)
        yield f"text of 200 kB {unit!r}", ROW.replace(BODY, text * (190_000 // len(text)))
    for name, unit in _JSON.items():
        row = b"[" + unit * (SIZE // len(unit)) + b"null]"
        yield f"list of {name}", row
        yield f"item of {name}", b'{"status":"ok","item":' + row + b"}"
        yield f"list of 9,999 {name}", b"[" + b",".join([unit.rstrip(b",")] * min(9_999, SIZE // len(unit))) + b"]"
    yield "nested lists", b"[" * (SIZE // 2) + b"]" * (SIZE // 2)
    yield "nested objects", b'{"a":' * 900_000 + b"1" + b"}" * 500_000
    yield "nested to the limit of the reader", b'[{"petitId":' + b"[" * 900 + b"]" * 900 + b"}]"
    yield "one key many times", b"{" + b'"petitId":1,' * 400_000 + b'"petitId":1}'
    yield "many keys", b"{" + b",".join(b'"k%d":1' % number for number in range(400_000)) + b"}"
    yield "a number", b"9" * SIZE
    yield "a fraction", b'[{"agreCo":0.' + b"0" * (SIZE - 20) + b"1}]"
    yield "an exponent", b'[{"agreCo":1e' + b"9" * (SIZE - 20) + b"}]"
    yield "escapes", b'["' + b"\\u0041" * 800_000 + b'"]'
    yield "an attribute", PAGE.replace(BODY, b'<a title="' + b"x" * SIZE + b'">x</a>')
    yield "a name", PAGE.replace(BODY, b"<" + b"a" * SIZE + b">")
    yield "many attributes", _attributes(b'<a class="%d" ', range(600_000), b" a%d=1")
    yield "one attribute", _attributes(b"<a %d ", range(1_200_000), b" a=1")
    yield "many classes", PAGE.replace(BODY, b'<a class="' + b"petitionsView_left " * 200_000 + b'">x</a>')
    yield "UTF-16", json.dumps([assembly_row()] * 1_000).encode("utf-16")
    yield "byte-order mark", b"\xef\xbb\xbf" + ROW
    yield "NUL", PAGE.replace(BODY, b"\0" * SIZE)
    yield "all bytes", bytes(range(256)) * (SIZE // 256) + b"</html>"


def _fill(answer: bytes, unit: bytes) -> bytes:
    return answer.replace(BODY, unit * ((SIZE - len(answer)) // len(unit)))


def _attributes(begin: bytes, numbers: range, attribute: bytes) -> bytes:
    written = b"".join(attribute % number if b"%" in attribute else attribute for number in numbers)
    return PAGE.replace(BODY, begin % 0 + written + b">x</a>")
