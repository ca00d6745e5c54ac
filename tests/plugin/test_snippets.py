"""What of a text stands beside a petition that was found."""

import pytest
from topic_browser.snippets import LONGEST, cut_snippet, make_pattern, mark


def marked(pieces) -> list[str]:
    return [text for text, is_found in pieces if is_found]


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        ("건널목에 신호등을", ["신호등", "건널목"], ["건널목", "신호등"]),
        ("GTX-D 노선과 gtx 역", ["GTXD", "GTX"], ["GTX-D", "gtx"]),
        ("민식이 법을", ["민식이법"], ["민식이 법"]),
        ("그 방법은 법이 아니다", ["법"], ["법"]),  # not that of 방법
        ("값은 a+b (c)", ["a+b (c)"], ["a+b (c)"]),
        ("없는 말", ["다른"], []),
        ("말", [], []),
    ],
)
def test_the_words_that_were_looked_for_are_marked(text, words, told):
    pieces = mark(text, make_pattern(words))
    assert marked(pieces) == told
    assert "".join(text for text, _ in pieces) == text


def test_a_snippet_stands_where_most_words_do_and_is_bounded():
    text = "가나다 " * 300 + "건널목 하나 " + "가나다 " * 300 + "건널목에\n신호등이 없다 " + "가나다 " * 300
    pieces = cut_snippet(text, make_pattern(["건널목", "신호등"]))
    told = "".join(text for text, _ in pieces)
    assert marked(pieces) == ["건널목", "신호등"]
    assert len(told) <= LONGEST + 4 and told.startswith("… ") and told.endswith(" …") and "\n" not in told


def test_a_text_without_the_words_gives_its_beginning():
    assert cut_snippet("처음  말\n" + "끝 " * 200, make_pattern(["없음"]))[0][0].startswith("처음 말 끝")
    assert cut_snippet("", make_pattern(["없음"])) == []


def test_a_long_question_takes_no_longer_than_a_short_one():
    words = ["가" * 12 + str(number) for number in range(400)]
    assert marked(cut_snippet("가" * 20_000, make_pattern(words))) == []
