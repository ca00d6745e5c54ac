"""Personal data out of a text before anything is stored: phone numbers, e-mail addresses, resident numbers.

The masks stand in the place of what they hide, so that a reader sees that something stood there. Masking is
idempotent: masking a masked text changes nothing. `mask_bytes` does the same for a raw answer on its way to the
archive, where the petitioner's name of the Assembly's API (`petrNm`) goes too.

What stands around a number decides less than it seems: "Tel010-...", "전화-010-..." and the line that begins in a JSON
answer with one hold one. Digits and the hex digits of an id do: "EB0100001234E054" holds none.

The patterns look at a folded text, in which a digit, a dash, a dot or a blank of any script is the plain one and what
cannot be seen is gone; what they find there is masked at its place in the text as it stands.
"""

import json
import os
import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from operator import mul

from petitions.errors import PetitionsError

PHONE, EMAIL, RESIDENT = "[전화번호]", "[이메일]", "[주민등록번호]"
_PETITIONER_KEYS = ("petrNm", "PTTR_NM", "PROPOSER")  # of the Assembly's API and of its open data
_FOUND = re.compile(r"\bfound .*")  # ends the message of an error of ours that quotes
_LONGEST_MESSAGE = 500  # characters
_MOST_BRACKETS = 100_000  # of JSON that is taken apart: real answers have some hundreds, a million take seconds
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_ZEROS = ord("0") * sum(_WEIGHTS)  # a hostile page may hold 400,000 of them: the check is made of their codes

# What people write for the sign before the colon. The long vowel of katakana and the Hangul vowel EU look like dashes.
_LOOKS_LIKE = {
    "-": "\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u2501\u2796\u1173\u3161\u30fc\ufe58\ufe63\uff70",
    "~": "\u02dc\u223c\u301c\u3030",
    ".": "\u00b7\u2022\u2024\u2027\u2219\u22c5\u3002\u30fb\u318d\u119e\uff65",
    "/": "\u2044\u2215",
    "_": "\u203f",
    "@": "\ufe6b",
    " ": "\u115f\u1160\u3164\uffa0",  # Hangul fillers
}
_UNSEEN = ("Cc", "Cf")  # categories: controls, zero-width and direction marks, soft hyphen
_ON_KEYS = "\ufe0e\ufe0f\u20e3"  # what stands behind a digit to draw it on a key
_FULL_WIDTH = range(0xFF01, 0xFF5F)  # of the ASCII signs, in their order

# A pattern begins with the signs that it may begin with and looks back after them: so the search skips all else.
_ALONE = r"(?<![\dA-F].)(?<!\d-.)"
_AFTER = r"(?![\dA-F])(?!-\d)"
_RESIDENT_NUMBER = re.compile(
    rf"(\d{_ALONE}\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(\s{{0,2}}[-.~/_]\s{{0,2}})?([1-8](?:\d{{6}}{_AFTER}|[*xX]{{6}}))",
    re.ASCII,
)
# A run of address signs is tried once, from its begin: a body of 5 MB without blanks must not take seconds.
# Several in one match: the second of "a@b.test1a@b.test" begins where no other may.
_EMAIL_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9._%+-])"
    r"(?:[A-Za-z0-9._%+-]++\s?@\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.[A-Za-z]{2,10})++"
)
# Mobile, Seoul, provinces, internet, free and lifelong numbers; then the numbers that companies have all over the
# country, named one by one since "1592-1598" is a war. A slash, a tilde or a low line must stand in both gaps of a
# number: in addresses and ranges they stand in one.
_GAP = r"\s{0,2}[-.)]{0,2}\s{0,2}"
_PHONE_NUMBER = re.compile(
    rf"[+(018]{_ALONE}(?:(?:(?:(?<=8)|(?<=\+)8)2{_GAP}\(?0?\)?|(?:(?<=0)|(?<=\()0))"
    rf"(?:1[016789]|2|[3-6][1-5]|70|80|50\d?)\)?"
    rf"(?:{_GAP}\d{{3,4}}{_GAP}\d{{4}}|\s?([/~_])\s?\d{{3,4}}\s?\1\s?\d{{4}})"
    rf"|(?<=1)(?:5(?:22|33|44|66|77|88|99)|6(?:00|11|33|44|55|60|61|66|68|70|77|88|99)|8(?:00|11|22|33|55|66|77|99))"
    rf"\s{{0,2}}[-.]\s{{0,2}}\d{{4}}){_AFTER}",
    re.ASCII,
)
_PETITIONER = re.compile(
    rf'("(?:{"|".join(_PETITIONER_KEYS)})"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\Z)'
)  # the answer may be cut


