"""How the Assembly's API is asked: all of it in one place, as the site's own page asks, and open to an operator.

PETITIONS_ASSEMBLY_REQUESTS may hold a JSON object, or name a file with one, whose keys stand in the place of these:
{"list": path, "detail": path with {id}, "page": path with {id}, "headers": {...}, "paging": {...}, "open": {...},
"closed": {...}}. Of the four objects each value replaces the one of that name, and null leaves it out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from petitions.errors import ConfigError

SETTING = "PETITIONS_ASSEMBLY_REQUESTS"
PAGE_SIZE = 100
_ID = "{id}"
_PATHS = {"list": "list_path", "detail": "detail_path", "page": "page_path"}
_QUERIES = {"headers": "headers", "paging": "paging", "open": "open_query", "closed": "closed_query"}
_PETITION_ID = "[0-9A-Z]{8,64}"
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyRequests:
    """Paths, headers and parameters; the defaults are those of the site's own page in August 2026."""

    list_path: str = "/api/petits"
    detail_path: str = "/api/petits/{id}?petitId={id}&sttusCode="
    page_path: str = "/proceed/onGoingAll/{id}"  # that a person can open; serves petitions of all states
    headers: Texts = field(
        default_factory=lambda: {"Accept": "application/json, text/plain, */*", "Referer": "{site}/"}
    )
    # Sorted by end in both: the site's own AGRE_CO- moves rows between pages while agreements come in.
    paging: Texts = field(
        default_factory=lambda: {
            "recordCountPerPage": str(PAGE_SIZE),
            "sort": "AGRE_END_DE-",
            "searchCondition": "sj",
            "searchKeyword": "",
        }
    )
    open_query: Texts = field(
        default_factory=lambda: {"sttusCode": "AGRE_PROGRS,CMIT_FRWRD,PETIT_FORMATN", "proceedAt": "proceed"}
    )
    # The site's own page asks for the first three states; a program that was checked live in June 2026 for all.
    closed_query: Texts = field(
        default_factory=lambda: {
            "sttusCode": "PETIT_FORMATN,CMIT_FRWRD,PETIT_END,"
            "PROCESS_END,RCEPT,EXAM,PLN_FRWRD,BILL_PT_RCEPT,ALTBIL_RFLC",
            "resultCode": "BFE_OTHBC_WTHDRAW,PROGRS_WTHDRAW,PETIT_UNACPT,APPRVL_END_DSUSE,ETC_TRNSF",
            "notInColumn": "RESULT_CODE",
        }
    )

    def list_url(self, base_url: str, page: int, query: Texts) -> str:
        """The address of a page of a list."""
        fields = {"pageIndex": str(page), **self.paging, **query}
        return f"{base_url}{self.list_path}?{urlencode(fields, safe=',')}"

    def detail_url(self, base_url: str, source_id: str) -> str:
        """The address of one petition."""
        return base_url + self.detail_path.replace(_ID, source_id)

    def page_url(self, base_url: str, source_id: str) -> str:
        """The address of its page for people."""
        return base_url + self.page_path.replace(_ID, source_id)

    def header_items(self, base_url: str) -> tuple[tuple[str, str], ...]:
        """The headers of a request; {site} in one is the address of the site."""
        return tuple((name, value.replace("{site}", base_url)) for name, value in self.headers.items())

    def find_petition(self, base_url: str, url: str) -> str | None:
        """Tell which petition an address asks for, whatever its parameters are."""
        for path in (self.detail_path, AssemblyRequests().detail_path):
            if found := _compile_detail(base_url, path).fullmatch(url):
                return found["id"]
        return None


@cache
def read_requests(text: str) -> AssemblyRequests:
    """Read the setting; "" gives the defaults.

    Raises:
        ConfigError: no JSON object, no such file, an unknown key, or a path that cannot be.
    """
    if not text:
        return AssemblyRequests()
    try:
        told = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ConfigError(f"{SETTING} must be a JSON object or a file with one ({type(error).__name__})") from None
    unknown = set(told) - {*_PATHS, *_QUERIES} if isinstance(told, dict) else {type(told).__name__}
    if unknown:
        raise ConfigError(f"{SETTING} may hold {', '.join([*_PATHS, *_QUERIES])}, found {', '.join(sorted(unknown))}")
    usual = AssemblyRequests()
    values: dict[str, Any] = {_PATHS[key]: _require_path(key, value) for key, value in told.items() if key in _PATHS}
    for key in _QUERIES.keys() & told.keys():
        values[_QUERIES[key]] = _merge(key, getattr(usual, _QUERIES[key]), told[key])
    return replace(usual, **values)


def _require_path(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/") or not value.isascii() or not value.isprintable():
        raise ConfigError(f"{SETTING}: {key} must be a path that begins with /, got {value!r}")
    if (_ID in value) != (key != "list"):
        raise ConfigError(f"{SETTING}: {key} must {'not ' if key == 'list' else ''}hold {_ID}, got {value!r}")
    return value


def _merge(key: str, before: Texts, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(text is None or isinstance(text, str) for text in value.values()):
        raise ConfigError(f"{SETTING}: {key} must be an object of texts, null for none")
    merged: dict[str, str | None] = {**before, **value}
    if any(not text.isprintable() for text in (*merged, *filter(None, merged.values()))):
        raise ConfigError(f"{SETTING}: {key} holds signs that cannot be sent")
    return {name: text for name, text in merged.items() if text is not None}


@cache
def _compile_detail(base_url: str, detail_path: str) -> re.Pattern[str]:
    """The address of a petition: by its path, where that holds the id, else by all of it."""
    path = detail_path.partition("?")[0]
    shown, rest = (path, r"(?:\?.*)?") if _ID in path else (detail_path, "")
    before, *after = map(re.escape, f"{base_url}{shown}".split(_ID))
    return re.compile(before + f"(?P<id>{_PETITION_ID})" + "(?P=id)".join(after) + rest, re.ASCII)
