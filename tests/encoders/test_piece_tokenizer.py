"""The tokenizer of networks that read gives what transformers' own class gives of the same folder."""

import json

import pytest

from encoders.tiny_folders import TINY, copy_tiny, write_tiny_xlmr
from petitions.encoders.hub import load_tokenizer
from petitions.encoders.piece_tokenizer import NO_MASK, PieceTokenizer
from petitions.settings import MODELS

TEXTS = ("학교 버스를 국회 청원", "강아지를 보호하라 😀", "[MASK] 병원", "가[SEP]나 <mask> <s>다", "", "버스ABC ①123")
NAMES = ("unk_token", "mask_token", "pad_token_id", "cls_token_id", "sep_token_id", "mask_token_id")


def write_vocabulary(folder):
    """A folder of a vocabulary alone, as early ones are."""
    vocabulary = PieceTokenizer(TINY).get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n")
    return folder


def forget_marks(folder):
    """A tokenizer.json that does not say which pieces are special."""
    told = json.loads((copy_tiny(folder) / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**told, "added_tokens": []}))
    return folder


FOLDERS = {
    "tiny": lambda _: TINY,
    "sentence-small": lambda _: MODELS / "sentence-small",
    "XLM-R": write_tiny_xlmr,
    "vocab.txt": write_vocabulary,
    "no marks": forget_marks,
}


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("has_marks", [True, False])
def test_pieces_and_marks_are_those_of_transformers(tmp_path, kind, has_marks):
    folder = FOLDERS[kind](tmp_path)
    ours, theirs = PieceTokenizer(folder), load_tokenizer(folder)
    assert len(ours) == len(theirs)
    assert ours.get_vocab() == theirs.get_vocab()
    for name in NAMES:
        expected = getattr(theirs, name)
        assert getattr(ours, name) == (NO_MASK if name == "mask_token_id" and expected is None else expected)
    ids = list(range(len(ours)))
    assert ours.convert_ids_to_tokens(ids) == theirs.convert_ids_to_tokens(ids)
    for backend in (ours.backend_tokenizer, theirs.backend_tokenizer):
        backend.encode_special_tokens = not has_marks
    for text in TEXTS:
        found, expected = (each.backend_tokenizer.encode(text, add_special_tokens=False).ids for each in (ours, theirs))
        assert found == expected
