"""One column out of a page of a site: bytes to a small tree, in a time that no page can stretch.

A page comes in; the column comes out as an element of xml.etree with its element names, classes and the text that a
browser shows. Scripts, comments, frames and all other attributes are gone before it is built. Nothing is evaluated.

A page is whole where its end tag comes after the column. What follows the tag is nobody's petition: a mirror's comment,
the footer of a web archive, one script more. And what is no UTF-8 outside of the column spoils nothing.

The page is parsed once, as lxml's events. Its trees are of no use here, nor those of what stands on them (lxml's
cssselect, parsel): a tag of 100,000 attributes takes them most of a minute, and what lies deeper than 256 is lost
without a word. So xml.etree holds what the limits let through; it takes characters too that lxml's own elements
refuse.
"""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder  # noqa: S405 - it builds, lxml parses

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
_RUBY = frozenset(("rp", "rt"))  # how to read the letters below them
_LINE_BREAKS = frozenset(("br", "div", "li", "p", "tr"))
_WHITE_SPACE = re.compile(r"[\t\r\n\f][ \t\r\n\f]*| [ \t\r\n\f]+")  # but for single blanks
_END_OF_PAGE = re.compile(r"</html(?:\s[^<>]*)?>", re.IGNORECASE)
# In the place of each end tag, of which lxml tells nothing: one within a script, a comment or an attribute is none.
_END_SIGN = "petitions-end-of-page"


def read_column(answer: bytes, url: str, column: str) -> tuple[Element, str]:
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
    except etree.LxmlError as error:
        raise ParseError(
            f"{url}: expected HTML, found {len(answer)} bytes that are not ({type(error).__name__})"
        ) from None
    if not cutter.is_whole:  # lxml reads a page that was cut as a shorter petition
        raise ParseError(f"{url}: expected a page up to </html>, found {len(answer)} bytes without it")
    if cutter.root is None:
        raise ParseError(f"{url}: .{column}: found nothing")
    return cutter.root, cutter.own_url


def find_class(root: Element, name: str) -> Iterator[Element]:
    """The elements of a class below one, in the order of the page."""
    return (node for node in root.iter() if has_class(node, name) and node is not root)


def has_class(node: Element, name: str) -> bool:
    """Tell whether an element is of a class."""
    classes = node.get("class", "")
    return name in classes and name in classes.split()


def list_texts(node: Element) -> list[str]:
    """The texts of an element between its tags; without what tells how to read letters (ruby)."""
    if node.tag in _RUBY:
        return []
    texts = [node.text or ""]
    for child in node:
        texts += [*list_texts(child), child.tail or ""]
    return [text for text in texts if text]


def render_text(block: Element) -> str:
    """Render text as a browser does: white space runs are one blank, breaks and blocks begin a new line."""
    parts = list[str]()
    _render(block, parts)
    return "\n".join(line.strip(" ") for line in "".join(parts).split("\n")).strip()


def _render(node: Element, parts: list[str]) -> None:
    parts.append(_WHITE_SPACE.sub(" ", node.text or ""))
    for child in node:
        parts.append("\n" if child.tag in _LINE_BREAKS else "")
        _render(child, parts)
        parts.append(_WHITE_SPACE.sub(" ", child.tail or ""))


class _Cutter:
    """Takes the events of lxml's parser and builds the column alone; its characters are counted as plain HTML has them.

    An element whose name is no word, such as <o:p> of Word, is a span without a class.
    """

    def __init__(self, url: str, column: str) -> None:
        self.root: Element | None = None
        self.own_url, self.is_whole = "", False
        self._url, self._column = url, column
        self._builder = TreeBuilder()
        self._n_characters = self._depth = 0
        self._begin = self._unshown = 0  # the depth of the column, of what is left out of it; 0 is outside

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise ParseError(f"{self._url}: the page is nested deeper than {MOST_NESTED}")
        if not self._begin:
            self._look(tag, attributes)
        if self._begin and not self._unshown:
            if tag in _UNSHOWN:
                self._unshown = self._depth
            elif tag.isalnum():
                self._open(tag, attributes.get("class", "") if attributes else "")  # looking in none is slow
            else:
                self._open("span", "")

    def end(self, tag: str) -> None:
        """An element ends, by its end tag or by what follows."""
        if self._depth == self._unshown:
            self._unshown = 0
        elif self._begin and not self._unshown:
            self._builder.end(tag)  # the last one that began, whatever it is named
            if tag not in _VOID:
                self._count(len(f"</{tag}>") if tag.isalnum() else len("</span>"))
        if self._depth == self._begin:
            self._begin = 0
        self._depth -= 1

    def data(self, text: str) -> None:
        """Text, its entities decoded."""
        if self._begin and not self._unshown:
            if BAD_BYTE in text:
                raise ParseError(f"{self._url}: .{self._column}: expected text in UTF-8, found bytes that are not")
            self._builder.data(text.replace("\r", "\n"))  # written as &#13;
            self._count(len(html.escape(text, quote=False)))

    def close(self) -> None:
        """The page ends."""

    def _look(self, tag: str, attributes: dict[str, str]) -> None:
        """Look outside of the column for its begin, the end of the page and the page's address."""
        self.is_whole |= tag == _END_SIGN
        if not attributes:
            return
        if tag == "meta" and attributes.get("property") == "og:url":
            self.own_url = attributes.get("content", "")
        if self.root is None and tag == "div" and self._column in attributes.get("class", "").split():
            self._begin = self._depth

    def _open(self, tag: str, classes: str) -> None:
        node = self._builder.start(tag, {"class": classes} if classes else {})
        if self.root is None:
            self.root = node
        self._count(len(f'<{tag} class="{html.escape(classes)}">' if classes else f"<{tag}>"))

    def _count(self, n_characters: int) -> None:
        self._n_characters += n_characters
        if self._n_characters > MOST_CHARACTERS:
            raise ParseError(f"{self._url}: .{self._column} is over the limit of {MOST_CHARACTERS} characters")
