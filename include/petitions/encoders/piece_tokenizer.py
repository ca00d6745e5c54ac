"""A folder in, its tokenizer out, as far as a network that reads needs it: by `tokenizers` alone.

It is the library within transformers' fast tokenizers, whose classes a night and a server need not wait for: their
import takes most of a second, which is as long as reading twenty petitions. Training, which saves tokenizers, has them
of hub.py.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from petitions.encoders.tokenizer_files import read_backend, read_marks

NO_MASK = -1  # no piece: a sentence encoder may lack it


class PieceTokenizer:
    """Holds a backend, without truncation and padding, and the special tokens, by the names of transformers.

    A mask that it lacks has no name, and the id NO_MASK.
    """

    def __init__(self, folder: Path) -> None:
        """Read the tokenizer of a model.

        Raises:
            WeightsError: there is none that can be read, or it lacks a special token.
        """
        self.backend_tokenizer = backend = read_backend(folder)
        marks = read_marks(folder, backend)
        known = {token.content for token in backend.get_added_tokens_decoder().values()}
        backend.add_special_tokens([mark for mark in dict.fromkeys(marks.values()) if mark not in known])
        self.unk_token, self.mask_token = marks.get("unk_token"), marks.get("mask_token")
        find: Any = backend.token_to_id  # each mark is a piece
        ids = {kind: int(find(mark)) for kind, mark in marks.items()}
        self.pad_token_id, self.cls_token_id, self.sep_token_id = (
            ids[kind] for kind in ("pad_token", "cls_token", "sep_token")
        )
        self.mask_token_id = ids.get("mask_token", NO_MASK)

    def __len__(self) -> int:
        """How many pieces it knows, special tokens among them."""
        return int(self.backend_tokenizer.get_vocab_size(with_added_tokens=True))

    def get_vocab(self) -> dict[str, int]:
        """The id of each piece."""
        return dict(self.backend_tokenizer.get_vocab(with_added_tokens=True))

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """The piece of each id; empty of one that it does not know."""
        return [self.backend_tokenizer.id_to_token(piece_id) or "" for piece_id in ids]
