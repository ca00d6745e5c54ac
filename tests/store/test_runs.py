"""The state of a run follows from its steps, and what a step failed by stays told until the step is tried again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from invented import BERT, LATER, MONDAY, RUN, TUESDAY, WINDOW, make_petitions, write_all
from petitions.errors import CheckFailedError, ConfigError, FetchError, PermanentError, WeightsError
from petitions.records import Source
from petitions.store.check_results import plan_results, read_checks, write_check
from petitions.store.checks import CheckResult, PlannedCheck, Rule
from petitions.store.parts import Part
from petitions.store.runs import (
    StepResult,
    begin_run,
    begin_step,
    fail_step,
    forget_failures,
    read_failure,
    read_made_by,
    read_model_id,
    record_model,
    record_step,
)

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
DONE = StepResult(rows_in=12, rows_out=12, seconds=0)
NIGHT = ("crawl", "tokenize", "fit_topics", "encode bert", "score bert", "similarity bert")


@pytest.fixture
def run(conn):
    begin_run(conn, Source("sample"), WINDOW)
    return conn


def take_steps(conn, *steps: str, at=MONDAY) -> None:
    """Each step begins a minute after the one before, and takes half of it."""
    for place, step in enumerate(steps):
        begun = at + timedelta(minutes=place)
        begin_step(conn, RUN, step, at=begun)
        record_step(conn, RUN, step, DONE, at=begun + timedelta(seconds=30))


def tell(conn, columns: str = "state, error") -> tuple:
    return tuple(conn.execute(text(f"SELECT {columns} FROM petitions.recent_run WHERE run_id = '{RUN}'")).one())


def test_what_a_step_failed_by_stays_told_while_a_sibling_goes_on(run):
    begin_step(run, RUN, "fit_topics", at=MONDAY)
    begin_step(run, RUN, "encode bert", Part(number=0, n_parts=8), at=MONDAY)
    assert tell(run) == ("running", None)
    fail_step(run, RUN, "fit_topics", CheckFailedError("the last one stays"), at=LATER)
    begin_step(run, RUN, "encode bert", Part(number=1, n_parts=8), at=LATER)
    record_step(run, RUN, "encode bert", DONE, Part(number=0, n_parts=8), at=LATER + timedelta(hours=1))
    told = ("failed", "fit_topics: CheckFailedError: the last one stays")
    assert tell(run) == told
    assert tell(run, "finished_at") == (LATER,)
    freshness = text("SELECT failed_run_id, failed_at, error FROM petitions.data_freshness")
    assert run.execute(freshness).one() == (RUN, LATER, told[1])
    begin_step(run, RUN, "fit_topics", at=TUESDAY)
    assert tell(run) == ("running", None), "it is tried again"


def test_a_run_is_checked_and_published_until_one_of_its_steps_begins_again(run):
    take_steps(run, *NIGHT)
    assert tell(run) == ("running", None)
    take_steps(run, "check", at=LATER)
    assert tell(run) == ("checked", None)
    take_steps(run, "publish", at=LATER + timedelta(minutes=1))
    assert tell(run) == ("published", None)
    record_step(run, RUN, "publish", StepResult(rows_in=1, rows_out=0, seconds=0, is_skipped=True), at=LATER)
    assert tell(run) == ("checked", None), "readers keep a later window"
    take_steps(run, "fit_topics", at=TUESDAY)
    assert tell(run) == ("running", None), "what was checked is another fit"


def test_a_run_starts_when_its_crawl_does_and_ends_with_its_last_step(run):
    take_steps(run, *NIGHT, "check", "publish")
    assert tell(run, "started_at, finished_at") == (MONDAY, MONDAY + timedelta(minutes=7, seconds=30))
    begin_step(run, RUN, "crawl", at=TUESDAY)
    assert tell(run, "state, started_at, finished_at") == ("running", TUESDAY, None)


def test_the_error_of_a_part_is_told_with_its_step_its_part_and_its_message(run):
    part = Part(number=2, n_parts=8)
    fail_step(run, RUN, "encode bert", WeightsError("no weights in /nowhere"), part, at=MONDAY)
    assert tell(run) == ("failed", "encode bert 3/8: WeightsError: no weights in /nowhere")
    columns = "failed_step, failed_part, error_kind, error_message"
    assert tell(run, columns) == ("encode bert", "3/8", "WeightsError", "no weights in /nowhere")
    query = text("SELECT step, part, state, error_kind, error_message FROM petitions.run_step")
    assert run.execute(query).all() == [("encode bert", "3/8", "failed", "WeightsError", "no weights in /nowhere")]


def test_a_message_is_one_line_of_500_characters(run):
    fail_step(run, RUN, "crawl", FetchError("the site\nis down " + "x" * 1000), at=MONDAY)
    (message,) = tell(run, "error_message")
    assert (message[:20], len(message)) == ("the site is down xxx", 500)


def test_the_numbers_of_a_step_are_those_of_its_parts_and_stay_until_it_is_done_again(run):
    parts = [Part(number=number, n_parts=8) for number in range(8)]
    for part in parts[:2]:
        made = StepResult(rows_in=3, rows_out=2, seconds=1.23456, made_by=BERT)
        record_step(run, RUN, "encode bert", made, part, at=MONDAY)
    begin_step(run, RUN, "encode bert", parts[1], at=LATER)
    (steps,) = tell(run, "steps")
    assert steps == [{"step": "encode bert", "rows_in": 6, "rows_out": 4, "seconds": 2.47, "made_by": BERT}]
    begin_step(run, RUN, "encode bert", at=TUESDAY)
    assert tell(run, "steps") == ([],), "another division of the window"


def test_steps_are_told_in_the_order_in_which_a_night_takes_them(run):
    night = ["crawl", "tokenize", "find_copies", "fit_topics", "encode bert", "encode elmo", "score bert", "check"]
    take_steps(run, *reversed(night))
    (steps,) = tell(run, "steps")
    assert [step["step"] for step in steps] == night


def test_a_failure_of_a_part_is_remembered_until_the_step_is_planned_or_the_part_done(run):
    parts = [Part(number=number, n_parts=8) for number in range(8)]
    for part in parts[:2]:
        fail_step(run, RUN, "encode bert", WeightsError("damaged"), part, at=MONDAY)
    assert read_failure(run, RUN, "encode bert", parts[0]) == "WeightsError"
    record_step(run, RUN, "encode bert", DONE, parts[0], at=LATER)
    assert read_failure(run, RUN, "encode bert", parts[0]) is None
    forget_failures(run, RUN, "encode bert", 8)
    assert read_failure(run, RUN, "encode bert", parts[1]) is None


def test_parts_by_different_weights_are_told_apart(run):
    for number, name in enumerate((BERT, "other@000000000000")):
        made = StepResult(rows_in=0, rows_out=0, seconds=0, made_by=name)
        record_step(run, RUN, "encode bert", made, Part(number=number, n_parts=2), at=MONDAY)
    with pytest.raises(ConfigError, match=f"'encode bert' .* are by {BERT} and other@000000000000: redo it"):
        read_made_by(run, RUN, "encode bert")


def test_workers_at_64_parts_do_not_wait_for_each_other(engine):
    with engine.begin() as conn:
        begin_run(conn, Source("sample"), WINDOW)

    def work(number: int) -> None:
        part = Part(number=number, n_parts=64)
        with engine.begin() as conn:
            conn.execute(text("SET LOCAL lock_timeout = '100ms'"))
            begin_run(conn, Source("sample"), WINDOW)
            begin_step(conn, RUN, "encode bert", part, at=MONDAY)
            conn.execute(text("SELECT pg_sleep(0.2)"))  # longer than anybody would wait for its row
            record_step(conn, RUN, "encode bert", DONE, part, at=LATER)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(work, range(64)))
    with engine.connect() as conn:
        assert tell(conn, "steps")[0][0]["rows_in"] == 64 * 12


def test_a_run_that_is_not_there_is_named(conn):
    with pytest.raises(PermanentError, match="pipeline_step_run_id_pipeline_run_fkey"), conn.begin_nested():
        record_step(conn, "none", "crawl", DONE, at=MONDAY)
    for act in (lambda: read_model_id(conn, "none"), lambda: read_made_by(conn, "none", "crawl")):
        with pytest.raises(ConfigError, match="run none"):
            act()


def test_the_last_fit_of_a_run_is_known(run):
    record_model(run, RUN, "fit-1")
    assert read_model_id(run, RUN) == "fit-1"


def test_a_check_that_is_planned_has_not_passed_and_an_equal_outcome_is_left_alone(conn):
    write_all(conn, make_petitions(3))
    rule = Rule(name="any", sql="SELECT 1", at_least=1)
    planned = [PlannedCheck(name=name, rule=rule, values={}) for name in ("petitions", "vectors")]
    of_bert = PlannedCheck(name=f"any {BERT}", rule=rule, values={}, encoder=BERT)
    plan_results(conn, "fit-1", [*planned, of_bert], at=MONDAY)
    assert [item.passed for item in read_checks(conn, "fit-1")] == [False] * 3
    passed = CheckResult(name="petitions", value=12, limit="at least 1", passed=True)
    failed = CheckResult(name="vectors", value=float("nan"), limit="at most 0", passed=False)
    for result, is_news in ((passed, True), (passed, False), (failed, True), (failed, False)):
        assert write_check(conn, "fit-1", result, at=TUESDAY) == is_news
    plan_results(conn, "fit-1", planned[:1], at=TUESDAY)
    names = [item.name for item in read_checks(conn, "fit-1")]
    assert names == [f"any {BERT}", "petitions"], "and the one of an encoder that is not asked for now"
    with pytest.raises(ConfigError, match="no check 'vectors' of fit-1 is planned"):
        write_check(conn, "fit-1", failed, at=TUESDAY)
