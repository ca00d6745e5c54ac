"""The Blue House's 국민청원: a JSON list behind a POST, petitions as HTML pages. What to ask, and bytes to records.

The open list is read before the ended one, so that a petition that ends in between is met in the second. The number
that the list shows (paging_id, bl_no) is not the id of the page. What a page shows beside its left column is about
other petitions and is not read.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from bs4.exceptions import ParserRejectedMarkup
from bs4.filter import SoupStrainer

from petitions.errors import ParseError
from petitions.records import Petition, Source, Status, Window
from petitions.sources.categories import BLUEHOUSE_CATEGORIES
from petitions.sources.fields import parse_count, parse_day, parse_json, shorten
from petitions.sources.site import Entry, HiddenPage, Listing, Request

_ONLY = {"open": "1", "ended": "2"}
_ALL_CATEGORIES, _NEWEST_FIRST = "0", "1"
_STATUS = {
    "청원진행중": Status.OPEN,
    "청원종료": Status.ENDED,
    "답변대기": Status.ENDED,
    "브리핑": Status.ANSWERED,
    "답변완료": Status.ANSWERED,
}
_CATEGORIES = frozenset(BLUEHOUSE_CATEGORIES.values())
_BODY_HEADS = frozenset({"청원내용", "청원개요"})
_HIDDEN_WORD = "비공개"  # the sentence around it drifted from 2019 to 2020
_LINE_BREAKS = frozenset({"br", "p", "div", "li", "tr"})
_PETITION_ID = re.compile(r"\d{1,12}", re.ASCII)
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_LEFT_COLUMN = re.compile(r"(?:^|\s)petitionsView_left(?:\s|$)")  # a strainer sees all classes as one string
_END_OF_PAGE = re.compile(rb"</html>\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueHouseSite:
    """The site at `base_url`, over a window."""

    source: ClassVar[Source] = Source.BLUEHOUSE
    queries: ClassVar[tuple[str, ...]] = ("open", "ended")

    base_url: str
    window: Window

    def list_request(self, query: str, page: int) -> Request:
        """Ask for a page of seven, newest first."""
        form = {"c": _ALL_CATEGORIES, "only": _ONLY[query], "page": str(page), "order": _NEWEST_FIRST}
        headers = {"X-Requested-With": "XMLHttpRequest", "Referer": f"{self.base_url}/petitions"}
        return Request(
            url=f"{self.base_url}/api/petitions/list", form=tuple(form.items()), headers=tuple(headers.items())
        )

    def parse_list(self, answer: bytes, url: str) -> Listing:
        """Read {"status": "ok", "item": [...]}; no item is past the end.

        Raises:
            ParseError: another shape, or not one item is a petition.
        """
        page = parse_json(answer, url)
        if not isinstance(page, dict) or page.get("status") != "ok" or not isinstance(page.get("item"), list):
            keys = shorten(sorted(page)) if isinstance(page, dict) else type(page).__name__
            raise ParseError(f"{url}: expected keys status (ok) and item (an array), found {keys}")
        entries, faults = [], []
        for number, row in enumerate(page["item"]):
            try:
                entries.append(_parse_row(row, f"{url}: item {number}"))
            except ParseError as error:
                faults.append(str(error))
        if faults and not entries:
            raise ParseError(faults[0])
        return Listing(entries=tuple(entries), faults=tuple(faults))

    def is_last(self, listing: Listing, largest: int = 0) -> bool:
        """A page with fewer rows than another had, or none of the window or later: the newest come first."""
        are_before = not listing.faults and all(entry.begins_on < self.window.since for entry in listing.entries)
        return are_before or listing.n_rows < largest

    def detail_request(self, source_id: str) -> Request:
        """Ask for the page of one petition."""
        return Request(
            url=f"{self.base_url}/petitions/{source_id}", headers=(("Referer", f"{self.base_url}/petitions"),)
        )

    def find_petition(self, url: str) -> str | None:
        """Read the number at the end of the page's address."""
        number = url.removeprefix(f"{self.base_url}/petitions/")
        return number if _PETITION_ID.fullmatch(number) else None

    def parse_detail(self, answer: bytes, url: str, source_id: str) -> Petition | HiddenPage:
        """Read the page of a petition: open, ended, answered or hidden.

        Raises:
            ParseError: a part of the page is missing or is not what the site used to say.
        """
        left = _parse_left_column(answer, url)
        notice = left.select_one(".wvcontents")
        if notice is not None:
            if _HIDDEN_WORD not in notice.get_text():  # the same frame may hold any notice of the site
                raise ParseError(f"{url}: .wvcontents: expected a notice with {_HIDDEN_WORD}, found another one")
            return HiddenPage(source_id=source_id)
        info = _parse_info(left, url)
        category = info.get("카테고리", "")
        if category not in _CATEGORIES:
            raise ParseError(
                f"{url}: .petitionsView_info_list 카테고리: expected a known category, found {shorten(category)}"
            )
        begins_on = parse_day(info.get("청원시작"), f"{url}: .petitionsView_info_list 청원시작")
        ends_on = parse_day(info.get("청원마감"), f"{url}: .petitionsView_info_list 청원마감")
        if ends_on < begins_on:
            raise ParseError(f"{url}: .petitionsView_info_list 청원마감: {ends_on} is before the begin, {begins_on}")
        return Petition(
            source=Source.BLUEHOUSE,
            source_id=source_id,
            title=" ".join(_select_text(left, ".petitionsView_title", url).split()),
            body=_parse_body(left, url),
            category=category,
            status=_parse_status(_select_text(left, ".petitionsView_progress h4", url), url),
            n_agreements=parse_count(
                _select_text(left, ".petitionsView_count .counter", url), f"{url}: .petitionsView_count .counter"
            ),
            begins_on=begins_on,
            ends_on=ends_on,
            url=f"{self.base_url}/petitions/{source_id}",
        )


