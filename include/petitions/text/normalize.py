"""A petition as its parser read it comes in; the same petition goes out clean: one form of each character, of each gap.

What is done: entities decoded however often they were escaped, NFC, control and invisible characters out, white
space tidied, personal data masked, the moderator's notice cut and remembered. Normalizing twice changes nothing.
"""

import html
import re
import unicodedata
from dataclasses import dataclass, replace

from petitions.errors import ParseError
from petitions.privacy import mask_text
from petitions.records import Petition

MAX_CHARACTERS = 1_000_000
MAX_ESCAPES = 10

# Only with the semicolon: "?a=1&copy=2" is an address, not a copyright sign.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Patterns begin with a sign or a set of signs, to which the search leaps.
_LINE_END = re.compile("[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029](?:(?<=\r)\n)?")
# Controls, soft hyphen, zero-width marks, direction marks, byte-order mark, lone surrogates, noncharacters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufffe\uffff]"
)
# White space but the line feed, and the Hangul fillers, which look like blanks; a blank by itself is one already.
_WIDE = r"\t\x0b-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u115f\u1160\u3164\uffa0"
_BLANKS = re.compile(f"[{_WIDE}][ {_WIDE}]*| [ {_WIDE}]+")
_EMPTY_LINES = re.compile(r"\n{3,}")

_NOTICE_WORDS = "본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다"
# On one line, any spacing or none; its line break after cutting keeps what stood around it from making a new notice.
_NOTICE_BARE = re.compile(r"[^\S\n]*".join(map(re.escape, _NOTICE_WORDS.replace(" ", ""))))
_NOTICE = re.compile(rf"(?:[\[［][^\S\n]*)?{_NOTICE_BARE.pattern}(?:[^\S\n]*\.)?(?:[^\S\n]*[\]］])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizedText:
    """A clean text, and whether the moderator's notice stood in it."""

    text: str
    is_moderated: bool


def normalize_petition(petition: Petition) -> Petition:
    """Clean title (one line), purpose and body; `is_moderated` is set when the notice stood in one of them.

    Raises:
        ParseError: as `normalize_text`, or nothing is left of the title, such as one of invisible characters alone.
    """
    title, purpose, body = map(normalize_text, (petition.title, petition.purpose, petition.body))
    if not title.text:
        raise ParseError(f"nothing is left of a title of {len(petition.title)} characters")
    return replace(
        petition,
        title=mask_text(" ".join(title.text.split())),
        purpose=purpose.text,
        body=body.text,
        is_moderated=petition.is_moderated or title.is_moderated or purpose.is_moderated or body.is_moderated,
    )


def normalize_text(text: str) -> NormalizedText:
    """Clean one text; an empty one stays empty.

    Lines are stripped, blanks in a row become one, at most one empty line stands in a row.

    Raises:
        ParseError: over `MAX_CHARACTERS` characters, or entities escaped more than `MAX_ESCAPES` times.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"a text of {len(text)} characters is over the limit of {MAX_CHARACTERS}")
    text = _decode(text)
    is_moderated = _NOTICE_BARE.search(text) is not None
    if is_moderated:
        text = _NOTICE.sub("\n", text)
    return NormalizedText(text=mask_text(_tidy_white_space(text)), is_moderated=is_moderated)


def _decode(text: str) -> str:
    """Decode entities and drop what cannot be seen until nothing changes: either may uncover more of the other."""
    for _ in range(MAX_ESCAPES + 1):
        before = text
        text = _INVISIBLE.sub("", _LINE_END.sub("\n", text))
        text = unicodedata.normalize("NFC", _ENTITY.sub(lambda match: html.unescape(match.group()), text))
        if text == before:
            return text
    raise ParseError(f"a text holds entities escaped more than {MAX_ESCAPES} times")


def _tidy_white_space(text: str) -> str:
    text = _BLANKS.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
    return _EMPTY_LINES.sub("\n\n", text).strip()
