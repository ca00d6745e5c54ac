"""What became of petitions: its history, its codes, and the views over them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from invented import MONDAY, WINDOW, make_petitions
from petitions.records import Handling, Source, Status, korean_day
from petitions.sources.assembly_codes import CODES
from petitions.steps.crawl import write_batch
from petitions.store.checks import CheckResult, plan_checks, run_check
from petitions.store.handling import read_pending, read_unknown_codes

pytestmark = pytest.mark.postgres

ASSEMBLY = Source("assembly")
REFERRED = Handling(
    state_code="CMIT_FRWRD", result_code="CMIT_JDGING", result_name="위원회심사", stage_code="JS0001",
    committee_code="9700006", committee_name="법제사법위원회", bill_id="PRC_1", is_pending=True,
)  # fmt: skip
DECIDED = replace(REFERRED, result_code="ALTRV_DSUSE", result_name="대안반영폐기", is_pending=False)
PETITION = replace(
    make_petitions(1)[0], source=ASSEMBLY, category="교육", category_code="EDC", category_name="교육",
    n_agreements=50_123, threshold=50_000, status=Status.OPEN, handling=Handling(state_code="AGRE_PROGRS"),
)  # fmt: skip


def write(conn, *petitions, days=0):
    at = MONDAY + timedelta(days=days)
    write_batch(conn, petitions, seen_at=at, seen_on=korean_day(at))


def read_history(conn):
    query = "SELECT seen_on - :first AS day, state_code, result_code FROM petitions.petition_handling ORDER BY 1"
    return [tuple(row) for row in conn.execute(text(query), {"first": korean_day(MONDAY)})]


def read_outcome(conn):
    return dict(conn.execute(text("SELECT * FROM petitions.petition_outcome")).mappings().one())


def test_each_change_has_one_row_by_the_day_we_first_saw_it(conn):
    for days, handling in (
        (0, PETITION.handling),
        (1, PETITION.handling),
        (30, REFERRED),
        (37, REFERRED),
        (90, DECIDED),
    ):
        write(conn, replace(PETITION, handling=handling), days=days)
    write(conn, replace(PETITION, handling=DECIDED), days=90)
    assert read_history(conn) == [
        (0, "AGRE_PROGRS", ""),
        (30, "CMIT_FRWRD", "CMIT_JDGING"),
        (90, "CMIT_FRWRD", "ALTRV_DSUSE"),
    ]
    first = korean_day(MONDAY)
    told = read_outcome(conn)
    assert (told["is_reached"], told["threshold"], told["bill_id"]) == (True, 50_000, "PRC_1")
    assert (told["referred_on"] - first, told["result_on"] - first) == (timedelta(days=30), timedelta(days=90))
    assert (told["state"], told["result"], told["stage"]) == ("위원회회부", "대안반영폐기", "위원회 회부")
    assert (told["committee"], told["n_days"], told["is_pending"]) == ("법제사법위원회", 60, False)


def test_of_a_pending_one_the_days_go_on_and_there_is_no_result(conn):
    for days, handling in ((0, PETITION.handling), (30, REFERRED), (44, REFERRED)):
        write(conn, replace(PETITION, handling=handling), days=days)
    told = read_outcome(conn)
    assert (told["result_on"], told["n_days"], told["is_pending"]) == (None, 14, True)


def test_what_the_site_says_of_it_does_not_move_changed_at(conn):
    write(conn, PETITION)
    write(conn, replace(PETITION, handling=REFERRED), days=3)
    changed_at, bill_id = conn.execute(text("SELECT changed_at, bill_id FROM petitions.petition")).one()
    assert (changed_at, bill_id) == (MONDAY, "PRC_1")


def test_a_site_that_says_nothing_has_no_history(conn):
    write(conn, *make_petitions(2))
    assert read_history(conn) == []


def test_referred_petitions_of_any_window_are_due_after_a_week_the_longest_unseen_first(conn):
    old = replace(PETITION, source_id="old", begins_on=date(2020, 1, 1), ends_on=date(2020, 1, 31), handling=REFERRED)
    new = replace(PETITION, source_id="new", handling=REFERRED)
    done = replace(PETITION, source_id="done", handling=DECIDED)
    write(conn, old, done)
    write(conn, new, days=1)
    today = korean_day(MONDAY)

    def due(days, limit=9):
        return read_pending(conn, ASSEMBLY, today=today + timedelta(days=days), limit=limit)

    assert [due(6), due(7), due(8), due(8, limit=1)] == [[], ["old"], ["old", "new"], ["old"]]


def test_the_list_of_known_codes_is_that_of_the_parser(conn):
    rows = conn.execute(text("SELECT kind, code, name FROM petitions.known_code WHERE source = 'assembly'"))
    told = {}
    for kind, code, name in rows:
        told.setdefault(kind, {})[code] = name
    assert told == CODES


def test_codes_that_are_not_known_are_told_by_name_and_number(conn):
    known = replace(PETITION, handling=REFERRED)
    odd = {
        "new realm": replace(known, category="인공지능", category_code="AIDATA", category_name="인공지능"),
        "renamed": replace(known, category_name="교육/보육"),
        "no realm": replace(known, category="분류 없음", category_code="", category_name=""),
        "new state": replace(known, handling=replace(REFERRED, state_code="NEW", state_name="새 상태")),
        "new result": replace(known, handling=replace(REFERRED, result_code="NEW_RESULT", result_name="")),
        "new stage": replace(known, handling=replace(REFERRED, stage_code="JS0009", stage_name="")),
    }
    write(conn, known, *(replace(item, source_id=name) for name, item in odd.items()))
    write(conn, replace(odd["new realm"], source_id="another"), *make_petitions(2))
    assert [code.tell() for code in read_unknown_codes(conn)] == [
        "assembly: category without a code, 1 petitions",
        "assembly: category AIDATA (인공지능), 2 petitions",
        "assembly: category EDC (교육/보육), 1 petitions",
        "assembly: result NEW_RESULT, 1 petitions",
        "assembly: stage JS0009, 1 petitions",
        "assembly: state NEW (새 상태), 1 petitions",
    ]
    assert read_unknown_codes(conn, Source("sample")) == []


def test_a_petition_without_a_count_keeps_the_one_that_is_stored(conn):
    write(conn, PETITION)
    write(conn, replace(PETITION, n_agreements=0, is_counted=False), days=1)
    assert conn.execute(text("SELECT n_agreements FROM petitions.petition")).scalar_one() == 50_123
    assert conn.execute(text("SELECT count(*) FROM petitions.petition_agreement")).scalar_one() == 1


def test_a_run_warns_of_a_new_code_by_its_name_and_passes(conn):
    write(conn, replace(PETITION, category="인공지능", category_code="AIDATA", category_name="인공지능"))
    planned = [item for item in plan_checks(conn, ASSEMBLY, WINDOW, "fit-1", {}) if item.name.startswith("unknown_")]
    assert [run_check(conn, item) for item in planned] == [
        CheckResult(name="unknown_category AIDATA 인공지능", value=1, limit="at least 0", passed=True)
    ]
    assert not any(
        item.name.startswith("unknown_") for item in plan_checks(conn, Source("sample"), WINDOW, "fit-1", {})
    )
