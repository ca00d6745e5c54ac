"""The National Assembly's 국민동의청원: a JSON API. What to ask it, and bytes to records; no network.

An open query, then a closed query; they overlap, so the crawl de-duplicates on petitId. The list gives ids, days and
counts alone, since the purpose (petitObjet) comes from the detail call. The petitioner's name (petrNm) is never read.

Status. OPEN: still collecting agreements, also past the threshold while the end of its period lies ahead.
ANSWERED: the Assembly has decided, by taking it up in another bill (ALTRV_DSUSE, ALTBIL_RFLC) or by not bringing it to
the plenary (CMIT_DSUSE). ENDED: all else, that is, agreements expired, waiting for referral, in a committee, withdrawn,
or lapsed with the Assembly's term: none of these is an answer. A state that is not known goes by the end of the period.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from petitions.errors import ParseError
from petitions.records import Handling, Petition, Source, Status, Window
from petitions.sources.assembly_codes import (
    ANSWERED_RESULTS,
    ANSWERED_STATES,
    CLOSED_STATES,
    COLLECTING,
    FINAL,
    REFERRED_STATES,
)
from petitions.sources.assembly_requests import AssemblyRequests, read_requests
from petitions.sources.categories import ASSEMBLY_REALMS
from petitions.sources.fields import (
    check_rows,
    parse_code,
    parse_count,
    parse_day,
    parse_json,
    parse_text,
    parse_title,
    shorten,
)
from petitions.sources.site import Entry, HiddenPage, Listing, MissingPage, Request

LONGEST_PERIOD = timedelta(days=120)  # of collecting agreements; the longest of 1,400 real ones is 36 days
OPEN, CLOSED = "open", "closed"
NO_REALM = "분류 없음"  # in the place of a field that the site leaves out

_PETITION_ID = re.compile(r"[0-9A-Z]{8,64}", re.ASCII)

Row = Mapping[str, object]


def open_site(*, base_url: str, window: Window, today: date, requests: str = "") -> "AssemblySite":
    """The site, asked as a setting says.

    Raises:
        ConfigError: the setting cannot be.
    """
    return AssemblySite(base_url=base_url, window=window, today=today, asked=read_requests(requests))


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblySite:
    """The API at `base_url`, over a window, as of `today`."""

    source: ClassVar[Source] = Source("assembly")
    queries: ClassVar[tuple[str, ...]] = (OPEN, CLOSED)

    base_url: str
    window: Window
    today: date
    asked: AssemblyRequests = AssemblyRequests()

    def list_request(self, query: str, page: int) -> Request:
        """Ask for a page of 100 rows; the closed query's days are about the end, so they reach past the window."""
        asked = self.asked.open_query
        if query == CLOSED:
            last = self.window.until + LONGEST_PERIOD
            asked = {**self.asked.closed_query, "beginDate": f"{self.window.since:%Y%m%d}", "endDate": f"{last:%Y%m%d}"}
        return self._ask(self.asked.list_url(self.base_url, page, asked))

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
        return self._ask(self.asked.detail_url(self.base_url, source_id))

    def find_petition(self, url: str) -> str | None:
        """Read the petitId in the address."""
        return self.asked.find_petition(self.base_url, url)

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
        purpose, handling = _parse_purpose(row, url), _parse_handling(row, url)
        realm = _read_code(row, "petitRealmCode", url), _read_code(row, "petitRealmNm", url)
        counted = _parse_optional_count(row, "agreCo", url)
        return Petition(
            source=Source("assembly"),
            source_id=source_id,
            title=parse_title(row.get("petitSj"), f"{url}: key petitSj"),
            purpose="" if body.startswith(purpose) else purpose,
            body=body,
            category=ASSEMBLY_REALMS.get(realm[0]) or realm[1] or realm[0] or NO_REALM,
            category_code=realm[0],
            category_name=realm[1],
            status=_judge_status(handling, ends_on, self.today),
            n_agreements=counted or 0,
            is_counted=counted is not None,
            begins_on=begins_on,
            ends_on=ends_on,
            url=self.asked.page_url(self.base_url, source_id),
            threshold=_parse_optional_count(row, "mtzNmpr", url),
            registered_on=_parse_optional_day(row, "petitRegistDt"),
            closed_on=_parse_optional_day(row, "petitEndDt"),
            handling=handling,
        )

    def _ask(self, url: str) -> Request:
        return Request(url=url, headers=self.asked.header_items(self.base_url))

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
            status=_judge_status(_parse_handling(row, where), ends_on, self.today),
            n_agreements=_parse_optional_count(row, "agreCo", where),
        )


def _as_object(value: object, where: str) -> Row:
    if not isinstance(value, dict):
        raise ParseError(f"{where}: expected an object, found {type(value).__name__}")
    return value


def _parse_purpose(row: Row, url: str) -> str:
    """The purpose; a blank one, such as of white space or of tags alone, is none."""
    told = row.get("petitObjet")
    if told is None or told == "":
        return ""
    return parse_text(f"{told}x" if isinstance(told, str) else told, f"{url}: key petitObjet")[:-1].rstrip()


def _read_code(row: Row, key: str, where: str) -> str:
    return parse_code(row.get(key), f"{where}: key {key}")


def _parse_optional_count(row: Row, key: str, where: str) -> int | None:
    """A count that a record may lack."""
    return None if row.get(key) in (None, "") else parse_count(row[key], f"{where}: key {key}")


def _parse_optional_day(row: Row, key: str) -> date | None:
    """A day that nothing depends on: one that cannot be read spoils no petition."""
    try:
        return parse_day(row.get(key), key)
    except ParseError:
        return None


def _parse_handling(row: Row, where: str) -> Handling:
    """What has become of it; codes that are not known are kept, and decide nothing."""
    state, result = _read_code(row, "sttusCode", where), _read_code(row, "resultCode", where)
    committee, bill_id = _read_code(row, "jrsdCmitCode", where), _read_code(row, "billId", where)
    is_referred = state in REFERRED_STATES or bool(committee or bill_id)
    is_over = state in CLOSED_STATES or state == COLLECTING or result in FINAL
    return Handling(
        state_code=state,
        state_name=_read_code(row, "sttusCodeNm", where),
        result_code=result,
        result_name=_read_code(row, "resultCodeNm", where),
        stage_code=_read_code(row, "jdgmnStepCode", where),
        stage_name=_read_code(row, "jdgmnStepNm", where),
        committee_code=committee,
        committee_name=_read_code(row, "jrsdCmitNm", where),
        bill_id=bill_id,
        is_pending=is_referred and not is_over,
    )


def _judge_status(handling: Handling, ends_on: date, today: date) -> Status:
    state = handling.state_code
    if state == COLLECTING:
        return Status.OPEN
    if state in ANSWERED_STATES or handling.result_code in ANSWERED_RESULTS:
        return Status.ANSWERED
    return Status.OPEN if state not in CLOSED_STATES and ends_on >= today else Status.ENDED
