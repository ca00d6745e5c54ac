"""Personal data out of a text before anything is stored: phone numbers, e-mail addresses, resident numbers.

The masks stand in the place of what they hide, so that a reader sees that something stood there. Masking is
idempotent: masking a masked text changes nothing. `mask_bytes` does the same for a raw answer on its way to the
archive, where the petitioner's name of the Assembly's API (`petrNm`) goes too.
"""

import re

PHONE, EMAIL, RESIDENT = "[전화번호]", "[이메일]", "[주민등록번호]"
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)

_GAP = r"[-.·\s\u2010-\u2015)]{0,2}"
_RESIDENT_NUMBER = re.compile(
    r"(?<![\w-])(\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(\s?[-\u2010-\u2015]\s?)?([1-8](?:\d{6}|[*xX]{6}))(?![\d-])",
    re.ASCII,
)
_EMAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}\s?@\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.[A-Za-z]{2,10}"
)
_PHONE_NUMBER = re.compile(
    rf"(?<![\w-])(?:(?:\+?82{_GAP}\(?0?|\(?0)(?:1[016789]|2|[3-6][1-5]|70|80|50\d?)\)?{_GAP}\d{{3,4}}{_GAP}\d{{4}}"
    r"|1[568]\d\d[-.\u2010-\u2015]\d{4})(?![\w-])",
    re.ASCII,
)
_PETITIONER = re.compile(r'("petrNm"\s*:\s*)"(?:[^"\\]|\\.)*"')


def mask_text(text: str) -> str:
    """Replace resident numbers, e-mail addresses and Korean phone numbers by their masks."""
    text = _RESIDENT_NUMBER.sub(_mask_resident, text)
    text = _EMAIL_ADDRESS.sub(EMAIL, text)
    return _PHONE_NUMBER.sub(PHONE, text)


def mask_bytes(answer: bytes) -> bytes:
    """Mask a raw answer of a site; bytes that are no UTF-8 are kept as they are."""
    text = answer.decode("utf-8", "surrogateescape")
    return mask_text(_PETITIONER.sub(r"\1null", text)).encode("utf-8", "surrogateescape")


def _mask_resident(match: re.Match[str]) -> str:
    """Thirteen digits without a hyphen are masked only when the check digit fits: they may be any number."""
    birth, hyphen, rest = match.groups()
    if hyphen or not rest.isdigit():
        return RESIDENT
    digits = [int(digit) for digit in birth + rest]
    check = (11 - sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=False)) % 11) % 10
    return RESIDENT if check == digits[12] else match.group()
