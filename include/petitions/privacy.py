"""Personal data out of a text before anything is stored: phone numbers, e-mail addresses, resident numbers.

The masks stand in the place of what they hide, so that a reader sees that something stood there. Masking is
idempotent: masking a masked text changes nothing. `mask_bytes` does the same for a raw answer on its way to the
archive, where the petitioner's name of the Assembly's API (`petrNm`) goes too.

What stands around a number decides less than it seems: "Tel010-...", "전화-010-..." and the line that begins in a JSON
answer with one hold one. Digits and the hex digits of an id do: "EB0100001234E054" holds none.
"""

import json
import re
from codecs import BOM_UTF8
from operator import mul

from petitions.errors import PetitionsError

PHONE, EMAIL, RESIDENT = "[전화번호]", "[이메일]", "[주민등록번호]"
_PETITIONER_KEY = "petrNm"
_FOUND = re.compile(r"\bfound .*")  # ends the message of an error of ours that quotes
_LONGEST_MESSAGE = 500  # characters
_MOST_BRACKETS = 100_000  # of JSON that is taken apart: real answers have some hundreds, a million take seconds
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_ZEROS = ord("0") * sum(_WEIGHTS)  # a hostile page may hold 400,000 of them: the check is made of their codes

_HYPHENS = r"-\u2010-\u2015"
_GAP = rf"[{_HYPHENS}.·\s)]{{0,2}}"
# A pattern begins with the signs that it may begin with and looks back after them: so the search skips all else.
_ALONE = rf"(?<![\dA-F].)(?<!\d[{_HYPHENS}].)"
_AFTER = rf"(?![\dA-F])(?![{_HYPHENS}]\d)"
_RESIDENT_NUMBER = re.compile(
    rf"(\d{_ALONE}\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(\s?[{_HYPHENS}]\s?)?"
    rf"([1-8](?:\d{{6}}{_AFTER}|[*xX]{{6}}))",
    re.ASCII,
)
# A run of address signs is tried once, from its begin: a body of 5 MB without blanks must not take seconds.
# Several in one match: the second of "a@b.test1a@b.test" begins where no other may.
_EMAIL_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9._%+-])"
    r"(?:[A-Za-z0-9._%+-]++\s?[@\uff20]\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.[A-Za-z]{2,10})++"
)
# Mobile, Seoul, provinces, internet, free and lifelong numbers; then the numbers that companies have all over the
# country, named one by one since "1592-1598" is a war.
_PHONE_NUMBER = re.compile(
    rf"[+(018]{_ALONE}(?:(?:(?:(?<=8)|(?<=\+)8)2{_GAP}\(?0?\)?|(?:(?<=0)|(?<=\()0))"
    rf"(?:1[016789]|2|[3-6][1-5]|70|80|50\d?)\)?{_GAP}\d{{3,4}}{_GAP}\d{{4}}"
    rf"|(?<=1)(?:5(?:22|33|44|66|77|88|99)|6(?:00|11|33|44|55|60|61|66|68|70|77|88|99)|8(?:00|11|22|33|55|66|77|99))"
    rf"[{_HYPHENS}.]\d{{4}}){_AFTER}",
    re.ASCII,
)
_PETITIONER = re.compile(rf'("{_PETITIONER_KEY}"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\Z)')  # the answer may be cut


def mask_text(text: str) -> str:
    """Replace resident numbers, e-mail addresses and Korean phone numbers by their masks."""
    # In this order, since a mask may uncover what stands beside it: "a@b.AA800101-1234567" holds a number after it.
    if "@" in text or "\uff20" in text:
        text = _EMAIL_ADDRESS.sub(EMAIL, text)
    return _RESIDENT_NUMBER.sub(_mask_resident, _PHONE_NUMBER.sub(PHONE, text))


def redact_error(error: BaseException) -> str:
    """What may be told of an error, besides its name, to people who may read no answer and no hidden petition.

    Of one of ours all but what it found in an answer; of any other nothing, since its words, which we do not choose,
    may quote what it was given. One line of at most 500 characters.
    """
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
        return {key: None if key == _PETITIONER_KEY else _mask_value(item) for key, item in value.items()}
    return value


def _mask_resident(match: re.Match[str]) -> str:
    """Thirteen digits without a hyphen are masked only when the check digit fits: they may be any number."""
    birth, hyphen, rest = match.groups()
    if hyphen or not rest.isdigit():
        return RESIDENT
    *digits, last = (birth + rest).encode()
    check = (11 - (sum(map(mul, _WEIGHTS, digits)) - _ZEROS) % 11) % 10
    return RESIDENT if check == last - ord("0") else match.group()