class _Folding(dict[int, str | None]):
    """What each sign is folded to, for `str.translate`; found when it is first met, since there are a million."""

    def __missing__(self, code: int) -> str | None:
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(sign: str) -> str | None:
    """The plain sign for this one; None for one that cannot be seen."""
    if (digit := unicodedata.decimal(sign, None)) is not None:
        return str(digit)
    if ord(sign) in _FULL_WIDTH:
        return chr(ord(sign) - 0xFEE0)
    if sign.isspace():
        return sign if sign == "\n" else " "
    if unicodedata.category(sign) in _UNSEEN or sign in _ON_KEYS:
        return None
    return next((plain for plain, others in _LOOKS_LIKE.items() if sign in others), sign)


_FOLDING = _Folding()
# All but the signs that most texts are made of and that are folded to themselves: the others alone are looked up.
_ODD = re.compile("[^ -~\n\uac00-\ud7a3\u2018-\u201d\u2026\u300a-\u3011]+")


def mask_text(text: str) -> str:
    """Replace resident numbers, e-mail addresses and Korean phone numbers by their masks."""
    folded = _fold_text(text)
    # In this order, since a mask may uncover what stands beside it: "a@b.AA800101-1234567" holds a number after it.
    for pattern, sign, choose in _MASKS:
        found = [(match.span(), choose(match)) for match in pattern.finditer(folded)] if sign in folded else ()
        if found:
            text = _put(text, folded, found)
            folded = _fold_text(text)
    return text


def _fold_text(text: str) -> str:
    return _ODD.sub(lambda run: run[0].translate(_FOLDING), text)


def _put(text: str, folded: str, found: Sequence[tuple[tuple[int, int], str]]) -> str:
    """Put what was found at spans of the folded text in its places; an empty string keeps what stands there."""
    places: Sequence[int] = range(len(text))  # of the signs of the folded text
    if len(folded) != len(text):
        places = [place for place, sign in enumerate(text) if _FOLDING[ord(sign)] is not None]
    pieces, end = [], 0
    for (first, after_last), mask in found:
        if mask:
            pieces += [text[end : places[first]], mask]
            end = places[after_last - 1] + 1
    return "".join((*pieces, text[end:]))


def redact_error(error: BaseException) -> str:
    """What may be told of an error, besides its name, to people who may read no answer and no hidden petition.

    Of one of ours all but what it found in an answer; of one of the system what the system calls it, such as that the
    disk is full, without the file; of any other nothing, since its words, which we do not choose, may quote what it was
    given. One line of at most 500 characters.
    """
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    if not isinstance(error, PetitionsError):
        return ""
    return _FOUND.sub("found …", " ".join(str(error).split()))[:_LONGEST_MESSAGE]


def mask_bytes(answer: bytes) -> bytes:
    """Mask a raw answer of a site: a JSON answer text by text, so that it stays JSON; any other as it stands.

    Bytes that are no UTF-8 are kept as they are. JSON of very many parts, which no site sends, is masked as it stands.
    """
    n_brackets = answer.count(b"[") + answer.count(b"{")
    if answer.removeprefix(BOM_UTF8).lstrip()[:1] in (b"{", b"[") and n_brackets <= _MOST_BRACKETS:
        try:
            masked = json.dumps(_mask_value(json.loads(answer)), ensure_ascii=False)
        except (ValueError, RecursionError):  # looks like JSON and is none, such as an answer that was cut
            pass
        else:
            return masked.encode("utf-8", "surrogatepass")
    text = answer.decode("utf-8", "surrogateescape")
    return mask_text(_PETITIONER.sub(r"\1null", text)).encode("utf-8", "surrogateescape")


def _mask_value(value: object) -> object:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, list):
        return [_mask_value(item) for item in value]
    if isinstance(value, dict):
        return {key: None if key in _PETITIONER_KEYS else _mask_value(item) for key, item in value.items()}
    return value


def _mask_phone(match: re.Match[str]) -> str:
    """A number of a town within a row of numbers with slashes is a part of the row, such as "2019/02/2019/2020"."""
    between, start = match[1], match.start()
    is_in_row = between and match.string[start - 1 : start] == between and match.string[start - 2 : start - 1].isdigit()
    return "" if is_in_row and not match[0].startswith("01") else PHONE


def _mask_resident(match: re.Match[str]) -> str:
    """Thirteen digits without a dash are masked only when the check digit fits: they may be any numbers."""
    birth, between, rest = match.groups()
    if (between and "-" in between) or not rest.isdigit():
        return RESIDENT
    *digits, last = (birth + rest).encode()
    check = (11 - (sum(map(mul, _WEIGHTS, digits)) - _ZEROS) % 11) % 10
    return RESIDENT if check == last - ord("0") else ""


# Each with a sign that must be in the text: few have an @, and to look for an address takes longest.
_MASKS: Sequence[tuple[re.Pattern[str], str, Callable[[re.Match[str]], str]]] = (
    (_EMAIL_ADDRESS, "@", lambda _: EMAIL),
    (_PHONE_NUMBER, "", _mask_phone),
    (_RESIDENT_NUMBER, "", _mask_resident),
)
