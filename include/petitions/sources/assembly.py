"""The National Assembly's 국민동의청원: a JSON API. What to ask it, and bytes to records; no network.

An open query, then a closed query; they overlap, so the crawl de-duplicates on petitId. The list gives ids and days
alone, since the purpose (petitObjet) comes from the detail call. The petitioner's name (petrNm) is never read.

Status. OPEN: still collecting agreements, also past the threshold while the end of its period lies ahead.
ANSWERED: the Assembly has decided, by taking it up in another bill (ALTRV_DSUSE) or by not bringing it to the plenary
(CMIT_DSUSE). ENDED: all else, that is, agreements expired, waiting for referral, in a committee, withdrawn, or lapsed
with the Assembly's term: none of these is an answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from petitions.errors import ParseError
from petitions.records import Petition, Source, Status, Window
from petitions.sources.categories import ASSEMBLY_REALMS
from petitions.sources.fields import check_rows, parse_count, parse_day, parse_json, parse_text, parse_title, shorten
from petitions.sources.site import Entry, HiddenPage, Listing, MissingPage, Request

PAGE_SIZE = 100
LONGEST_PERIOD = timedelta(days=120)  # of collecting agreements; the longest of 1,400 real ones is 36 days
OPEN, CLOSED = "open", "closed"

_PETITION_ID = re.compile(r"[0-9A-Z]{8,64}", re.ASCII)
_FORMED = frozenset({"PETIT_FORMATN", "CMIT_FRWRD"})
_DECIDED = frozenset({"ALTRV_DSUSE", "CMIT_DSUSE"})
# Sorted by end in both: the site's own AGRE_CO- moves rows between pages while agreements come in.
_PAGING = {"recordCountPerPage": str(PAGE_SIZE), "sort": "AGRE_END_DE-", "searchCondition": "sj", "searchKeyword": ""}
_OPEN_QUERY = {"sttusCode": "AGRE_PROGRS,CMIT_FRWRD,PETIT_FORMATN", "proceedAt": "proceed"}
_CLOSED_QUERY = {
    "sttusCode": "PETIT_FORMATN,CMIT_FRWRD,PETIT_END",
    "resultCode": "BFE_OTHBC_WTHDRAW,PROGRS_WTHDRAW,PETIT_UNACPT,APPRVL_END_DSUSE,ETC_TRNSF",
    "notInColumn": "RESULT_CODE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblySite:
    """The API at `base_url`, over a window, as of `today`."""

    source: ClassVar[Source] = Source("assembly")
    queries: ClassVar[tuple[str, ...]] = (OPEN, CLOSED)

    base_url: str
    window: Window
    today: date

    def list_request(self, query: str, page: int) -> Request:
        """Ask for a page of 100 rows; the closed query's days are about the end, so they reach past the window."""
        fields = {"pageIndex": str(page), **_PAGING, **_OPEN_QUERY}
        if query == CLOSED:
            last = self.window.until + LONGEST_PERIOD
            days = {"beginDate": f"{self.window.since:%Y%m%d}", "endDate": f"{last:%Y%m%d}"}
            fields = {"pageIndex": str(page), **_PAGING, **_CLOSED_QUERY, **days}
        return Request(url=f"{self.base_url}/api/petits?{urlencode(fields, safe=',')}")

    def parse_list(self, answer: bytes, url: str) -> Listing:
        """Read a bare array of rows; an empty one is past the end.

        Raises:
            ParseError: no array, or not one row of it is a petition.
        """
        rows = parse_json(answer, url)
        if not isinstance(rows, list):
            raise ParseError(f"{url}: expected an array, found {type(rows).__name__}")
        entries, faults = [], []
        for number, row in enumerate(check_rows(rows, url)):
            try:
                entries.append(self._parse_row(row, f"{url}: row {number}"))
            except ParseError as error:
                faults.append(str(error))
        if faults and not entries:
            raise ParseError(faults[0])
        return Listing(entries=tuple(entries), faults=tuple(faults))

    def detail_request(self, source_id: str) -> Request:
        """Ask for one petition with its purpose."""
        return Request(url=f"{self.base_url}/api/petits/{source_id}")

    def find_petition(self, url: str) -> str | None:
        """Read the petitId at the end of the address."""
        petition_id = url.removeprefix(f"{self.base_url}/api/petits/")
        return petition_id if _PETITION_ID.fullmatch(petition_id) else None

    def parse_detail(self, answer: bytes, url: str, source_id: str) -> Petition | HiddenPage | MissingPage:
        """Read one petition; `purpose` stays empty where the body begins with it.

        An answer with nothing in it (no body, null, {}) is that of a petition that is not there.

        Raises:
            ParseError: a key is missing or is not what the site used to say.
        """
        value = parse_json(answer, url) if answer.strip() else None
        if value is None or value == {}:
            return MissingPage(source_id=source_id)
        row = _as_object(value, url)
        if row.get("petitId") != source_id:
            raise ParseError(f"{url}: key petitId: expected {source_id}, found {shorten(row.get('petitId'))}")
        begins_on = parse_day(row.get("agreBeginDe"), f"{url}: key agreBeginDe")
        ends_on = parse_day(row.get("agreEndDe"), f"{url}: key agreEndDe")
        if ends_on < begins_on:
            raise ParseError(f"{url}: key agreEndDe: {ends_on} is before the begin, {begins_on}")
        body = parse_text(row.get("petitCn"), f"{url}: key petitCn")
        purpose = parse_text(row["petitObjet"], f"{url}: key petitObjet") if row.get("petitObjet") else ""
        return Petition(
            source=Source("assembly"),
            source_id=source_id,
            title=parse_title(row.get("petitSj"), f"{url}: key petitSj"),
            purpose="" if body.startswith(purpose) else purpose,
            body=body,
            category=_parse_realm(row, url),
            status=_parse_status(row, url, ends_on, self.today),
            n_agreements=parse_count(row.get("agreCo"), f"{url}: key agreCo"),
            begins_on=begins_on,
            ends_on=ends_on,
            url=f"{self.base_url}/proceed/onGoingAll/{source_id}",
        )

    def _parse_row(self, value: object, where: str) -> Entry:
        row = _as_object(value, where)
        source_id = row.get("petitId")
        if not isinstance(source_id, str) or not _PETITION_ID.fullmatch(source_id):
            raise ParseError(f"{where}: key petitId: expected 32 upper-case hex characters, found {shorten(source_id)}")
        ends_on = parse_day(row.get("agreEndDe"), f"{where}: key agreEndDe")
        return Entry(
            source_id=source_id,
            begins_on=parse_day(row.get("agreBeginDe"), f"{where}: key agreBeginDe"),
            sorted_by=ends_on,
            status=_parse_status(row, where, ends_on, self.today),
        )


def _as_object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ParseError(f"{where}: expected an object, found {type(value).__name__}")
    return value


def _parse_realm(row: Mapping[str, object], url: str) -> str:
    code, name = row.get("petitRealmCode"), row.get("petitRealmNm")
    realm = ASSEMBLY_REALMS.get(code) if isinstance(code, str) else None
    if realm is None:
        raise ParseError(f"{url}: key petitRealmCode: expected a known realm, found {shorten(code)}")
    if name not in (None, "", realm):
        raise ParseError(f"{url}: key petitRealmNm: expected {realm!r} for {code}, found {shorten(name)}")
    return realm


def _parse_status(row: Mapping[str, object], where: str, ends_on: date, today: date) -> Status:
    state, result = (code if isinstance(code := row.get(key), str) else "" for key in ("sttusCode", "resultCode"))
    if state == "AGRE_PROGRS":
        return Status.OPEN
    if state != "PETIT_END" and state not in _FORMED:
        raise ParseError(f"{where}: key sttusCode: expected a known state, found {shorten(row.get('sttusCode'))}")
    if result in _DECIDED:
        return Status.ANSWERED
    return Status.OPEN if state in _FORMED and ends_on >= today else Status.ENDED
