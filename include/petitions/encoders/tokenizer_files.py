"""The tokenizer of a model: the files of its folder in, a tokenizer out, and whether it knows Korean.

Read here and not by transformers' classes: of a folder without `tokenizer_config.json` these make a tokenizer that
lowers letters and takes Hangul apart, whatever `tokenizer.json` says, and [UNK] is all that is left of Korean.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, processors

from petitions.errors import WeightsError

# Special tokens, and how BERT and RoBERTa call them; a folder may say otherwise.
MARKS: Mapping[str, tuple[str, ...]] = {
    "unk_token": ("[UNK]", "<unk>"),
    "pad_token": ("[PAD]", "<pad>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}
NEEDED = ("pad_token", "cls_token", "sep_token")  # a sentence encoder fills no mask, and bytes are never unknown
TRIED = (
    "학교 앞 도로에 신호등과 횡단보도를 설치해 주세요.",
    "아파트 층간 소음 때문에 밤마다 잠을 잘 수 없습니다.",
    "국민의 안전을 위해 법을 고쳐 주시기 바랍니다.",
    "강아지와 고양이를 학대한 사람을 엄하게 처벌해야 합니다.",
    "버스가 하루에 네 번만 다녀서 병원에 가기 어렵습니다.",
    "소득이 적은 노인과 장애인의 의료비를 지원해 주십시오.",
)
MAX_UNKNOWN = 0.5  # of the pieces of TRIED; Korean and multilingual tokenizers have none
MAX_PIECES = 1.5  # a letter; Korean tokenizers have 0.5 to 0.7, one that spells by jamo or bytes 2 and more
MIN_USED = 0.9  # of the embeddings, by pieces of the tokenizer; a network may have some more, to fill rows of memory


def read_backend(folder: Path) -> tokenizers.Tokenizer:
    """Read `tokenizer.json`, else the `vocab.txt` of a BERT, without truncation and padding.

    Raises:
        WeightsError: there is neither, or it is damaged.
    """
    path = folder / "tokenizer.json"
    if path.is_file():
        try:
            backend = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - tokenizers knows no narrower one
            raise WeightsError(f"{path} is damaged: {error}") from error
    elif (folder / "vocab.txt").is_file():
        backend = _read_vocabulary(folder)
    else:
        raise WeightsError(
            f"{folder} has neither tokenizer.json nor vocab.txt; another tokenizer must be converted first "
            f"(AutoTokenizer.from_pretrained(folder).save_pretrained(folder))"
        )
    backend.no_truncation()
    backend.no_padding()
    return backend


def read_marks(folder: Path, backend: tokenizers.Tokenizer) -> dict[str, str]:
    """The special tokens, as the folder calls them, else as BERT and RoBERTa do.

    Raises:
        WeightsError: one that is needed is missing, or one that the folder names is no piece.
    """
    named = read_json(folder / "special_tokens_map.json") | read_json(folder / "tokenizer_config.json")
    marks: dict[str, str] = {}
    for kind, usual in MARKS.items():
        given = named.get(kind)
        token = given.get("content") if isinstance(given, dict) else given
        if token is None:
            token = next((name for name in usual if backend.token_to_id(name) is not None), None)
        elif not isinstance(token, str) or backend.token_to_id(token) is None:
            raise WeightsError(f"{folder}: {kind} is {token!r}, which is none of the tokenizer's pieces")
        if token is not None:
            marks[kind] = token
    missing = [kind for kind in NEEDED if kind not in marks]
    if missing:
        raise WeightsError(f"{folder}: the tokenizer has no {', '.join(missing)}")
    return marks


def require_korean(backend: tokenizers.Tokenizer, unknown: str | None, folder: Path) -> None:
    """Try a tokenizer on Korean sentences.

    Args:
        backend: the tokenizer.
        unknown: the piece that stands for what it does not know, if it has one.
        folder: for the message.

    Raises:
        WeightsError: most of its pieces stand for what it does not know, or are less than letters.
    """
    pieces = [piece for text in backend.encode_batch(list(TRIED), add_special_tokens=False) for piece in text.tokens]
    n_letters = sum(len(text.replace(" ", "")) for text in TRIED)
    share = sum(piece == unknown for piece in pieces) / max(1, len(pieces))
    if share > MAX_UNKNOWN or not pieces:
        raise WeightsError(
            f"{folder}: {share:.0%} of the pieces that its tokenizer makes of Korean sentences are {unknown}, at most "
            f"{MAX_UNKNOWN:.0%} may be: it knows no Korean, or files of it are missing"
        )
    if len(pieces) / n_letters > MAX_PIECES:
        raise WeightsError(
            f"{folder}: its tokenizer needs {len(pieces) / n_letters:.1f} pieces a letter of Korean, at most "
            f"{MAX_PIECES} may be: it knows no Korean"
        )


def require_vocabulary(n_pieces: int, n_embeddings: int, folder: Path) -> None:
    """Refuse a tokenizer that is not that of the weights; a few embeddings more than pieces are a matter of rounding.

    Raises:
        WeightsError: more pieces than embeddings, or far fewer.
    """
    if not MIN_USED * n_embeddings <= n_pieces <= n_embeddings:
        raise WeightsError(
            f"{folder}: its tokenizer has {n_pieces} pieces for {n_embeddings} embeddings, "
            f"it must have {MIN_USED:.0%} to 100% of them"
        )


def read_json(path: Path) -> dict[str, Any]:
    """An object of a JSON file; a file that is not there is an empty one.

    Raises:
        WeightsError: it is no JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise WeightsError(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path} must hold a JSON object, got {type(found).__name__}")
    return found


def _read_vocabulary(folder: Path) -> tokenizers.Tokenizer:
    path = folder / "vocab.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise WeightsError(f"{path} is no text in UTF-8: {error}") from error
    vocabulary = {piece: number for number, piece in enumerate(lines)}
    specials = [token for names in MARKS.values() for token in names[:1] if token in vocabulary]
    missing = [token for token in ("[UNK]", "[CLS]", "[SEP]") if token not in vocabulary]
    if missing:
        raise WeightsError(f"{path} has no {', '.join(missing)}, so it is no vocabulary of a BERT")
    plain = [piece for piece in vocabulary if piece not in specials]
    named = read_json(folder / "tokenizer_config.json")
    # Where the folder does not say it: one that has capitals keeps them, one that has syllables keeps these whole.
    lowercase = named.get("do_lower_case", not any(piece.lower() != piece for piece in plain))
    has_syllables = any("가" <= sign <= "힣" for piece in plain for sign in piece)
    strip_accents = named.get("strip_accents")
    backend = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - no password
    backend.normalizer = normalizers.BertNormalizer(
        handle_chinese_chars=named.get("tokenize_chinese_chars", True),
        lowercase=lowercase,
        strip_accents=False if strip_accents is None and has_syllables else strip_accents,
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(*((mark, vocabulary[mark]) for mark in ("[SEP]", "[CLS]")))
    backend.add_special_tokens(specials)
    return backend
