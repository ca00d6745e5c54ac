"""Every example of docs/queries.md over invented petitions, asked by a reader, with the answer that stands there."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from copied import write_copies
from invented import BERT, ELMO, MONDAY, PETITION, RUN, TUESDAY, WINDOW, make_model, make_shares, make_topics, write_all
from petitions.crawl.place import Place
from petitions.errors import FetchError
from petitions.records import Handling, Source, Window
from petitions.store.check_results import plan_results, write_check
from petitions.store.checks import CheckResult, PlannedCheck, Rule
from petitions.store.crawl_progress import begin_crawl, write_place
from petitions.store.handling import record_handling
from petitions.store.labels import GivenLabels, upsert_labels
from petitions.store.petitions import read_texts, record_agreements, upsert_petitions
from petitions.store.publishing import publish
from petitions.store.runs import StepResult, begin_run, begin_step, fail_step, record_step
from petitions.store.senses import WordSense, WordSenses, upsert_senses
from petitions.store.tokens import PetitionTokens, upsert_tokens
from petitions.store.topics import TopicEvent, write_topic_model
from rows import write_words

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

DOCUMENT = Path(__file__).parents[2] / "docs" / "queries.md"
EXAMPLE = re.compile(r"```sql\n([^`]+)\n```\n\n((?:\|.*\n)+)")
SCORER, MODERATION = "category@0123456789ab", "moderation-words@0123456789ab"
MAY = Window(since=date(2024, 3, 1), until=date(2024, 6, 1))

CROSSING = "아침마다 아이들이 차를 피해 길을 건넙니다. 학교 앞에 신호등이 하나 있으면 모두 안심하고 다닐 수 있습니다."
KITCHEN = "급식 조리실은 연기가 빠지지 않아 일하는 분들이 늘 기침을 합니다. 환기 시설을 새로 놓아 주시기 바랍니다."
KITCHEN_AGAIN = "학교 급식 조리실은 연기가 빠지지 않아 일하는 분들이 자주 기침을 합니다. 환기 시설을 새로 놓아 주세요."
TRAITS = (  # the main topics are 건널목, 급식, 주택, 건널목, ...
    ("학교 앞 건널목에 신호등을 놓아 주세요", CROSSING, "교통", 12, date(2024, 4, 3)),
    ("급식에 제철 과일을 넣어 주세요", "아이들이 과일을 먹기 어렵습니다.", "교육", 30, date(2024, 4, 10)),
    (
        "전세 보증금을 지켜 주세요",
        "국토부와 수원시가 나서 주세요.",
        "주거",
        250,
        date(2024, 4, 17),
    ),
    ("골목 앞 건널목을 다시 칠해 주세요", "흰 줄이 지워져 보이지 않습니다.", "교통", 8, date(2024, 5, 8)),
    ("급식 조리실에 환기 시설을 놓아 주세요", KITCHEN, "교육", 90, date(2024, 5, 15)),
    ("빈집을 청년에게 빌려 주세요", "마을에 빈집이 많습니다.", "주거", 45, date(2024, 5, 22)),
    ("학교 앞 건널목에 신호등을 놓아 주세요!!", CROSSING, "교통", 3, date(2024, 6, 5)),
    ("급식 조리실의 환기 시설을 바꾸어 주세요", KITCHEN_AGAIN, "안전", 60, date(2024, 6, 10)),
    ("임대 주택의 곰팡이를 없애 주세요", "벽지를 갈아도 다시 생깁니다.", "주거", 20, date(2024, 5, 29)),
    (
        "밤에도 보이는 건널목을 만들어 주세요",
        "서울시청에 알렸지만 어둡습니다.",
        "안전",
        5,
        date(2024, 6, 17),
    ),
    ("급식실의 소음을 재어 주세요", "소리가 커서 귀가 아픕니다.", "교육", 15, date(2024, 6, 20)),
    ("층간 소음 기준을 높여 주세요", "밤마다 잠을 이루지 못합니다.", "주거", 70, date(2024, 5, 30)),
)
PETITIONS = [
    replace(
        PETITION,
        source_id=f"a-{number:03d}",
        title=title,
        purpose="",
        body=body,
        category=category,
        n_agreements=n_agreements,
        begins_on=begins_on,
        ends_on=begins_on + timedelta(days=30),
        url=f"https://example.org/a-{number:03d}",
    )
    for number, (title, body, category, n_agreements, begins_on) in enumerate(TRAITS, start=1)
]
REFERRED = Handling(
    state_code="CMIT_FRWRD", state_name="위원회회부", result_code="CMIT_JDGING", result_name="위원회심사",
    committee_code="9700006", committee_name="국토교통위원회", bill_id="PRC_A2B4", is_pending=True,
)  # fmt: skip
DECIDED = replace(REFERRED, result_code="ALTRV_DSUSE", result_name="대안반영폐기", is_pending=False)
COURSES = {  # of three petitions, from which day on the site says so
    2: ((date(2024, 5, 20), REFERRED), (date(2024, 6, 24), DECIDED)),
    4: ((date(2024, 6, 20), replace(REFERRED, committee_name="교육위원회", bill_id="PRC_C6D8")),),
    11: ((date(2024, 6, 30), Handling(state_code="PETIT_FORMATN", state_name="청원성립", is_pending=True)),),
}
BIRTHS = [TopicEvent(kind="born", topic_id=number) for number in (1, 2, 3)]
EVENTS = [
    TopicEvent(kind="continued", topic_id=1, from_model_id="fit-0", from_topic_id=1, distance=0.1, overlap=0.75),
    TopicEvent(kind="split", topic_id=2, from_model_id="fit-0", from_topic_id=1, distance=0.4, overlap=0.25),
    TopicEvent(kind="born", topic_id=3),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A query of the document and the lines of the table below it."""

    query: str
    answer: list[str]