def _parse_row(row: object, where: str) -> Entry:
    if not isinstance(row, dict):
        raise ParseError(f"{where}: expected an object, found {type(row).__name__}")
    source_id = str(row.get("id"))
    if not _PETITION_ID.fullmatch(source_id):
        raise ParseError(f"{where}: key id: expected a number, found {shorten(row.get('id'))}")
    begins_on = parse_day(row.get("created"), f"{where}: key created")
    return Entry(source_id=source_id, begins_on=begins_on, sorted_by=begins_on)


def _parse_left_column(answer: bytes, url: str) -> Tag:
    if not _END_OF_PAGE.search(answer[-200:]):  # lxml would read a page that was cut as a shorter petition
        raise ParseError(f"{url}: expected a page up to </html>, found {len(answer)} bytes without it")
    try:
        soup = BeautifulSoup(answer.decode(), "lxml", parse_only=SoupStrainer("div", class_=_LEFT_COLUMN))
    except (UnicodeDecodeError, ParserRejectedMarkup) as error:
        raise ParseError(f"{url}: expected HTML in UTF-8, found bytes that are not ({type(error).__name__})") from None
    left = soup.select_one(".petitionsView_left")
    if left is None:
        raise ParseError(f"{url}: .petitionsView_left: found nothing")
    return left


def _parse_info(left: Tag, url: str) -> dict[str, str]:
    """Read the labelled facts: the label is the inner <p> of a line, the value is what stands beside it."""
    info = {}
    for line in left.select(".petitionsView_info_list > li"):
        label = line.find("p")
        if isinstance(label, Tag):
            name = label.extract().get_text(strip=True)
            info[name] = line.get_text(strip=True)
    if not info:
        raise ParseError(f"{url}: .petitionsView_info_list: found nothing")
    return info


def _parse_body(left: Tag, url: str) -> str:
    """Read the View_write under the head of the petition; an answered page has the answer's video in one before it."""
    for head in left.select(".petitionsView_write .petitionsView_writeHead"):
        if head.get_text(strip=True) in _BODY_HEADS:
            block = head.find_next_sibling(class_="View_write")
            text = _read_text(block) if isinstance(block, Tag) else ""
            if text:
                return text
    raise ParseError(f"{url}: .View_write under {' or '.join(sorted(_BODY_HEADS))}: found no text")


def _parse_status(word: str, url: str) -> Status:
    if word not in _STATUS:
        raise ParseError(f"{url}: .petitionsView_progress h4: expected a known status, found {shorten(word)}")
    return _STATUS[word]


def _select_text(left: Tag, selector: str, url: str) -> str:
    node = left.select_one(selector)
    text = node.get_text(" ").strip() if node is not None else ""
    if not text:
        raise ParseError(f"{url}: {selector}: found nothing")
    return text


def _read_text(block: Tag) -> str:
    """Render text as a browser does: white space runs are one blank, breaks and blocks begin a new line."""
    parts = []
    for node in block.descendants:
        if isinstance(node, Tag):
            parts.append("\n" if node.name in _LINE_BREAKS else "")
        elif type(node) is NavigableString:  # its subclasses are comments, scripts and styles
            parts.append(_WHITE_SPACE.sub(" ", node))
    return "\n".join(line.strip(" ") for line in "".join(parts).split("\n")).strip()
