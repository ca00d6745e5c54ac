"""The step encode: a vector of each text by each encoder."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from petitions.encoders.registry import find_encoder
from petitions.errors import ConfigError
from petitions.steps.step import CHUNK, Run, read_chunks
from petitions.store import fusion, vectors
from petitions.store.parts import WHOLE, Part

if TYPE_CHECKING:
    from petitions.steps.encoders import Embed

SEARCH_FILE = "search.json"  # of the folder of weights: what `petitions weigh-search --output` gave


def encode(run: Run, encoder: str, part: Part = WHOLE) -> int:
    """Embed the texts of a part that an encoder, such as "bert", has not seen; returns how many.

    Raises:
        ConfigError: the weights were replaced while this began.
    """
    with run.step(f"encode {encoder}", part) as progress:
        progress.made_by = name = find_encoder(encoder).name(run.settings)
        _keep_weight(run, encoder, name)
        read = partial(vectors.read_unencoded, encoder=name, limit=CHUNK, part=part)
        embed = None
        for chunk in read_chunks(run, read, progress):
            embed = embed or _load(run, encoder, name)
            embeddings = embed([item.whole for item in chunk])
            with run.engine.begin() as conn:
                vectors.upsert_embeddings(conn, name, chunk, embeddings)
    return progress.rows_out


def _keep_weight(run: Run, encoder: str, name: str) -> None:
    """Store how much the vectors of an encoder count, as measured with its weights; one that is known stays."""
    entry = find_encoder(encoder)
    kept = Path(getattr(run.settings, entry.setting)) / SEARCH_FILE
    if not entry.is_searched or not kept.is_file():
        return
    measured = json.loads(kept.read_text(encoding="utf-8"))
    with run.engine.begin() as conn:
        fusion.insert_weight(conn, fusion.EncoderWeight(encoder=name, **measured))


def _load(run: Run, encoder: str, name: str) -> "Embed":
    """Load TensorFlow and the weights, which a part without new petitions need not wait for."""
    from petitions.steps.encoders import load_encoder

    loaded, embed = load_encoder(encoder, run.settings)
    if loaded != name:
        setting = f"PETITIONS_{find_encoder(encoder).setting.upper()}"
        raise ConfigError(f"{setting} was {name}, but {loaded} was loaded: encode again")
    return embed
