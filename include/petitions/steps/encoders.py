"""The encoders as the settings name them, each loaded once a process: a worker that runs several tasks pays once."""

from collections.abc import Callable, Sequence
from functools import partial
from pkgutil import resolve_name
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petitions.encoders.registry import Encoder, find_encoder
from petitions.records import PetitionText
from petitions.settings import Settings
from petitions.text.tokenizer import get_tokenizer

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
ReadTexts = Callable[[Sequence[PetitionText]], tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]]

_opened: dict[tuple[str, ...], Encoder] = {}


def open_encoder(encoder: str, settings: Settings) -> Encoder:
    """The encoder of the settings; it is loaded for the first that asks.

    Args:
        encoder: a name of the registry, such as "bert".
        settings: which weights, on which accelerator.

    Raises:
        ConfigError: there is no such encoder, or no such accelerator.
        WeightsError: weights that are missing or incomplete.
    """
    entry = find_encoder(encoder)
    key = (encoder, *entry.models(settings), *entry.prompts(settings).values(), settings.accelerator)
    if key not in _opened:
        _opened[key] = entry.load(settings)
    return _opened[key]


def load_encoder(encoder: str, settings: Settings, *, of_questions: bool = False) -> tuple[str, Embed]:
    """The name of an encoder's weights, and what turns N texts into float32 [N, D]; see `open_encoder` for errors.

    Args:
        encoder: as `open_encoder` takes it.
        settings: likewise.
        of_questions: whether texts are asked, and not what is found: a model may have another prompt for each.
    """
    opened = open_encoder(encoder, settings)
    if find_encoder(encoder).prompts_setting and of_questions:
        ask: Any = opened.embed
        return opened.name, partial(ask, is_question=True)
    if not find_encoder(encoder).reads_morphemes:
        return opened.name, opened.embed
    tokenizer = get_tokenizer()
    return opened.name, lambda texts: opened.embed([tokenizer.morphemes(text) for text in texts])


def load_reader(encoder: str, settings: Settings) -> tuple[str, ReadTexts]:
    """The name of an encoder's weights, and what turns N petitions into float32 [N, D] and scores float32 [N].

    The scores are those that share work with the vectors; see `open_encoder` for errors.
    """
    entry = find_encoder(encoder)
    if entry.reader:
        opened = open_encoder(encoder, settings)
        return opened.name, partial(resolve_name(entry.reader), opened)
    name, embed = load_encoder(encoder, settings)
    return name, lambda texts: (embed([text.whole for text in texts]), {})
