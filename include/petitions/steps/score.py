"""What the encoders say of petitions, ready for the store: the glue between encoders, scoring and tables.

A model is loaded once a process and kept: a worker that runs several tasks pays for it once.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from petitions.encoders.bert_encoder import BertEncoder, load_bert
from petitions.encoders.elmo_encoder import ElmoEncoder, load_elmo
from petitions.errors import ConfigError
from petitions.scoring.masked_lm import extract_keywords
from petitions.scoring.next_sentence import score_next_sentence
from petitions.settings import Settings
from petitions.store.petitions import PetitionText
from petitions.store.scores import Keywords, Score
from petitions.text.tokenizer import Tokenizer

KEYWORDS = 5  # for each petition

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Judge = Callable[[Sequence[PetitionText]], tuple[list[Score], list[Keywords]]]

_load_bert = cache(load_bert)
_load_elmo = cache(load_elmo)


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
        bert: BertEncoder = _load_bert(settings.bert_model, settings.accelerator)
        return bert.name, bert.embed
    if encoder == "elmo":
        elmo: ElmoEncoder = _load_elmo(settings.elmo_model, settings.accelerator)
        tokenizer = Tokenizer()
        return elmo.name, lambda texts: elmo.embed([tokenizer.morphemes(text) for text in texts])
    raise ConfigError(f"encoder must be bert or elmo, got {encoder!r}")


def load_judge(settings: Settings, encoder: str) -> Judge:
    """What gives petitions their next-sentence score and their keywords, by the BERT that has encoded them.

    Raises:
        ConfigError: the setting names other weights than those of `encoder`, the name that the run's step gave.
        WeightsError: the weights lack the head that a score needs.
    """
    bert: BertEncoder = _load_bert(settings.bert_model, settings.accelerator)
    if bert.name != encoder:
        raise ConfigError(f"the run was encoded by {encoder}, but PETITIONS_BERT_MODEL is {bert.name}: encode again")
    tokenizer = Tokenizer()

    def judge(texts: Sequence[PetitionText]) -> tuple[list[Score], list[Keywords]]:
        bodies = ["\n".join(part for part in (text.purpose, text.body) if part) for text in texts]
        whole = [f"{text.title}\n{body}" for text, body in zip(texts, bodies, strict=True)]
        follows = score_next_sentence(bert, [(text.title, body) for text, body in zip(texts, bodies, strict=True)])
        words = extract_keywords(bert, whole, [tokenizer.tokenize(text) for text in whole], KEYWORDS)
        scores = [
            Score(
                petition_id=text.petition_id,
                encoder=bert.name,
                score="next_sentence",
                value=round(float(value), 6),
                content_hash=text.content_hash,
            )
            for text, value in zip(texts, follows, strict=True)
        ]
        keywords = [
            Keywords(
                petition_id=text.petition_id,
                encoder=bert.name,
                content_hash=text.content_hash,
                words=[(item.word, item.probability) for item in found],
            )
            for text, found in zip(texts, words, strict=True)
        ]
        return scores, keywords

    return judge
