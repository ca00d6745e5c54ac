"""The names of tensors in a checkpoint, and which heads it has, read from its headers: without TensorFlow."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from petitions.encoders.model_files import fetch_model
from petitions.encoders.names import weight_files
from petitions.errors import WeightsError

# From the names of other checkpoints to those of a `BertForPreTraining`: old TensorFlow conversions, RoBERTa.
RENAMED = (
    (re.compile(r"LayerNorm\.gamma$"), "LayerNorm.weight"),
    (re.compile(r"LayerNorm\.beta$"), "LayerNorm.bias"),
    (re.compile(r"^roberta\."), "bert."),
    (re.compile(r"^lm_head\.dense\."), "cls.predictions.transform.dense."),
    (re.compile(r"^lm_head\.layer_norm\."), "cls.predictions.transform.LayerNorm."),
    (re.compile(r"^lm_head\."), "cls.predictions."),
    (re.compile(r"^(?!bert\.|cls\.|classifier\.)"), "bert."),  # a backbone alone
)
DECODER = "cls.predictions.decoder."
MASKED_WORDS, NEXT_SENTENCE = "masked words", "next sentence"
SEGMENT_MATCH = "cls.segment_match"  # ours: transformers has no such head and leaves it out
# The tensors of each head; of next sentence there are two kinds.
HEADS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    MASKED_WORDS: (
        (
            "cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.bias",
            "cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.LayerNorm.bias",
            "cls.predictions.bias",
        ),
    ),
    NEXT_SENTENCE: (
        (
            "bert.pooler.dense.weight", "bert.pooler.dense.bias",
            "cls.seq_relationship.weight", "cls.seq_relationship.bias",
        ),
        (f"{SEGMENT_MATCH}.weight", f"{SEGMENT_MATCH}.scale"),
    ),
}  # fmt: skip


def rename_tensor(name: str) -> str:
    """The name of a tensor as `BertForPreTraining` has it; empty for the decoder's matrix, that of the word embeddings.

    The decoder's bias is the head's own, which some checkpoints hold under that name alone.
    """
    for pattern, replacement in RENAMED:
        name = pattern.sub(replacement, name)
    return "" if name == f"{DECODER}weight" else name.replace(DECODER, "cls.predictions.")


def require_heads(scores: Mapping[str, str], model: str, embedding_model: str = "") -> None:
    """Refuse a BERT that lacks a head, by the headers of its files: before anything is loaded or computed.

    Args:
        scores: the heads that are needed, such as "next sentence", and of each what needs it.
        model: a folder or a hub name.
        embedding_model: likewise; where it has a head for next sentence, that one is asked.

    Raises:
        WeightsError: names the head, what needs it, and the weights that are missing.
        FetchError: the hub cannot be reached.
    """
    names = {name: _read_folder(name) for name in (model, embedding_model) if name}
    for head, score in scores.items():
        asked = names if head == NEXT_SENTENCE else {model: names[model]}
        if not any(found.issuperset(kind) for found in asked.values() for kind in HEADS[head]):
            missing = [name for name in HEADS[head][0] if name not in names[model]]
            raise WeightsError(
                f"{' and '.join(asked)} has no head for {head}, which {score} needs: it lacks {', '.join(missing)}"
            )


def _read_folder(model: str) -> set[str]:
    """The names of the tensors of a model, as `BertForPreTraining` has them."""
    paths = weight_files(fetch_model(model).folder)
    return {rename_tensor(name) for path in paths for name in _read_names(path)}


def _read_names(path: Path) -> list[str]:
    """The names of the tensors of a safetensors file: eight bytes of length, a header in JSON, the tensors.

    Raises:
        WeightsError: the header is none, or the file does not end where it says.
    """
    n_file = path.stat().st_size
    with path.open("rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        if n_header > n_file:
            raise WeightsError(f"{path} is damaged: its header would have {n_header} bytes, it has {n_file}")
        try:
            tensors = {name: item for name, item in json.loads(file.read(n_header)).items() if name != "__metadata__"}
            n_wanted = 8 + n_header + max((item["data_offsets"][1] for item in tensors.values()), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise WeightsError(f"{path} is damaged: its header cannot be read: {error!r}") from error
    if n_wanted != n_file:
        raise WeightsError(f"{path} is damaged: it must have {n_wanted} bytes, it has {n_file}")
    return list(tensors)
