"""The official open data tells what became of bills; without a key it is not asked, and its faults cost nothing.

The stand-in answers by the field names of SITES.md: JSON labelled text/html, counts with commas, a petitioner's name.
"""

import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from crawl.site_server import FastClock, Page, serve
from crawl_runs import FastPace
from invented import make_petitions
from petitions.errors import ConfigError, ParseError
from petitions.records import Handling, Source, Status, korean_day
from petitions.settings import Settings
from petitions.sources.assembly_open_data import DETAIL, HANDLED, list_terms, parse_outcomes
from petitions.steps.crawl import write_batch
from petitions.steps.open_data import MOST_BILLS, ask_open_data

pytestmark = pytest.mark.postgres
NIGHT = datetime(2024, 7, 1, 18, tzinfo=UTC)
KEY = "secret+key"
HTML = {"Content-Type": "text/html;charset=UTF-8"}


def wrap(service, *rows):
    head = [{"list_total_count": len(rows)}, {"RESULT": {"CODE": "INFO-000", "MESSAGE": "정상 처리되었습니다."}}]
    return Page(json.dumps({service: [{"head": head}, {"row": list(rows)}]}, ensure_ascii=False).encode(), headers=HTML)


def refuse(code):
    return Page(json.dumps({"RESULT": {"CODE": code, "MESSAGE": "x"}}).encode(), headers=HTML)


def detail_row(bill_id, **changes):
    row = {
        "PTT_ID": bill_id, "PTT_NO": "2200001", "PTTR_NM": "홍길동", "JRCMIT_NM": "법제사법위원회",
        "CITZN_AGM_CNT": "50,123", "RCP_DT": "2024-05-03", "JRCMIT_CMMT_DT": "2024-05-07", "JRCMIT_PRSNT_DT": "",
        "JRCMIT_PROC_DT": None, "JRCMIT_PROC_RSLT": None, "RGS_CONF_RSLT": None, "GVRN_RSLT_DT": None,
    }  # fmt: skip
    return row | changes


def store_bills(engine, n, *, is_pending=True):
    result = "CMIT_JDGING" if is_pending else "ALTRV_DSUSE"
    petitions = [
        replace(
            item, source=Source("assembly"), status=Status.ENDED, begins_on=date(2024, 4, 1), ends_on=date(2024, 5, 1),
            handling=Handling(
                state_code="CMIT_FRWRD", result_code=result, committee_code="1", bill_id=f"PRC_{number:03}",
                is_pending=is_pending,
            ),
        )
        for number, item in enumerate(make_petitions(n), 1)
    ]  # fmt: skip
    with engine.begin() as conn:
        write_batch(conn, petitions, seen_at=NIGHT, seen_on=korean_day(NIGHT))


def ask(engine, url, days=0, key=KEY):
    settings = Settings(assembly_key=key, assembly_data_url=url)
    return ask_open_data(
        engine, settings, now=lambda: NIGHT + timedelta(days=days), clock=FastClock(10_000), make_pace=FastPace
    )


def answer_all(path, nth):
    asked = parse_qs(urlsplit(path).query)
    if urlsplit(path).path.endswith(HANDLED):
        return wrap(HANDLED, {"BILL_ID": "PRC_002", "PROPOSER": "홍길동외 50,123인", "PROC_RESULT_CD": "본회의불부의"})
    return wrap(DETAIL, detail_row(asked["PTT_ID"][0]))


