"""The official open data on petitions (open.assembly.go.kr): what to ask, and bytes to records; no network.

It knows petitions that became bills, by BILL_ID (PTT_ID in some services), which is the site's billId. There is no
body in it, so that it never takes the place of the crawl; and the petitioner's name (PTTR_NM, PROPOSER) is never read.
Its JSON is labelled text/html, counts are texts with commas, and a key is needed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from petitions.errors import ConfigError, ParseError
from petitions.sources.fields import check_rows, parse_code, parse_count, parse_day, parse_json, shorten
from petitions.sources.site import Request

HANDLED, DETAIL = "ncryefyuaflxnqbqo", "PTTINFODETAIL"  # 청원 처리현황: those that have a result; 청원 상세정보: one
PAGE_SIZE = 1000  # the most that it gives
FIRST_TERM, FIRST_TERM_BEGAN = 20, date(2016, 5, 30)  # of the Assembly; each lasts four years
DAYS_OF_TERM = 4 * 365 + 1
_BILL_ID = re.compile(r"[A-Za-z0-9_]{3,64}", re.ASCII)
_NO_DATA, _KEY_FAULTS = "INFO-200", {"INFO-300", "ERROR-290"}  # a key that is shut out, and one that is none

# Which keys tell a fact, the first that is there; services differ in their names.
_DAYS = {
    "received_on": ("RCP_DT", "PROPOSE_DT"),
    "referred_on": ("JRCMIT_CMMT_DT", "COMMITTEE_DT"),
    "presented_on": ("JRCMIT_PRSNT_DT",),
    "processed_on": ("JRCMIT_PROC_DT", "PROC_DT"),
    "government_result_on": ("GVRN_RSLT_DT",),
}
_TEXTS = {
    "petition_no": ("PTT_NO", "BILL_NO"),
    "committee_name": ("JRCMIT_NM", "CURR_COMMITTEE"),
    "committee_result": ("JRCMIT_PROC_RSLT",),
    "plenary_result": ("RGS_CONF_RSLT", "PROC_RESULT_CD"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOutcome:
    """What the open data says of a petition that became a bill; empty or None where it says nothing."""

    bill_id: str
    petition_no: str = ""
    committee_name: str = ""
    n_agreements: int | None = None
    received_on: date | None = None
    referred_on: date | None = None
    presented_on: date | None = None
    processed_on: date | None = None
    committee_result: str = ""
    plenary_result: str = ""
    government_result_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenData:
    """The services at `base_url`, with a key, which is not shown."""

    base_url: str
    key: str

    def handled_request(self, term: int, page: int) -> Request:
        """Ask for a page of the petitions of a term of the Assembly that have a result."""
        return self._ask(HANDLED, pIndex=page, pSize=PAGE_SIZE, AGE=term)

    def detail_request(self, bill_id: str) -> Request:
        """Ask for one petition by its bill."""
        return self._ask(DETAIL, pIndex=1, pSize=1, PTT_ID=bill_id)

    def _ask(self, service: str, **fields: object) -> Request:
        query = urlencode({"KEY": self.key, "Type": "json", **fields})
        return Request(
            url=f"{self.base_url}/portal/openapi/{service}?{query}", headers=(("Accept", "application/json"),)
        )


def list_terms(days: Iterable[date]) -> list[int]:
    """The terms of the Assembly that days lie in."""
    return sorted({FIRST_TERM + max(0, (day - FIRST_TERM_BEGAN).days // DAYS_OF_TERM) for day in days})


def parse_outcomes(answer: bytes, service: str) -> list[BillOutcome]:
    """Read the rows of a service; those without a bill are left out. A service without data gives none.

    Raises:
        ConfigError: the key is none.
        ParseError: another answer than rows, or the service says that it fails.
    """
    told = parse_json(answer, service)
    if not isinstance(told, dict):
        raise ParseError(f"{service}: expected an object, found {type(told).__name__}")
    if "RESULT" in told:
        return _read_refusal(told["RESULT"], service)
    sections = told.get(service)
    if not isinstance(sections, list):
        raise ParseError(
            f"{service}: expected a key of that name with a list, found {shorten(' '.join(map(str, told)))}"
        )
    rows = [row for part in sections if isinstance(part, dict) for row in check_rows(part.get("row") or [], service)]
    return [found for row in rows if isinstance(row, dict) and (found := _parse_row(row, service))]


def _read_refusal(result: object, service: str) -> list[BillOutcome]:
    code = result.get("CODE") if isinstance(result, dict) else None
    if code == _NO_DATA:
        return []
    if code in _KEY_FAULTS:
        raise ConfigError(f"PETITIONS_ASSEMBLY_KEY is refused by the open data of the Assembly ({service}: {code})")
    raise ParseError(f"{service}: the open data answers with {shorten(code)}")


def _parse_row(row: Mapping[str, object], service: str) -> BillOutcome | None:
    bill_id = row.get("BILL_ID") or row.get("PTT_ID")
    if not isinstance(bill_id, str) or not _BILL_ID.fullmatch(bill_id):
        return None
    facts: dict[str, Any] = {name: _find_day(row, keys) for name, keys in _DAYS.items()}
    facts |= {name: parse_code(_find(row, keys), f"{service}: {keys[0]}") for name, keys in _TEXTS.items()}
    counted = _find(row, ("CITZN_AGM_CNT",))
    n_agreements = None if counted is None else parse_count(counted, f"{service}: CITZN_AGM_CNT")
    return BillOutcome(bill_id=bill_id, n_agreements=n_agreements, **facts)


def _find(row: Mapping[str, object], keys: tuple[str, ...]) -> object:
    return next((row[key] for key in keys if row.get(key) not in (None, "", "-")), None)


def _find_day(row: Mapping[str, object], keys: tuple[str, ...]) -> date | None:
    """A day, written with dashes, dots or neither; one that cannot be read is none."""
    told = _find(row, keys)
    digits = re.sub(r"[-./\s]", "", told)[:8] if isinstance(told, str) else ""
    try:
        return parse_day(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", "")
    except ParseError:
        return None
