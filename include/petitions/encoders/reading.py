"""How a model wants its texts read: the files of a sentence-transformers folder in, pooling, prompts and length out.

Vectors are scaled to unit length whether a folder has a module Normalize or not: the store wants them so.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from petitions.encoders.tokenizer_files import read_json
from petitions.errors import WeightsError

Pooling = Literal["mean", "cls", "max"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
MODULES_FILE = "modules.json"
PROMPTS_FILE = "config_sentence_transformers.json"
LENGTH_FILE = "sentence_bert_config.json"
QUESTION_NAMES, TEXT_NAMES = (
    ("query",),
    ("document", "passage", "corpus"),
)  # of prompts, in the order that they are looked for
BETWEEN = "|"  # the prompt of a question and that of a text, in PETITIONS_EMBEDDING_PROMPTS
# The pooling modes of sentence-transformers that we compute; one times the root of the length has the same direction.
_MODES: Mapping[str, Pooling] = {
    "mean_tokens": "mean", "mean": "mean", "mean_sqrt_len_tokens": "mean", "cls_token": "cls", "cls": "cls",
    "max_tokens": "max", "max": "max",
}  # fmt: skip
FLAG = "pooling_mode_"  # before a mode, as older folders say it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is done to texts before and after the network; the defaults are those of a plain BERT."""

    pooling: Pooling = "mean"
    question_prompt: str = ""  # before what is asked
    text_prompt: str = ""  # before what is found
    max_tokens: int | None = None  # in a window, special tokens included; None: as many as there are positions
    is_lowered: bool = False

    @property
    def told(self) -> str:
        """What differs from a plain BERT, always in the same words; empty where nothing does."""
        plain = asdict(Reading())
        return json.dumps({key: value for key, value in asdict(self).items() if value != plain[key]} or "")[1:-1]


def read_reading(folder: Path, prompts: str = "") -> Reading:
    """Read how texts are read.

    Args:
        folder: of a model; one that is none of sentence-transformers' is a plain BERT.
        prompts: in place of those of the folder: of a question, `|`, of a text. Empty: those of the folder.

    Raises:
        WeightsError: a file is damaged, or asks for what this package does not do.
    """
    reading = Reading()
    if (folder / MODULES_FILE).is_file():
        reading = replace(reading, pooling=_read_modules(folder))
    length = read_json(folder / LENGTH_FILE)
    max_tokens = length.get("max_seq_length")
    if max_tokens is not None and (not isinstance(max_tokens, int) or max_tokens < 8):
        raise WeightsError(
            f"{folder / LENGTH_FILE}: max_seq_length must be a whole number of 8 or more, got {max_tokens!r}"
        )
    question, text = prompts.split(BETWEEN) if prompts else _read_prompts(folder / PROMPTS_FILE)
    return replace(
        reading,
        question_prompt=question,
        text_prompt=text,
        max_tokens=max_tokens,
        is_lowered=bool(length.get("do_lower_case")),
    )


def _read_modules(folder: Path) -> Pooling:
    path = folder / MODULES_FILE
    try:
        modules = [
            (item["type"].rsplit(".", 1)[-1], item.get("path", "")) for item in json.loads(path.read_text("utf-8"))
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is no list of modules of sentence-transformers: {error!r}") from error
    kinds = [kind for kind, _ in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        raise WeightsError(
            f"{path}: modules must be Transformer, Pooling and perhaps Normalize, got {', '.join(kinds) or 'none'}"
        )
    (_, weights), (_, pooling), *_ = modules
    if weights:
        raise WeightsError(f"{path}: the weights must lie beside it, not in {weights!r}")
    return _read_pooling(folder / str(pooling) / "config.json")


def _read_pooling(path: Path) -> Pooling:
    if not path.is_file():
        raise WeightsError(f"{path} is missing, which {MODULES_FILE} names")
    config = read_json(path)
    named = config.get("pooling_mode", [])
    modes = list(map(str, named)) if isinstance(named, list) else [str(named)]
    modes += [key.removeprefix(FLAG) for key, value in config.items() if key.startswith(FLAG) and value is True]
    if len(modes) != 1 or modes[0] not in _MODES:
        raise WeightsError(f"{path}: pooling must be {', '.join(POOLINGS)} alone, got {' and '.join(modes) or 'none'}")
    if config.get("include_prompt") is False:
        raise WeightsError(
            f"{path}: include_prompt must be true: the tokens of a prompt are pooled with those of its text"
        )
    return _MODES[modes[0]]


def _read_prompts(path: Path) -> tuple[str, str]:
    """The prompts of a question and of a text."""
    config = read_json(path)
    prompts, default = config.get("prompts") or {}, config.get("default_prompt_name")
    if not isinstance(prompts, dict) or not all(isinstance(prompt, str) for prompt in prompts.values()):
        raise WeightsError(f"{path}: prompts must be texts by their names, got {prompts!r}")
    if default is not None and default not in prompts:
        raise WeightsError(f"{path}: default_prompt_name is {default!r}, prompts are {', '.join(prompts) or 'none'}")
    return _choose(prompts, QUESTION_NAMES, default), _choose(prompts, TEXT_NAMES, default)


def _choose(prompts: Mapping[str, str], names: tuple[str, ...], default: str | None) -> str:
    # sentence-transformers saves an empty "document" into every folder, beside the "passage" of its author.
    named = next((prompts[name] for name in names if prompts.get(name)), "")
    return named or (prompts[default] if default else "")
