"""What must hold of whatever a parser gives, for the Hypothesis tests and the atheris harness alike."""

import json
from collections.abc import Callable
from datetime import date

from invented_pages import assembly_row, bluehouse_list, bluehouse_page, hidden_page
from petitions.errors import ParseError
from petitions.privacy import mask_bytes
from petitions.records import Petition, Source, Window
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.sources.categories import ASSEMBLY_REALMS, BLUEHOUSE_CATEGORIES
from petitions.sources.fields import (
    MOST_AGREEMENTS,
    MOST_CHARACTERS,
    MOST_CODE_CHARACTERS,
    MOST_ROWS,
    MOST_TITLE_CHARACTERS,
)
from petitions.sources.site import HiddenPage, Listing, Site
from petitions.text.normalize import normalize_petition

URL, NUMBER, PETITION_ID = "https://site.test/x", "581762", assembly_row()["petitId"]
WINDOW = Window(since=date(2019, 8, 1), until=date(2019, 9, 1))
ASSEMBLY = AssemblySite(base_url="https://site.test", window=WINDOW, today=date(2024, 7, 1))
BLUEHOUSE = BlueHouseSite(base_url="https://site.test", window=WINDOW)
CATEGORIES = {
    Source("assembly"): set(ASSEMBLY_REALMS.values()),
    Source("bluehouse"): set(BLUEHOUSE_CATEGORIES.values()),
}


def read_assembly_list(answer: bytes) -> Listing | None:
    return _read_list(ASSEMBLY, answer)


def read_bluehouse_list(answer: bytes) -> Listing | None:
    return _read_list(BLUEHOUSE, answer)


def read_assembly_detail(answer: bytes) -> Petition | HiddenPage | None:
    return _read_detail(ASSEMBLY, answer, PETITION_ID)


def read_bluehouse_detail(answer: bytes) -> Petition | HiddenPage | None:
    return _read_detail(BLUEHOUSE, answer, NUMBER)


def mask(answer: bytes) -> bytes:
    """Mask an answer twice: the second time finds nothing more, and drops at most what JSON says twice."""
    masked = mask_bytes(answer)
    again = mask_bytes(masked)
    assert again == masked or json.loads(again) == json.loads(masked)
    return masked


READERS: dict[str, Callable[[bytes], object]] = {
    "assembly_list": read_assembly_list,
    "assembly_detail": read_assembly_detail,
    "bluehouse_list": read_bluehouse_list,
    "bluehouse_detail": read_bluehouse_detail,
    "mask": mask,
}

_ROW = json.dumps(assembly_row(), ensure_ascii=False).encode()
SEEDS: dict[str, tuple[bytes, ...]] = {
    "assembly_list": (b"[" + _ROW + b"," + _ROW + b"]", b"[]"),
    "assembly_detail": (_ROW, json.dumps(assembly_row(petitCn="a<br/>&lt;b&gt;<p class='x'>c</p>")).encode()),
    "bluehouse_list": (bluehouse_list("581762", "581763"), bluehouse_list()),
    "bluehouse_detail": (
        bluehouse_page(own_url=f"https://site.test/petitions/{NUMBER}"),
        bluehouse_page(is_answered=True, word="브리핑", head="청원개요"),
        hidden_page(),
    ),
    "mask": (_ROW, bluehouse_page(body="010-1234-5678 a@b.test 800101-1234567")),
}


def _read_list(site: Site, answer: bytes) -> Listing | None:
    try:
        listing = site.parse_list(answer, URL)
    except ParseError as error:
        _check_message(str(error))
        return None
    assert listing.n_rows <= MOST_ROWS
    assert listing.entries or not listing.faults
    for entry in listing.entries:
        assert site.find_petition(site.detail_request(entry.source_id).url) == entry.source_id
        assert 2000 <= entry.begins_on.year <= 2100
    for fault in listing.faults:
        _check_message(fault)
    return listing


def _read_detail(site: Site, answer: bytes, source_id: str) -> Petition | HiddenPage | None:
    try:
        found = site.parse_detail(answer, URL, source_id)
    except ParseError as error:
        _check_message(str(error))
        return None
    assert found.source_id == source_id
    if isinstance(found, Petition):
        _check_petition(found)
    return found


def _check_petition(petition: Petition) -> None:
    assert 0 < len(petition.title) <= MOST_TITLE_CHARACTERS
    assert "\n" not in petition.title
    assert 0 < len(petition.body) <= MOST_CHARACTERS
    assert 0 < len(petition.category) <= MOST_CODE_CHARACTERS
    assert "\n" not in petition.category
    if petition.source != "assembly":  # which keeps what it does not know by the site's own name
        assert petition.category in CATEGORIES[petition.source]
    assert petition.begins_on.year >= 2000
    assert petition.begins_on <= petition.ends_on
    assert petition.ends_on.year <= 2100
    assert 0 <= petition.n_agreements <= MOST_AGREEMENTS
    assert "\0" not in petition.title + petition.purpose + petition.body
    assert len(petition.content_hash) == 64  # the text can be encoded
    try:
        normalized = normalize_petition(petition)
    except ParseError:
        return
    assert normalize_petition(normalized) == normalized


def _check_message(message: str) -> None:
    assert message.startswith(URL)
    assert len(message) < len(URL) + 200
