"""Bytes of an answer to text, where a byte that is no UTF-8 does not spoil what stands far from it.

A site cuts a title by bytes, a mirror adds a footer of another encoding: one bad byte in what is never read. It becomes
a sign that no text has, and whoever reads a text refuses one with this sign in it: what is stored has no such hole.
"""

import codecs

BAD_BYTE = "\ufdd0"  # U+FDD0 is no character, by Unicode's word; HTML, JSON and libxml2 let it pass
_UNDECODED = dict.fromkeys(range(0xDC80, 0xDD00), BAD_BYTE)  # what "surrogateescape" makes of single bytes


def decode_answer(answer: bytes) -> str:
    """Decode UTF-8, without a byte-order mark; each byte that is none becomes BAD_BYTE."""
    whole = answer.removeprefix(codecs.BOM_UTF8)
    try:
        return whole.decode()
    except UnicodeDecodeError:
        return whole.decode(errors="surrogateescape").translate(_UNDECODED)
