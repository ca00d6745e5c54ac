"""Tokens in, character ids out: the published ELMo vocabulary of 262 ids over the bytes of UTF-8.

Numbers as in bilm-tf, `bilm/data.py`, plus the shift by one of AllenNLP, which frees 0 for padding.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

N_CHARACTERS = 262  # 256 bytes, five marks, and 0
BEGIN_SENTENCE, END_SENTENCE, BEGIN_WORD, END_WORD, PADDING = 257, 258, 259, 260, 261  # already shifted

# The two tokens that frame every sentence are no text, so they stand apart from str.
BOS, EOS = object(), object()
_MARKS = {id(BOS): BEGIN_SENTENCE, id(EOS): END_SENTENCE}
Token = str | object


def to_character_ids(tokens: Sequence[Token], max_characters: int) -> npt.NDArray[np.int32]:
    """Spell tokens as byte ids between a begin-of-word and an end-of-word mark.

    Args:
        tokens: N tokens, text or `BOS` or `EOS`; what UTF-8 cannot hold (a lone surrogate) is left out, as in bilm-tf.
        max_characters: C, marks counted in; the bytes beyond C - 2 are cut, since the published network was trained so.

    Returns:
        int32 [N, C], padded with `PADDING`.
    """
    ids = np.full((len(tokens), max_characters), PADDING, dtype=np.int32)  # [N, C]
    for row, token in zip(ids, tokens, strict=True):
        spelled = _spell(token)[: max_characters - 2]
        row[0] = BEGIN_WORD
        row[1 : len(spelled) + 1] = spelled
        row[len(spelled) + 1] = END_WORD
    return ids


def trim_padding(ids: npt.NDArray[np.int32], widest_filter: int, widths: Sequence[int]) -> npt.NDArray[np.int32]:
    """Drop columns of padding that cannot change the result, to the narrowest of `widths` that is safe.

    The maximum over time is the same as long as one window of the widest filter sees nothing but padding.

    Args:
        ids: int32 [N, C].
        widest_filter: characters that the widest convolution sees.
        widths: the widths to choose from, ascending; few, since each is a shape to compile.

    Returns:
        int32 [N, C'], C' being one of `widths`, or C where none is enough.
    """
    used = int((ids != PADDING).any(axis=0).sum())
    for width in widths:
        if used + widest_filter <= width < ids.shape[1]:
            return ids[:, :width]
    return ids


def count_bytes(token: Token) -> int:
    """Characters that a token is spelled with, its two marks not counted."""
    return len(_spell(token))


def _spell(token: Token) -> list[int]:
    if isinstance(token, str):
        return [byte + 1 for byte in token.encode("utf-8", "ignore")]
    return [_MARKS[id(token)]]
