import json

import pytest

from petitions.privacy import EMAIL, PHONE, RESIDENT, mask_bytes, mask_text


@pytest.mark.parametrize(
    "number",
    [
        "010-1234-5678", "01012345678", "010.1234.5678", "010 1234 5678", "(02)123-4567", "02-1234-5678",
        "+82-10-1234-5678", "+82 (0)10 1234 5678", "070-1234-5678", "1588-1234", "010–1234–5678", "016-123-4567",
        "031-123-4567", "010 - 1234 - 5678", "010\u22121234\u22125678", "０１０－１２３４－５６７８", "010/1234/5678",
        "010_1234_5678", "010~1234~5678", "010 / 1234 / 5678", "010ㅡ1234ㅡ5678", "010ー1234ー5678",
        "010 · 1234 · 5678", "０１０．１２３４．５６７８", "010\u00a01234\u00a05678",
        "010\u3000-\u30001234\u3000-\u30005678", "(02) - 123 - 4567", "010\u200b-12\u200d34-\ufeff5678",
        "0\ufe0f\u20e31\ufe0f\u20e30\ufe0f\u20e3-1234-5678", "٠١٠-١٢٣٤-٥٦٧٨",
        "1588 \u2212 1234", "（０２）１２３－４５６７", "+８２\u201310\u20131234\u20135678",
    ],
)  # fmt: skip
def test_phone_numbers_are_masked_whatever_stands_around_them(number):
    for around in ("{}", "전화{}입니다", "Tel{}", "tel-{}", "{}-", "({})", "\\n{}", "{}."):
        masked = mask_text(around.format(number))
        assert PHONE in masked
        assert "1234" not in masked
        assert "4567" not in masked
        assert not set(masked) & set("１２３４５６７８١٢٣٤٥٦٧٨")


@pytest.mark.parametrize(
    "text",
    [
        "1592-1598년의 전쟁", "2019-08-01", "2018. 12. 18.", "1,192,049명", "EB0100001234E054B49691C1987F",
        "제2019-0123호", "12-010-1234-5678-9", "https://site.test/view?no=20190123", "100,000,000원", "3.141592653",
        "0.02 1234", "2019/02/2019/2020", "2018~2019", "1588~1592", "1577/1366", "http://site.test/view0505/7048865",
        "제０１０조 제１２３４항", "２０１９．０８．０１", "2019 - 08 - 01", "1,234 - 5,678", "112, 119, 1393",
        "법률 제16272호",
        "2019년 02월 1234명 5678표", "02~2019", "１００，０００，０００원", "view/191231/1234567", "IMG_191231_1234567",
    ],
)  # fmt: skip
def test_other_numbers_stay(text):
    assert mask_text(text) == text


def test_addresses_are_masked_and_what_stands_around_them_stays():
    assert (
        mask_text("메일은hong.gil-dong+x@mail.site.co.kr로, a@b.test 또는 a@b.com.")
        == f"메일은{EMAIL}로, {EMAIL} 또는 {EMAIL}."
    )
    assert mask_text("골뱅이 hong＠site.test") == f"골뱅이 {EMAIL}"
    assert mask_text("골뱅이 hong﹫site．test, ｈｏｎｇ＠ｓｉｔｅ．ｔｅｓｔ") == f"골뱅이 {EMAIL}, {EMAIL}"
    assert mask_text("@모두 3@4 a@b") == "@모두 3@4 a@b"


def test_resident_numbers_are_masked_with_a_hyphen_or_a_right_check_digit():
    assert mask_text("번호-800101-1234567, 800101 - 1******") == f"번호-{RESIDENT}, {RESIDENT}"
    assert mask_text("8001011234560 8001011234561").count(RESIDENT) <= 1
    assert mask_text("801301-1234567") == "801301-1234567"
    for between in (" - ", "\u2212", "－", "ㅡ", "\u200b-"):
        assert mask_text(f"번호 800101{between}1234567.") == f"번호 {RESIDENT}."
    for between in ("/", "~", "_", ".", " / "):
        assert mask_text(f"800101{between}1234567") == f"800101{between}1234567", "two numbers, by the check digit"
        assert mask_text(f"800101{between}1234560 800101{between}1234564").count(RESIDENT) == 1
    assert mask_text("８００１０１－１２３４５６７") == RESIDENT


def test_what_is_not_masked_stays_as_it_is_written():
    text = "｢１２㎡｣\u200b － ㅡ (02) １,２３４ \u00a0e\u0301 👨\u200d👩\u200d👧 {}\u200b끝"
    assert mask_text(text.format("010－1234－5678")) == text.format(PHONE)
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a@b.test1a@b.test",
        "a@b.AA800101-1234567",
        "800101-1******010-1234-5678",
        "800101-1******800101-1234567",
        "a@b.te8001011234560",
    ],
)
def test_what_stands_at_the_end_of_something_masked_is_masked_at_once(text):
    masked = mask_text(text)
    assert mask_text(masked) == masked
    assert not any(sign in masked for sign in ("@", "1234", "5678", "*"))


def test_masking_twice_changes_nothing():
    once = mask_text("010-1234-5678 a@b.test 800101-1234567")
    assert mask_text(once) == once == f"{PHONE} {EMAIL} {RESIDENT}"


def test_a_json_answer_stays_json_and_loses_the_petitioner():
    rows = [{"petitCn": "문의:\nhong@site.test\n010-1234-5678", "petrNm": '김"아무개', "agreCo": 1234, "x": None}]
    for is_ascii in (True, False):
        masked = mask_bytes(json.dumps(rows, ensure_ascii=is_ascii).encode())
        assert json.loads(masked) == [
            {"petitCn": f"문의:\n{EMAIL}\n{PHONE}", "petrNm": None, "agreCo": 1234, "x": None}
        ]


def test_a_json_answer_that_was_cut_loses_the_petitioner_too():
    whole = json.dumps([{"petrNm": "김아무개", "petitCn": "\n010-1234-5678", "y": "z"}], ensure_ascii=False).encode()
    for length in range(len(whole)):
        masked = mask_bytes(whole[:length])
        assert "김".encode() not in masked
        assert b"1234-5678" not in masked


def test_bytes_that_are_no_text_are_kept():
    assert mask_bytes(b"\xff\x00<p>010-1234-5678</p>") == b"\xff\x00<p>" + PHONE.encode() + b"</p>"
    lone = b'{"a": "\\ud800"}'
    assert json.loads(mask_bytes(lone)) == json.loads(lone)


@pytest.mark.parametrize("unit", [b"x", b"0", b"010-", b"a@", b"a.", b'{"petrNm": "', b"800101-"])
@pytest.mark.timeout(120)  # a pattern that backtracks would take hours
def test_five_megabytes_do_not_hang(unit):
    mask_bytes(unit * (5_000_000 // len(unit)))
