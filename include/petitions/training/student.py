"""A small BERT made from a large one: some of its layers, its positions, and a vocabulary of our own.

The network starts as a rough copy of its teacher instead of from noise: a piece of our vocabulary begins as the mean of
the teacher's pieces that spell it (WECHSEL and FOCUS do the like; Minixhofer et al. 2022, Dobler and de Melo 2023).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tokenizers

from petitions.encoders.bert import Bert, BertSize, MaskedLmHead, PairHead, SegmentMatchHead, build_bert
from petitions.encoders.bert_checkpoint import (
    Checkpoint,
    name_backbone,
    read_checkpoint,
)
from petitions.encoders.hub import PreTrainedTokenizerFast, load_tokenizer
from petitions.encoders.pooling import mean_pool
from petitions.encoders.sequence_head import SequenceHead
from petitions.errors import ConfigError

WORD_EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
POSITION_EMBEDDINGS = "bert.embeddings.position_embeddings.weight"
SEGMENT_EMBEDDINGS = "bert.embeddings.token_type_embeddings.weight"
LAYER = "bert.encoder.layer."
CONTINUES = "##"
SPECIAL = {
    "[PAD]": "pad_token",
    "[UNK]": "unk_token",
    "[CLS]": "cls_token",
    "[SEP]": "sep_token",
    "[MASK]": "mask_token",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """An encoder with its two heads, and one of labels where it is fine-tuned for them."""

    bert: Bert
    masked_lm: MaskedLmHead
    next_sentence: PairHead
    sequence: SequenceHead | None = None

    @property
    def layers(self) -> tuple[keras.layers.Layer, ...]:
        """Encoder and heads."""
        layers = (self.bert, self.masked_lm, self.next_sentence)
        return layers if self.sequence is None else (*layers, self.sequence)

    @property
    def variables(self) -> list[keras.Variable]:
        """All that is trained, always in the same order."""
        return [variable for layer in self.layers for variable in layer.trainable_variables]


def make_student(teacher: Path, tokenizer: PreTrainedTokenizerFast, layers: Sequence[int], n_positions: int) -> Network:
    """Make a network of the teacher's width from some of its layers; the heads are fresh.

    Args:
        teacher: the folder of a BERT.
        tokenizer: WordPiece, of V pieces.
        layers: which of the teacher's layers, in order, counted from 0.
        n_positions: how many of the teacher's positions are kept.

    Raises:
        ConfigError: the teacher has no such layer, or fewer positions.
        WeightsError: as `read_checkpoint` raises it.
    """
    checkpoint = read_checkpoint(teacher)
    n_layers = checkpoint.size.num_hidden_layers
    if not layers or not all(0 <= layer < n_layers for layer in layers):
        raise ConfigError(f"layers must be among 0 to {n_layers - 1}, got {list(layers)}")
    if n_positions > checkpoint.size.n_positions:
        raise ConfigError(f"the teacher has {checkpoint.size.n_positions} positions, got {n_positions}")
    tensors = dict(checkpoint.tensors)
    for target, layer in enumerate(layers):
        old, new = f"{LAYER}{layer}.", f"{LAYER}{target}."
        tensors |= {new + key[len(old) :]: value for key, value in checkpoint.tensors.items() if key.startswith(old)}
    vectors = tensors[WORD_EMBEDDINGS].astype(np.float32)
    tensors[WORD_EMBEDDINGS] = piece_vectors(tokenizer, load_tokenizer(teacher), vectors)
    tensors[POSITION_EMBEDDINGS] = tensors[POSITION_EMBEDDINGS][checkpoint.size.position_offset :][:n_positions]
    tensors[SEGMENT_EMBEDDINGS] = np.repeat(tensors[SEGMENT_EMBEDDINGS][:1], 2, axis=0)  # the second is untrained
    size = replace(
        checkpoint.size,
        vocab_size=len(tokenizer),
        num_hidden_layers=len(layers),
        max_position_embeddings=n_positions,
        type_vocab_size=2,
        position_offset=0,
    )
    network = _build(size)
    Checkpoint(folder=teacher, size=size, tensors=tensors).fill(name_backbone(network.bert))
    return network


def centre(network: Network, token_ids: npt.NDArray[np.int32], mask: npt.NDArray[np.int32]) -> None:
    """Take out of the encoder's vectors what those of all texts have in common; the masked-word head answers as before.

    Mean pooling is linear, so that the shift of the last layer norm does it, and nothing is computed besides. That
    head begins with a dense layer, whose bias takes up what the shift gives away.

    Args:
        network: whose last shift is changed.
        token_ids: int32 [B, T], some hundred texts.
        mask: int32 [B, T].
    """
    vectors = mean_pool(network.bert(token_ids, np.zeros_like(token_ids), mask), mask)  # [B, D]
    common = np.mean(vectors, axis=0)  # [D]
    network.bert.blocks[-1].output_norm.beta.assign_sub(common)
    dense = network.masked_lm.transform
    dense.bias.assign_add(common @ dense.kernel.numpy())


def expect_frequencies(head: MaskedLmHead, texts: Iterable[npt.NDArray[np.int32]]) -> None:
    """Let a fresh masked-word head guess by how often pieces are, which it would take some hundred steps to learn."""
    counts = np.bincount(np.concatenate(list(texts)), minlength=head.bias.shape[0]) + 1.0  # [V]
    logs = np.log(counts)
    head.bias.assign((logs - logs.mean()).astype(np.float32))


def piece_vectors(
    tokenizer: PreTrainedTokenizerFast, teacher: PreTrainedTokenizerFast, vectors: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Give each piece the mean of the teacher's pieces that spell it, and an unknown one the mean of all.

    Args:
        tokenizer: ours, of V pieces.
        teacher: the teacher's, of U pieces, which marks the beginning of a word.
        vectors: float32 [U, D].

    Returns:
        float32 [V, D].
    """
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    found = np.tile(vectors.mean(axis=0), (len(pieces), 1))  # [V, D]
    for row, piece in enumerate(pieces):
        ids = (
            [getattr(teacher, SPECIAL[piece] + "_id")] if piece in SPECIAL else _spell(teacher.backend_tokenizer, piece)
        )
        known = [index for index in ids if index is not None and (index != teacher.unk_token_id or piece in SPECIAL)]
        if known:
            found[row] = vectors[known].mean(axis=0)
    return found


def _build(size: BertSize) -> Network:
    bert, masked_lm, next_sentence = build_bert(size, SegmentMatchHead)
    return Network(bert=bert, masked_lm=masked_lm, next_sentence=next_sentence)


def _spell(teacher: tokenizers.Tokenizer, piece: str) -> list[int]:
    """The teacher's pieces of one of ours; what goes on from a word is put behind a letter of another script."""
    if not piece.startswith(CONTINUES):
        ids: list[int] = teacher.encode(piece, add_special_tokens=False).ids
        return ids
    text = piece.removeprefix(CONTINUES)
    before = "가" if text.isascii() else "a"
    n_before = len(teacher.encode(before, add_special_tokens=False).ids)
    rest: list[int] = teacher.encode(before + text, add_special_tokens=False).ids[n_before:]
    return rest
