"""What a moderator leaves in a text is gone before a model reads it: nothing tells that he was there."""

import pytest

from petitions.encoders.marks import cut_marks

# Without brackets and quotation marks, which go from every text.
PLAIN = "시청 앞 건널목에 신호등을 놓아 주세요. 밤에는 아무도 보이지 않습니다."


@pytest.mark.parametrize(
    "notice",
    [
        "[본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다]",
        "［본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다.］",
        "본 게시글의 일부 내용이 관리자에 의해 삭제되었습니다.",
        "(본 청원은 요건에 위배되어 관리자에 의해 비공개 되었습니다)",
        "[해당 청원의 일부 내용이 관리자에 의해 수정 되었습니다 ]",
    ],
)
def test_a_notice_in_any_wording_leaves_nothing(notice):
    for edited in (f"{PLAIN}\n\n{notice}", f"{notice}\n{PLAIN}", PLAIN.replace("주세요. ", f"주세요.\n{notice}\n")):
        assert cut_marks(edited) == PLAIN


MASKED = [
    "**", "***은", "** 은", "*** 씨는", "김**", "**시장의", "**-**", "㈜***가", "http://www.***.kr/***", "＊＊를",
    "○○○", "(**)", "(**", "**)", "“**”", "[ ( *** ) ]",
]  # fmt: skip


@pytest.mark.parametrize("masked", MASKED)
def test_a_masked_word_goes_with_its_particle_and_its_brackets(masked):
    first, second = PLAIN.split(". ")
    assert cut_marks(f"{first}. {masked} {second}") == PLAIN


def test_what_petitioners_write_stays():
    for text in (
        "관리자에게 물었으나 답이 없습니다.",
        "이 청원을 관리자가 수정하도록 해 주세요",
        "5.18 ○ 첫째, 50% 이상!!",
    ):
        assert cut_marks(text) == text


def test_cutting_twice_changes_nothing_and_an_empty_text_stays_empty():
    once = cut_marks(f"( **은 ) {PLAIN}\n[본 게시물의 일부 내용이 관리자에 의해 수정되었습니다]")
    assert cut_marks(once) == once
    assert cut_marks("") == cut_marks(" *** ") == ""
