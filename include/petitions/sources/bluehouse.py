"""The Blue House's 국민청원: a JSON list behind a POST, petitions as HTML pages. What to ask, and bytes to records.

The open list is read before the ended one, so that a petition that ends in between is met in the second. The number
that the list shows (paging_id, bl_no) is not the id of the page. What a page shows beside its left column is about
other petitions and is not read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import ClassVar
from xml.etree.ElementTree import Element  # noqa: S405 - nothing is parsed by it

from petitions.errors import ParseError
from petitions.records import Petition, Source, Status, Window
from petitions.sources.categories import BLUEHOUSE_CATEGORIES
from petitions.sources.fields import check_rows, check_title, parse_count, parse_day, parse_json, shorten
from petitions.sources.page import find_class, has_class, list_texts, read_column, render_text
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
_PETITION_ID = re.compile(r"\d{1,12}", re.ASCII)
_OWN_ID = re.compile(r"/petitions/(\d{1,12})(?![^?#])", re.ASCII)
_MOST_HEADS = 10  # real pages have one to three


def open_site(*, base_url: str, window: Window, today: date) -> "BlueHouseSite":
    """The site; its pages say the status themselves, whichever day it is."""
    return BlueHouseSite(base_url=base_url, window=window)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueHouseSite:
    """The site at `base_url`, over a window."""

    source: ClassVar[Source] = Source("bluehouse")
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
            keys = shorten(" ".join(islice(page, 5))) if isinstance(page, dict) else type(page).__name__
            raise ParseError(f"{url}: expected keys status (ok) and item (an array), found {keys}")
        entries, faults = [], []
        for number, row in enumerate(check_rows(page["item"], url)):
            try:
                entries.append(_parse_row(row, f"{url}: item {number}"))
            except ParseError as error:
                faults.append(str(error))
        if faults and not entries:
            raise ParseError(faults[0])
        return Listing(entries=tuple(entries), faults=tuple(faults))

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
        left, own_url = read_column(answer, url, "petitionsView_left")
        own_id = _OWN_ID.search(own_url)
        if own_id and own_id.group(1) != source_id:
            raise ParseError(f"{url}: meta og:url: expected petition {source_id}, found {own_id.group(1)}")
        notice = next(find_class(left, "wvcontents"), None)
        if notice is not None:
            if _HIDDEN_WORD not in "".join(list_texts(notice)):  # the same frame may hold any notice of the site
                raise ParseError(f"{url}: .wvcontents: expected a notice with {_HIDDEN_WORD}, found another one")
            return HiddenPage(source_id=source_id)
        info = _parse_info(left, url)
        begins_on, ends_on = _parse_period(info, url)
        return Petition(
            source=Source("bluehouse"),
            source_id=source_id,
            title=check_title(_read_words(left, url, "petitionsView_title"), f"{url}: .petitionsView_title"),
            body=_parse_body(left, url),
            category=_parse_category(info, url),
            status=_parse_status(_read_words(left, url, "petitionsView_progress", "h4"), url),
            n_agreements=parse_count(
                _read_words(left, url, "petitionsView_count", ".counter"), f"{url}: .petitionsView_count .counter"
            ),
            begins_on=begins_on,
            ends_on=ends_on,
            url=f"{self.base_url}/petitions/{source_id}",
        )


def _parse_row(row: object, where: str) -> Entry:
    if not isinstance(row, dict):
        raise ParseError(f"{where}: expected an object, found {type(row).__name__}")
    number = row.get("id")
    source_id = str(number) if isinstance(number, str | int) else ""
    if not _PETITION_ID.fullmatch(source_id):
        raise ParseError(f"{where}: key id: expected a number, found {shorten(number)}")
    begins_on = parse_day(row.get("created"), f"{where}: key created")
    return Entry(source_id=source_id, begins_on=begins_on, sorted_by=begins_on)


def _parse_info(left: Element, url: str) -> dict[str, str]:
    """Read the labelled facts: the label is the inner <p> of a line, the value is what stands beside it."""
    info = {}
    lines = next(find_class(left, "petitionsView_info_list"), None)
    for line in lines.findall("li") if lines is not None else ():
        label = line.find(".//p")
        if label is not None:
            name, after = _join(label), label.tail
            label.clear()
            label.tail = after
            info[name] = _join(line)
    if not info:
        raise ParseError(f"{url}: .petitionsView_info_list: found nothing")
    return info


def _parse_category(info: Mapping[str, str], url: str) -> str:
    category = info.get("카테고리", "")
    if category not in _CATEGORIES:
        raise ParseError(
            f"{url}: .petitionsView_info_list 카테고리: expected a known category, found {shorten(category)}"
        )
    return category


def _parse_period(info: Mapping[str, str], url: str) -> tuple[date, date]:
    begins_on = parse_day(info.get("청원시작"), f"{url}: .petitionsView_info_list 청원시작")
    ends_on = parse_day(info.get("청원마감"), f"{url}: .petitionsView_info_list 청원마감")
    if ends_on < begins_on:
        raise ParseError(f"{url}: .petitionsView_info_list 청원마감: {ends_on} is before the begin, {begins_on}")
    return begins_on, ends_on


def _parse_body(left: Element, url: str) -> str:
    """Read the View_write under the head of the petition; an answered page has the answer's video in one before it."""
    written = next(find_class(left, "petitionsView_write"), None)
    if written is not None:
        beside = {node: parent for parent in written.iter() for node in parent}
        for head in islice(find_class(written, "petitionsView_writeHead"), _MOST_HEADS):
            if _join(head) in _BODY_HEADS:
                siblings = list(beside[head])
                after = siblings[siblings.index(head) + 1 :]
                block = next((node for node in after if has_class(node, "View_write")), None)
                text = render_text(block) if block is not None else ""
                if text:
                    return text
    raise ParseError(f"{url}: .View_write under {' or '.join(sorted(_BODY_HEADS))}: found no text")


def _parse_status(word: str, url: str) -> Status:
    if word not in _STATUS:
        raise ParseError(f"{url}: .petitionsView_progress h4: expected a known status, found {shorten(word)}")
    return _STATUS[word]


def _read_words(left: Element, url: str, name: str, inner: str = "") -> str:
    """The text of the first element of a class, or of what is first in it: of a class too, or of a name."""
    node = next(find_class(left, name), None)
    if node is not None and inner:
        below = find_class(node, inner[1:]) if inner[0] == "." else node.iterfind(f".//{inner}")
        node = next(below, None)
    text = " ".join(list_texts(node)).strip() if node is not None else ""
    if not text:
        raise ParseError(f"{url}: .{name}{f' {inner}' if inner else ''}: found nothing")
    return text


def _join(node: Element) -> str:
    """The texts of an element in one, without the blanks around each."""
    return "".join(text.strip() for text in list_texts(node))
