"""The files beside the weights that make a folder a model: tokenizer and config.json."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from petitions.encoders.bert import INITIALIZER_STDDEV, BertSize
from petitions.encoders.hub import PreTrainedTokenizerFast

HOW_IT_WAS_READ = ("is_local", "local_files_only")  # transformers saves these too; they say nothing of a tokenizer
NOTHING: Mapping[str, object] = MappingProxyType({})


def write_tokenizer(output: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Save the tokenizer under the name of its class that every version of transformers knows."""
    tokenizer.save_pretrained(output)
    path = output / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    config = {key: value for key, value in config.items() if key not in HOW_IT_WAS_READ}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def write_config(
    output: Path, size: BertSize, *, architecture: str = "BertForPreTraining", more: Mapping[str, object] = NOTHING
) -> None:
    """Write config.json; `architecture` is what transformers calls a BERT with the heads that it knows of."""
    fixed = {"architectures": [architecture], "model_type": "bert", "hidden_act": "gelu", "pad_token_id": 0}
    sizes = {name: value for name, value in asdict(size).items() if name != "position_offset"}  # 0 in a BERT
    config = fixed | sizes | {"initializer_range": INITIALIZER_STDDEV, **more}
    (output / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
