"""One column out of a page of a site: bytes to a small tree, in a time that no page can stretch.

A page comes in; the column comes out as Beautiful Soup holds it, with element names, classes and the text that a
browser shows. Scripts, comments, frames and all other attributes are gone before it is built. Nothing is evaluated.

A page is whole where its end tag comes after the column. What follows the tag is nobody's petition: a mirror's comment,
the footer of a web archive, one script more. And what is no UTF-8 outside of the column spoils nothing.
"""

import html
import re

from bs4 import BeautifulSoup, Tag
from bs4.exceptions import ParserRejectedMarkup
from lxml import etree  # type: ignore[import-untyped]

from petitions.errors import ParseError
from petitions.sources.decoding import BAD_BYTE, decode_answer

# Far above what was seen: the real pages have 1,352 "<" in 60 kB and are 19 deep, the longest of 8,000 bodies has
# 28,436 characters in a column of some 35,000.
MOST_TAGS = 10_000
MOST_NESTED = 100  # lxml itself would drop without a word what lies deeper than 256
MOST_CHARACTERS = 200_000

_UNSHOWN = frozenset(
    ("iframe", "math", "noembed", "noframes", "noscript", "object", "plaintext", "script", "select", "style", "svg")
    + ("template", "textarea", "title", "xmp")
)
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
_END_OF_PAGE = re.compile(r"</html(?:\s[^<>]*)?>", re.IGNORECASE)
# In the place of each end tag, of which lxml tells nothing: one within a script, a comment or an attribute is none.
_END_SIGN = "petitions-end-of-page"


def read_column(answer: bytes, url: str, column: str) -> tuple[Tag, str]:
    """Read the first <div> of the class `column`, and what the page says that its own address is ("" if nothing).

    Raises:
        ParseError: the page is cut, over a limit, or has no such column, or one that is no UTF-8.
    """
    n_tags = answer.count(b"<")
    if n_tags > MOST_TAGS:
        raise ParseError(f"{url}: the page has {n_tags} tags, over the limit of {MOST_TAGS}")
    page = decode_answer(answer).replace("\0", BAD_BYTE)  # lxml would end at a NUL
    try:
        cutter = _Cutter(url, column)
        parser = etree.HTMLParser(target=cutter, encoding="utf-8")
        parser.feed(_END_OF_PAGE.sub(f"<{_END_SIGN}></{_END_SIGN}>", page).encode("utf-8"))
        parser.close()
        soup = BeautifulSoup("".join(cutter.parts), "lxml")
    except (etree.LxmlError, ParserRejectedMarkup) as error:
        raise ParseError(
            f"{url}: expected HTML, found {len(answer)} bytes that are not ({type(error).__name__})"
        ) from None
    if not cutter.is_whole:  # lxml reads a page that was cut as a shorter petition
        raise ParseError(f"{url}: expected a page up to </html>, found {len(answer)} bytes without it")
    found = soup.find("div", class_=column)
    if not isinstance(found, Tag):
        raise ParseError(f"{url}: .{column}: found nothing")
    return found, cutter.own_url


class _Cutter:
    """Takes the events of lxml's parser and writes the column anew, as plain HTML.

    Events, since lxml takes minutes to build a tree of one tag with a million attributes.
    """

    def __init__(self, url: str, column: str) -> None:
        self.parts: list[str] = []
        self.own_url, self.is_whole = "", False
        self._url, self._column = url, column
        self._n_characters = self._depth = 0
        self._begin = self._unshown = 0  # the depth of the column, of what is left out of it; 0 is outside
        self._is_done = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise ParseError(f"{self._url}: the page is nested deeper than {MOST_NESTED}")
        self.is_whole |= tag == _END_SIGN and not self._begin
        classes = attributes.get("class", "")
        if tag == "meta" and attributes.get("property") == "og:url" and not self._begin:
            self.own_url = attributes.get("content", "")
        if not self._begin and not self._is_done and tag == "div" and self._column in classes.split():
            self._begin = self._depth
        if self._begin and not self._unshown:
            if tag in _UNSHOWN:
                self._unshown = self._depth
            elif tag.isalnum():
                self._write(f'<{tag} class="{html.escape(classes)}">' if classes else f"<{tag}>")
            else:
                self._write("<span>")

    def end(self, tag: str) -> None:
        """An element ends, by its end tag or by what follows."""
        if self._depth == self._unshown:
            self._unshown = 0
        elif self._begin and not self._unshown and tag not in _VOID:
            self._write(f"</{tag}>" if tag.isalnum() else "</span>")
        if self._depth == self._begin:
            self._begin, self._is_done = 0, True
        self._depth -= 1

    def data(self, text: str) -> None:
        """Text, its entities decoded."""
        if self._begin and not self._unshown:
            if BAD_BYTE in text:
                raise ParseError(f"{self._url}: .{self._column}: expected text in UTF-8, found bytes that are not")
            self._write(html.escape(text, quote=False))

    def close(self) -> None:
        """The page ends."""

    def _write(self, part: str) -> None:
        self.parts.append(part)
        self._n_characters += len(part)
        if self._n_characters > MOST_CHARACTERS:
            raise ParseError(f"{self._url}: .{self._column} is over the limit of {MOST_CHARACTERS} characters")
