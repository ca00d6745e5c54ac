"""The functions of search give a defined answer, or one clear line, to whatever they are asked."""

import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.errors import PermanentError
from petitions.records import Source
from petitions.store.publishing import publish
from rows import write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
HYBRID = text("""
    SELECT right(petition_id, 1) FROM petitions.search_petitions_hybrid(
        CAST(:words AS text[]), NULL, :k, :category, :status, of_source => :source, question => :question)
""")
SYNTAX = [
    "'; DROP TABLE petitions.petition; --",
    "급식 & (신호등 | !건널목):*",
    "{a,b}",
    '"급식" <-> ',
    "%_\\",
    "$$",
    "NULL",
]


@pytest.fixture(params=[False, True], ids=["words not counted", "words counted"])
def four(conn, request):
    write_all(conn, make_petitions(4))
    write_words(conn, Source("sample"), [["급식", "법", "617"], ["신호등"], ["급식"], ["신호등", "건널목"]])
    publish(conn, "fit-1", [BERT], at=MONDAY)
    if request.param:
        conn.execute(text("SELECT petitions.count_words(1)"))
    return conn


def find(conn, words, question=None, k=10, **filters) -> list[str]:
    bound = {"category": None, "status": None, "source": None, **filters}
    return list(conn.execute(HYBRID, {"words": words, "question": question, "k": k, **bound}).scalars())


@pytest.mark.parametrize("question", [None, "", " \t\n", "😀😀", "가" * 10_000])
def test_what_nobody_has_finds_nobody(four, question):
    for words in (None, [], [""], [None], ["😀"], ["가" * 10_000], ["없는낱말"] * 5_000, SYNTAX):
        assert find(four, words, question) == []


def test_syntax_is_letters(four):
    for question in SYNTAX:
        assert find(four, [question], question) == []
        assert sorted(find(four, [question, "급식"], question)) == ["1", "3"]


def test_one_letter_is_a_word_or_a_letter(four):
    assert find(four, ["법"]) == ["1"]
    assert len(find(four, ["등"], "등")) == 4, "of 신호등, in each title"
    assert find(four, ["등"]) == []


@pytest.mark.parametrize(
    "unknown", [{"category": "없는 분류"}, {"status": "lost"}, {"source": "senate"}, {"category": ""}]
)
def test_an_unknown_category_status_or_source_has_no_petitions(four, unknown):
    assert find(four, ["급식"], "급식", **unknown) == []


def test_as_many_as_asked_for_or_all_there_are(four):
    assert find(four, ["급식"], k=0) == []
    assert len(find(four, ["급식"], k=1)) == 1
    assert len(find(four, ["급식"], k=None)) == len(find(four, ["급식"], k=1_000_000)) == 2


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("search_petitions_hybrid(ARRAY['급식'], NULL, -1)", "LIMIT must not be negative"),
        ("search_petitions_hybrid(ARRAY['급식'], NULL, vector_weight => 'NaN')", "from 0 to 1000000, got NaN"),
        ("search_petitions_hybrid(ARRAY['급식'], NULL, vector_weight => -1)", "from 0 to 1000000, got -1"),
        ("similar_petitions('sample:a-001', vector_weight => 'Infinity')", "from 0 to 1000000, got Infinity"),
        ("similar_petitions('sample:none')", "no published petition is called sample:none"),
        ("similar_petitions('''; --')", "no published petition is called '; --"),
        ("similar_petitions(NULL)", "no published petition is called"),
        ("search_petitions('[1,2]')", "no published encoder gives vectors of 2 numbers"),
        ("search_petitions(NULL)", "no published encoder gives vectors of"),
        ("search_petitions('[1,0,0,0]', encoder => 'other@1')", "the vector is by other@1"),
    ],
)
def test_what_cannot_be_is_one_clear_line(four, call, told):
    with pytest.raises(PermanentError, match=told):
        four.execute(text(f"SELECT * FROM petitions.{call}"))
