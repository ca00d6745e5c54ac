"""One field of an answer, checked: counts, days, text. `where` names URL and key in the error message.

All of it is linear in the length of what comes in, or bounded before: an answer may hold 5 MB of anything.
"""

import html
import json
import re
from datetime import date

from petitions.errors import ParseError
from petitions.sources.decoding import BAD_BYTE, decode_answer

# Far above what was seen in 9,482 petitions: 2,715,626 agreements, a title of 176 characters, a body of 28,436 with
# 117 "<". The list pages ask for 100 and 7 rows.
MOST_AGREEMENTS = 1_000_000_000
MOST_TITLE_CHARACTERS = 500
MOST_CHARACTERS = 200_000
MOST_ROWS = 10_000
MOST_CODE_CHARACTERS = 100  # of a code or its name; the longest real one has 29
MOST_BRACKETS = 100_000  # that open a list or an object, in texts too; a real list page of 100 rows has some 500
MOST_PASSES = 10  # of taking tags out: "<<b>b>" holds one in another
FIRST_YEAR, LAST_YEAR = 2000, 2100

_COUNT = re.compile(r"\d{1,10}|\d{1,3}(?:,\d{3}){1,3}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T].*)?", re.ASCII)
# Known element names alone: petitions quote laws as "<개정 2018. 4. 17.>", which is text.
_BREAK = re.compile(r"<br\s*+/?>|</(?:p|div|li|tr|h[1-6])\s*+>", re.IGNORECASE)
_TAG = re.compile(
    r"<!--[^<>]*-->|<(script|style|iframe)(?:\s[^<>]*)?>[^<]*</\1\s*+>"
    r"|</?(?:a|b|button|div|em|embed|font|form|h[1-6]|hr|i|iframe|img|input|li|link|meta|object|ol|p|script|span|strong"
    r"|style|svg|table|tbody|td|th|tr|u|ul)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
# With the semicolon alone: html.unescape would read the "&para" of "?a=1&params=2" as a sign.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # Postgres takes no NUL, UTF-8 no half of a pair


def parse_count(value: object, where: str) -> int:
    """Read a number of agreements, an int or digits with or without thousands commas.

    Raises:
        ParseError: `value` is no such number.
    """
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _COUNT.fullmatch(text) or (count := int(text.replace(",", ""))) > MOST_AGREEMENTS:
        raise ParseError(f"{where}: expected a count, found {shorten(value)}")
    return count


def parse_day(value: object, where: str) -> date:
    """Read the day of "YYYY-MM-DD", a time after it is let go.

    Raises:
        ParseError: `value` is no such day, or none of this century.
    """
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        raise ParseError(f"{where}: expected YYYY-MM-DD, found {shorten(value)}")
    try:
        day = date.fromisoformat(value.strip()[:10])
    except ValueError:
        raise ParseError(f"{where}: expected a day that there is, found {shorten(value)}") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ParseError(f"{where}: expected a day of {FIRST_YEAR} to {LAST_YEAR}, found {day}")
    return day


def parse_text(value: object, where: str) -> str:
    """Read a text field of a JSON answer as plain text: <br> to newline, other tags gone, entities decoded once.

    Raises:
        ParseError: `value` is no text, blank, too long, or holds tags within tags or bytes that are no UTF-8.
    """
    if not isinstance(value, str):
        raise ParseError(f"{where}: expected text, found {type(value).__name__}")
    if BAD_BYTE in value:
        raise ParseError(f"{where}: expected text in UTF-8, found bytes that are not")
    if len(value) > MOST_CHARACTERS:
        raise ParseError(f"{where}: a text of {len(value)} characters is over the limit of {MOST_CHARACTERS}")
    text = _drop_tags(_UNSTORABLE.sub("", value.replace("\r\n", "\n")), where)
    text = _ENTITY.sub(lambda match: html.unescape(match.group()), text).strip()
    if not text:
        raise ParseError(f"{where}: expected text, found nothing")
    return text


def parse_title(value: object, where: str) -> str:
    """Read a title of a JSON answer, on one line.

    Raises:
        ParseError: as `parse_text` and `check_title`.
    """
    return check_title(parse_text(value, where), where)


def check_title(text: str, where: str) -> str:
    """Put a title on one line.

    Raises:
        ParseError: it is too long for one.
    """
    title = " ".join(text.split())
    if len(title) > MOST_TITLE_CHARACTERS:
        raise ParseError(f"{where}: a title of {len(title)} characters is over the limit of {MOST_TITLE_CHARACTERS}")
    return title


def parse_code(value: object, where: str) -> str:
    """Read a code of a site, or its name, as it says it; "" for null.

    Raises:
        ParseError: `value` is no text, or no code.
    """
    if value is None:
        return ""
    text = " ".join(_UNSTORABLE.sub("", value).split()) if isinstance(value, str) else None
    if text is None or BAD_BYTE in text or len(text) > MOST_CODE_CHARACTERS:
        raise ParseError(f"{where}: expected a code or a name, found {shorten(value)}")
    return text


def parse_json(answer: bytes, url: str) -> object:
    """Read a JSON answer.

    Raises:
        ParseError: it is no JSON, or one of more lists and objects than any answer has. A byte that is no UTF-8 is
            left to whoever reads the text that it is in.
    """
    n_brackets = answer.count(b"[") + answer.count(b"{")
    if n_brackets > MOST_BRACKETS:
        raise ParseError(f"{url}: JSON with {n_brackets} opening brackets is over the limit of {MOST_BRACKETS}")
    try:
        value: object = json.loads(decode_answer(answer))  # of bytes it would take UTF-16 too, which no mask knows
    except (ValueError, RecursionError) as error:  # ValueError: no JSON, or a number of 5,000 digits
        raise ParseError(
            f"{url}: expected JSON, found {len(answer)} bytes that are none ({type(error).__name__})"
        ) from None
    return value


def check_rows(rows: list[object], url: str) -> list[object]:
    """Give the rows of a list back.

    Raises:
        ParseError: there are more than any page of a list has.
    """
    if len(rows) > MOST_ROWS:
        raise ParseError(f"{url}: a list of {len(rows)} rows is over the limit of {MOST_ROWS}")
    return rows


def shorten(value: object) -> str:
    """Show what was found in at most 40 characters, of a list or an object its kind alone; never somebody's text."""
    if value is not None and not isinstance(value, str | int | float):
        return type(value).__name__
    shown = repr(value[:40] if isinstance(value, str) else value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def _drop_tags(text: str, where: str) -> str:
    for _ in range(MOST_PASSES):
        before = text
        text = _TAG.sub("", _BREAK.sub("\n", text))
        if text == before:
            return text
    raise ParseError(f"{where}: a text holds tags within tags, over the limit of {MOST_PASSES} deep")
