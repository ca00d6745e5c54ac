"""The config.json of a BERT, a RoBERTa or an XLM-R: its sizes as a record out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from petitions.encoders.bert_size import BertSize
from petitions.encoders.tokenizer_files import read_json
from petitions.errors import WeightsError

CONFIG_FILE = "config.json"
# RoBERTa and XLM-R are BERT in other words: their positions begin after that of padding.
ROBERTA_TYPES = ("roberta", "xlm-roberta")
MODEL_TYPES = ("bert", *ROBERTA_TYPES)
WANTED = {"hidden_act": "gelu", "position_embedding_type": "absolute"}  # where config.json says it
SIZES = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
    "max_position_embeddings", "type_vocab_size",
)  # fmt: skip


def read_size(folder: Path) -> BertSize:
    """Read the sizes of a network.

    Raises:
        WeightsError: no config.json, one that is damaged or lacks a size, or of a network that is none of ours.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise WeightsError(f"{folder} has no {CONFIG_FILE}")
    config = read_json(path)
    model_type = config.get("model_type")
    if model_type not in MODEL_TYPES:
        found = "there is none" if model_type is None else f"got {model_type!r}"
        raise WeightsError(f"{path}: model_type must be one of {', '.join(MODEL_TYPES)}, {found}")
    for key, wanted in WANTED.items():
        if config.get(key, wanted) != wanted:
            raise WeightsError(f"{path}: {key} must be {wanted!r}, got {config[key]!r}")
    epsilon = config.get("layer_norm_eps", 1e-12)
    if not isinstance(epsilon, float):
        raise WeightsError(f"{path}: layer_norm_eps must be a number, got {epsilon!r}")
    offset = _read_whole(config, "pad_token_id", path, least=0) + 1 if model_type in ROBERTA_TYPES else 0
    sizes = {name: _read_whole(config, name, path) for name in SIZES}
    try:
        return BertSize(**sizes, layer_norm_eps=epsilon, position_offset=offset)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error


def _read_whole(config: Mapping[str, Any], key: str, path: Path, *, least: int = 1) -> int:
    value = config.get(key)
    if not isinstance(value, int) or value < least:
        found = "there is none" if value is None else f"got {value!r}"
        raise WeightsError(f"{path}: {key} must be a whole number of {least} or more, {found}")
    return value
