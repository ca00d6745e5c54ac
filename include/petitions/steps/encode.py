"""The step encode: a vector of each text by each encoder, and the scores that share work with it.

Passes of BERT a petition: each window of it is read once, and the title with what follows it once more (another input:
they are a pair there, of two segments): 4.2 passes and 936 tokens in the mean. The pair as
the first window would save a quarter of that, but it gives other vectors, whose neighbours are worse (docs/scores.md,
"Passes"). Masked words are not asked while they have no weight; each fine-tuned model of PETITIONS_SCORERS reads each
window once more, being another network. Where one model gives vectors and scores, a text is split into pieces once.
"""

import json
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from petitions.encoders.registry import find_encoder
from petitions.errors import ConfigError, WeightsError
from petitions.steps.step import CHUNK, Run, read_chunks
from petitions.store import fusion, scores, vectors
from petitions.store.parts import WHOLE, Part

if TYPE_CHECKING:
    from petitions.steps.encoders import ReadTexts

SEARCH_FILE = "search.json"  # of the folder of weights: what `petitions weigh-search --output` gave


def encode(run: Run, encoder: str, part: Part = WHOLE) -> int:
    """Embed the texts of a part that an encoder, such as "bert", has not seen; returns how many.

    Raises:
        ConfigError: the weights were replaced while this began.
        WeightsError: they are damaged, or lack a head that a score needs.
    """
    with run.step(f"encode {encoder}", part) as progress:
        entry = find_encoder(encoder)
        progress.made_by = name = entry.name(run.settings)
        entry.require_heads(run.settings)  # told now, not by the score that comes after the hours of this
        keep_weight(run, encoder, name)
        read = partial(vectors.read_unencoded, encoder=name, limit=CHUNK, part=part)
        read_texts = None
        for chunk in read_chunks(run, read, progress):
            read_texts = read_texts or _load(run, encoder, name)
            embeddings, found = read_texts(chunk)
            with run.engine.begin() as conn:
                vectors.upsert_embeddings(conn, name, chunk, embeddings)
                scores.upsert_scores(conn, scores.name_scores(name, chunk, found))
    return progress.rows_out


def count_left(run: Run, encoder: str) -> int:
    """Count the texts that an encoder has not seen; nothing is loaded for it.

    Raises:
        WeightsError: as by `encode`.
    """
    name = find_encoder(encoder).name(run.settings)
    with run.engine.connect() as conn:
        return vectors.count_unencoded(conn, run.source, run.window, name)


def keep_weight(run: Run, encoder: str, name: str) -> None:
    """Store how much the vectors of an encoder count, as measured with its weights; one that is known stays.

    Raises:
        WeightsError: the file of it does not hold two numbers of 0 or more.
    """
    entry = find_encoder(encoder)
    kept = Path(entry.models(run.settings)[-1]) / SEARCH_FILE
    if not kept.is_file():
        return
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        search, similar = (float(found[key]) for key in ("search_weight", "similar_weight"))
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{kept} must hold search_weight and similar_weight as numbers: {error}") from None
    if not (0 <= search < inf and 0 <= similar < inf):
        raise WeightsError(f"{kept}: a weight must be 0 or more, got {search} and {similar}")
    with run.engine.begin() as conn:
        weight = fusion.EncoderWeight(encoder=name, search_weight=search, similar_weight=similar)
        fusion.insert_weight(conn, weight)


def _load(run: Run, encoder: str, name: str) -> "ReadTexts":
    """Load TensorFlow and the weights, which a part without new petitions need not wait for."""
    from petitions.steps.encoders import load_reader

    loaded, read_texts = load_reader(encoder, run.settings)
    if loaded != name:
        setting = find_encoder(encoder).variables
        raise ConfigError(f"{setting} was {name}, but {loaded} was loaded: encode again")
    return read_texts
