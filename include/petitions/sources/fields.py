"""One field of an answer, checked: counts, days, text. `where` names URL and key in the error message."""

import html
import json
import re
from datetime import date

from petitions.errors import ParseError

MOST_AGREEMENTS = 1_000_000_000
_COUNT = re.compile(r"\d{1,10}|\d{1,3}(?:,\d{3}){1,3}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T].*)?", re.ASCII)
# Known element names alone: petitions quote laws as "<개정 2018. 4. 17.>", which is text.
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])\s*>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|b|div|em|font|h[1-6]|i|img|li|ol|p|span|strong|table|tbody|td|th|tr|u|ul)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
# With the semicolon alone: html.unescape would read the "&para" of "?a=1&params=2" as a sign.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


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
        ParseError: `value` is no such day.
    """
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        raise ParseError(f"{where}: expected YYYY-MM-DD, found {shorten(value)}")
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        raise ParseError(f"{where}: no such day {shorten(value)}") from None


def parse_text(value: object, where: str) -> str:
    """Read a text field of a JSON answer as plain text: <br> to newline, other tags gone, entities decoded.

    Raises:
        ParseError: `value` is no text or blank.
    """
    if not isinstance(value, str):
        raise ParseError(f"{where}: expected text, found {type(value).__name__}")
    text = _TAG.sub("", _BREAK.sub("\n", value.replace("\r\n", "\n")))
    text = _ENTITY.sub(lambda match: html.unescape(match.group()), text).strip()
    if not text:
        raise ParseError(f"{where}: expected text, found nothing")
    return text


def parse_json(answer: bytes, url: str) -> object:
    """Read a JSON answer.

    Raises:
        ParseError: it is no JSON.
    """
    try:
        value: object = json.loads(answer)
    except (ValueError, RecursionError) as error:  # ValueError: no UTF-8, no JSON, a number of 5,000 digits
        raise ParseError(
            f"{url}: expected JSON, found {len(answer)} bytes that are none ({type(error).__name__})"
        ) from None
    return value


def shorten(value: object) -> str:
    """Show what was found in at most 40 characters; a message is no place for somebody's text."""
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
