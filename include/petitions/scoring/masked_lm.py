"""Texts in, what BERT reads behind a mask out: fillings of a [MASK], and how well words fit as a text's subject."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.sequences import TokenSequence
from petitions.errors import ConfigError

# A title that asks for its own subject. The mask stands alone, so that whole words fit it and not pieces of one.
PROMPT = "{mask} 문제를 해결해 주세요"
KOREAN_WORD = re.compile(r"[가-힣]{2,}")
WORD = re.compile(r"(##)?\w+")  # a piece of letters or digits, unlike "." and "[UNK]"

# One plain sentence for each category of the Blue House's site: what fits the prompt here fits any petition.
CATEGORIES = """정치개혁, 외교 통일 국방, 일자리, 미래, 성장동력, 농산어촌, 보건복지, 육아 교육, 안전 환경,
    저출산 고령화대책, 행정, 반려동물, 교통 건축 국토, 경제민주화, 인권 성평등, 문화 예술 체육 언론, 기타"""
NEUTRAL_TEXTS = tuple(
    f"{category.strip()}에 관한 청원입니다. 정부가 나서서 이 문제를 해결해 주시기 바랍니다."
    for category in CATEGORIES.split(",")
)
CHUNK = 256  # texts predicted at once; logits over a large vocabulary take memory
N_SPECIAL = 3  # [CLS] prompt [SEP] text [SEP]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A piece that may stand behind the mask."""

    token: str  # as the vocabulary has it: "##을" goes on from the piece before it
    probability: float


def fill_mask(bert: BertEncoder, texts: Sequence[str], top_k: int) -> list[list[Filling]]:
    """Fill the one mask in each text: words first, then signs and special pieces; of both the most probable first.

    A small network puts a full stop or a comma behind any mask, which answers no question. Of a text that is longer
    than the network has positions, the part around the mask is read.

    Raises:
        ConfigError: a text without exactly one mask, or `top_k` below 1.
        WeightsError: the checkpoint has no masked-word head.
    """
    _check_top_k(top_k)
    mask_id, mask_token = bert.tokenizer.mask_token_id, bert.tokenizer.mask_token
    room = bert.n_positions - 2
    sequences: list[TokenSequence] = []
    for number, pieces in enumerate(bert.encode_pieces(texts, has_marks=True), start=1):
        if (n_masks := pieces.count(mask_id)) != 1:
            raise ConfigError(f"text {number} must have one {mask_token}, got {n_masks}")
        position = pieces.index(mask_id)
        start = max(0, min(position - room // 2, len(pieces) - room))
        sequences.append(bert.frame(pieces[start : start + room], position=position - start + 1))
    pieces_by_id = bert.tokenizer.convert_ids_to_tokens(list(range(len(bert.tokenizer))))  # a network may have more
    is_sign = np.array([not WORD.fullmatch(piece) for piece in pieces_by_id])  # [W]
    fillings = []
    for start in range(0, len(sequences), CHUNK):
        for row in _softmax(bert.predict_masked(sequences[start : start + CHUNK])):
            best = np.lexsort((-row[: len(is_sign)], is_sign))[:top_k]  # lexsort is stable; the last key decides first
            fillings.append([Filling(token=pieces_by_id[place], probability=float(row[place])) for place in best])
    return fillings


def read_masked_ratios(
    bert: BertEncoder, texts: Sequence[str], words_of: Sequence[Collection[str]]
) -> list[dict[str, float]]:
    """Ask BERT for the subject of each text: how well words fit the mask of a prompt standing before it as its title.

    Only words of the text itself count, since a small model guesses freely. What fits the prompt before any petition
    ("정부 문제를 …") says nothing, so each word's probability is divided by its mean before NEUTRAL_TEXTS (the
    domain-conditional mutual information of Holtzman et al. 2021; contextual calibration, Zhao et al. 2021). A text
    longer than the network has positions is read in windows, and the probabilities are averaged.

    Args:
        bert: a BERT with a masked-word head.
        texts: N texts.
        words_of: N collections: the words of each text that may be its keywords, such as its nouns. Korean ones of
            two letters or more that the vocabulary has whole are asked about.

    Returns:
        N mappings of those words to how much likelier they are with the text than without it.

    Raises:
        WeightsError: the checkpoint has no masked-word head.
    """
    vocabulary = sorted(bert.tokenizer.get_vocab().items(), key=lambda item: item[1])
    known = [(word, index) for word, index in vocabulary if KOREAN_WORD.fullmatch(word)]
    place_of = {word: place for place, (word, _) in enumerate(known)}
    ids = np.array([index for _, index in known], np.int64)  # [W]
    prior = _read_behind_prompt(bert, NEUTRAL_TEXTS, ids).mean(axis=0)  # [W]
    found: list[dict[str, float]] = []
    for start in range(0, len(texts), CHUNK):
        ratios = _read_behind_prompt(bert, texts[start : start + CHUNK], ids) / prior  # [C, W]
        for allowed, row in zip(words_of[start : start + CHUNK], ratios, strict=True):
            found.append({word: float(row[place_of[word]]) for word in sorted(set(allowed) & place_of.keys())})
    return found


def _read_behind_prompt(bert: BertEncoder, texts: Sequence[str], ids: npt.NDArray[np.int64]) -> Floats:
    """Probabilities of the pieces `ids` behind the mask of the prompt, float64 [N, W]; windows are averaged."""
    (prompt,) = bert.encode_pieces([PROMPT.format(mask=bert.tokenizer.mask_token)], has_marks=True)
    position = prompt.index(bert.tokenizer.mask_token_id) + 1
    room = bert.n_positions - len(prompt) - N_SPECIAL
    sequences: list[TokenSequence] = []
    owners: list[int] = []
    for owner, pieces in enumerate(bert.encode_pieces(texts)):
        for start in range(0, max(len(pieces), 1), room):
            sequences.append(bert.frame(prompt, pieces[start : start + room], position=position))
            owners.append(owner)
    totals = np.zeros((len(texts), len(ids)))  # [N, W]
    for start in range(0, len(sequences), CHUNK):
        probabilities = _softmax(bert.predict_masked(sequences[start : start + CHUNK]))[:, ids]  # [C, W]
        np.add.at(totals, owners[start : start + CHUNK], probabilities)
    return totals / np.bincount(owners, minlength=len(texts))[:, np.newaxis]


def _check_top_k(top_k: int) -> None:
    if top_k < 1:
        raise ConfigError(f"top_k must be at least 1, got {top_k}")


def _softmax(logits: npt.NDArray[np.float32]) -> Floats:
    """Probabilities float64 [N, V] of logits float32 [N, V]."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
