"""The encoders as the settings name them, each loaded once a process: a worker that runs several tasks pays once."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from petitions.encoders.bert_encoder import BertEncoder, load_bert
from petitions.encoders.elmo_encoder import ElmoEncoder, load_elmo
from petitions.errors import ConfigError
from petitions.settings import Settings
from petitions.text.tokenizer import Tokenizer

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

_load_bert = cache(load_bert)
_load_elmo = cache(load_elmo)


def open_bert(settings: Settings) -> BertEncoder:
    """The BERT of the settings; see `load_bert` for what is raised."""
    return _load_bert(settings.bert_model, settings.accelerator)


def load_encoder(encoder: str, settings: Settings) -> tuple[str, Embed]:
    """The name of an encoder's weights, and what turns N texts into float32 [N, D] of unit length.

    Args:
        encoder: "bert" or "elmo"; ELMo reads the morphemes of a text.
        settings: which weights, on which accelerator.

    Raises:
        ConfigError: another encoder.
        WeightsError: weights that are missing or incomplete.
    """
    if encoder == "bert":
        bert = open_bert(settings)
        return bert.name, bert.embed
    if encoder == "elmo":
        elmo: ElmoEncoder = _load_elmo(settings.elmo_model, settings.accelerator)
        tokenizer = Tokenizer()
        return elmo.name, lambda texts: elmo.embed([tokenizer.morphemes(text) for text in texts])
    raise ConfigError(f"encoder must be bert or elmo, got {encoder!r}")