EXAMPLES = [
    Example(query=query, answer=answer.splitlines())
    for query, answer in EXAMPLE.findall(DOCUMENT.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def reader(shared_engine):
    with shared_engine.connect() as conn, conn.begin() as transaction:
        write_sample(conn)
        conn.execute(text("SET LOCAL ROLE petition_reader"))
        yield conn
        transaction.rollback()


def write_sample(conn) -> None:
    """Twelve petitions, what became of three of them, two published fits, and a run that failed."""
    upsert_petitions(conn, PETITIONS, seen_at=MONDAY)
    for day, thirds in ((27, 1), (28, 2), (30, 3)):
        known = [replace(item, n_agreements=item.n_agreements * thirds // 3) for item in PETITIONS]
        record_agreements(conn, known, seen_on=date(2024, 6, day))
    ids, shares = [item.petition_id for item in PETITIONS], make_shares(len(PETITIONS))
    shares[-1] = 0.1, 0.4, 0.5  # the noise between floors is heard in kitchens too
    before = make_model("fit-0", run_id=begin_run(conn, Source("sample"), MAY), window=MAY)
    begin_step(conn, before.run_id, "crawl", at=MONDAY - timedelta(days=30))
    write_topic_model(conn, before, make_topics("(5월)"), BIRTHS, ids, shares)
    publish(conn, "fit-0", [BERT], at=MONDAY - timedelta(days=30))
    write_place(
        conn, Source("sample"), WINDOW, Place(stage="done"), begin_crawl(conn, Source("sample"), WINDOW, at=MONDAY)
    )
    write_all(conn, PETITIONS)
    write_topic_model(conn, make_model(), make_topics(), EVENTS, ids, shares)
    tokens = [
        PetitionTokens(
            petition_id=item.petition_id,
            tokenizer="mecab-1",
            content_hash=item.content_hash,
            tokens=re.findall(r"\w+", f"{item.title} {item.body}"),
        )
        for item in read_texts(conn, Source("sample"), WINDOW)
    ]
    upsert_tokens(conn, tokens)
    write_words(conn, Source("sample"), [item.tokens for item in tokens])
    write_copies(conn)
    given = [
        GivenLabels(
            petition_id=item.petition_id,
            scorer=SCORER,
            content_hash=item.content_hash,
            labels=[("교통", 0.7), ("안전", 0.2)] if "건널목" in item.title else [("교육", 0.6), ("주거", 0.3)],
        )
        for item in read_texts(conn, Source("sample"), WINDOW)
    ]
    given += [
        replace(item, scorer=MODERATION, labels=[("untouched", 1 - share), ("moderated", share)])
        for item in given
        for share in [0.1 + 0.05 * (int(item.petition_id[-3:]) % 7)]
    ]
    upsert_labels(conn, given)
    write_senses(conn)
    publish(conn, "fit-1", [BERT, ELMO, SCORER, MODERATION], at=MONDAY)
    write_outcomes(conn)
    write_run(conn)
    failed = begin_run(conn, Source("sample"), Window(since=date(2024, 5, 1), until=date(2024, 8, 1)))
    fail_step(conn, failed, "crawl", FetchError("the site answers 503"), at=TUESDAY)


def write_outcomes(conn) -> None:
    """Three petitions on their way, and one of another site, whose category is new."""
    for number, course in COURSES.items():
        for day, handling in course:
            item = replace(PETITIONS[number], threshold=50, handling=handling)
            record_handling(conn, [item], seen_on=day)
        upsert_petitions(conn, [item], seen_at=MONDAY)
    odd = {"category": "인공지능/데이터", "category_code": "AIDATA", "category_name": "인공지능/데이터"}
    upsert_petitions(conn, [replace(PETITION, source=Source("assembly"), **odd)], seen_at=MONDAY)


def write_senses(conn) -> None:
    """What a word means, as petitions senses finds it."""
    told = ((6, ("환자", "병원", "진료"), ("a-005",)), (4, ("표시", "반대", "밝히"), ("a-003", "a-006")))
    senses = [
        WordSense(
            share=n / 10,
            n_occurrences=n,
            neighbours=neighbours,
            petition_ids=[f"sample:{name}" for name in names],
        )
        for n, neighbours, names in told
    ]
    found = WordSenses(
        word="의사",
        source=Source("sample"),
        window=WINDOW,
        encoder=f"{BERT}+{ELMO}",
        method="senses-1",
        n_found=10,
        senses=senses,
    )
    upsert_senses(conn, found, at=MONDAY)


def write_run(conn) -> None:
    """What the run of the published fit did, and what its checks found."""
    for step, seconds, made_by in (("publish", 0.5, ""), ("tokenize", 1.5, "mecab-1"), ("encode bert", 8, BERT)):
        record_step(conn, RUN, step, StepResult(rows_in=12, rows_out=12, seconds=seconds, made_by=made_by), at=MONDAY)
    checks = [
        CheckResult(name="petitions_in_window", value=12, limit="at least 1", passed=True),
        CheckResult(name="unit_vectors", value=0, limit="at most 0", passed=True),
    ]
    rule = Rule(name="any", sql="SELECT 1", at_least=1)
    planned = [PlannedCheck(name=item.name, rule=rule, values={}) for item in checks]
    plan_results(conn, "fit-1", planned, at=MONDAY)
    for item in checks:
        write_check(conn, "fit-1", item, at=MONDAY)


def answer(conn, query: str) -> list[str]:
    """The rows as a table of Markdown."""
    result = conn.exec_driver_sql(query)
    rows = [list(result.keys()), ["---"] * len(result.keys()), *result]
    return [f"| {' | '.join(map(show, row))} |" for row in rows]


def show(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.query.split("petitions.")[1].split()[0])
def test_an_example_gives_the_answer_that_the_document_shows(reader, example):
    assert answer(reader, example.query) == example.answer


def test_every_view_and_function_of_readers_has_an_example(reader):
    readable = """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'petitions'::regnamespace AND relkind IN ('v', 'm')
            AND has_table_privilege('petition_reader', oid, 'SELECT')
        UNION
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'petitions'::regnamespace AND has_function_privilege('petition_reader', oid, 'EXECUTE')
    """
    shown = {name for example in EXAMPLES for name in re.findall(r"petitions\.(\w+)", example.query)}
    assert {name for (name,) in reader.exec_driver_sql(readable)} - shown == set()