def test_days_and_results_are_joined_by_the_bill(engine):
    store_bills(engine, 2)
    with serve(answer_all) as site:
        assert ask(engine, site.url) == 2
        asked = [urlsplit(path) for path, _ in site.asked[1:]]
    assert [path.path.rpartition("/")[2] for path in asked] == [HANDLED, DETAIL, DETAIL]
    queries = [parse_qs(path.query) for path in asked]
    assert all(query["KEY"] == [KEY] and query["Type"] == ["json"] for query in queries)
    assert (queries[0]["AGE"], queries[1]["PTT_ID"]) == (["21"], ["PRC_001"])
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT * FROM petitions.petition_outcome ORDER BY bill_id")).mappings().all()
        kept = conn.execute(text("SELECT * FROM petitions.bill_outcome")).mappings().all()
    assert [row["official_result"] for row in rows] == [None, "본회의불부의"]
    assert {row["referred_on"] for row in rows} == {date(2024, 5, 7)}
    assert {(row["n_agreements"], row["received_on"], row["presented_on"]) for row in kept} == {
        (50_123, date(2024, 5, 3), None)
    }
    assert "홍길동" not in repr(kept)


def test_without_a_key_nothing_is_asked(engine):
    store_bills(engine, 1)
    with serve(answer_all) as site:
        assert ask(engine, site.url, key="") == 0
        assert site.asked == []


def test_a_bill_is_asked_for_weekly_until_both_have_a_result_and_few_a_night(engine):
    store_bills(engine, MOST_BILLS + 3)
    said = {"JRCMIT_PROC_RSLT": "대안반영폐기", "JRCMIT_PROC_DT": "20240720"}

    def answer(path, nth):
        if HANDLED in path:
            return refuse("INFO-200")
        return wrap(DETAIL, detail_row(parse_qs(urlsplit(path).query)["PTT_ID"][0], **said))

    with serve(answer) as site:
        told = [ask(engine, site.url, days) for days in (0, 1, 2)]
        store_bills(engine, MOST_BILLS + 3, is_pending=False)
        told += [ask(engine, site.url, days) for days in (7, 30)]
    assert told == [MOST_BILLS, 3, 0, 0, 0]


def test_a_fault_of_the_open_data_costs_nothing_and_tells_no_key(engine, caplog):
    caplog.set_level(logging.DEBUG)
    store_bills(engine, 2)
    for page, said in (
        (Page(b"<html>down</html>", status=500), "no answer in 4 tries"),
        (Page(b"<html>wait</html>", headers=HTML), "expected JSON"),
        (refuse("ERROR-290"), "PETITIONS_ASSEMBLY_KEY is refused"),
        (refuse("ERROR-500"), "answers with 'ERROR-500'"),
    ):
        caplog.clear()
        with serve(lambda path, nth, page=page: page) as site:
            assert ask(engine, site.url) == 0
        told = " ".join(record.getMessage() for record in caplog.records)
        assert said in told
        assert "secret" not in told
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM petitions.bill_outcome")).scalar_one() == 0


def test_a_bill_that_the_service_does_not_know_is_not_asked_for_again_at_once(engine):
    store_bills(engine, 1)
    with serve(lambda path, nth: refuse("INFO-200")) as site:
        assert [ask(engine, site.url, days) for days in (0, 1)] == [0, 0]
        assert site.count("/portal/openapi/PTTINFODETAIL") == 1


def test_rows_without_a_bill_and_odd_days_spoil_nothing():
    rows = [detail_row(None), detail_row("PRC_1", RCP_DT="2024.05.03", JRCMIT_CMMT_DT="soon", CITZN_AGM_CNT="-")]
    (found,) = parse_outcomes(wrap(DETAIL, *rows).body, DETAIL)
    assert (found.received_on, found.referred_on, found.n_agreements) == (date(2024, 5, 3), None, None)
    with pytest.raises(ConfigError, match="PETITIONS_ASSEMBLY_KEY is refused"):
        parse_outcomes(refuse("INFO-300").body, DETAIL)
    with pytest.raises(ParseError, match="expected a key of that name"):
        parse_outcomes(b'{"other": []}', DETAIL)


def test_terms_of_the_assembly():
    assert list_terms([date(2024, 5, 29), date(2024, 5, 30), date(2020, 5, 30), date(2026, 8, 1)]) == [21, 22]
