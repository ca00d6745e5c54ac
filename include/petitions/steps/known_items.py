"""How well words, vectors and both, as they are served, find what is known to be the answer, among n petitions."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection

from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import PetitionText, Source, Window
from petitions.settings import Settings
from petitions.steps.encoders import load_encoder
from petitions.store import fusion, vectors
from petitions.store.artifacts import ArtifactStore
from petitions.store.checks import PlannedCheck, plan_known_item
from petitions.text.known_questions import RULES, Comparison, compare
from petitions.text.search_words import SEARCH_TOKENIZER

SAMPLE, LEAST = 300, 100  # petitions; among fewer words find everything, and chance is wide
# What is checked is the encoder and its weight in search, not tonight's texts: so few others in the sample change less
# than the two standard errors that are allowed, and the measurement takes as long as all else of a night without news.
MOST_RENEWED = 0.1


def compare_known_items(
    conn: Connection, settings: Settings, source: Source, window: Window, encoder: str, *, with_vectors: bool = False
) -> list[Comparison]:
    """Compare them over petitions of a window, always the same ones; nothing of fewer than 100.

    Args:
        conn: an open connection; only read from.
        settings: which weights embed the questions. They are loaded only where vectors count, or are asked for.
        source: whose petitions.
        window: begins_on is in it.
        encoder: name of the weights and their hash, which the petitions are searched by.
        with_vectors: tell of vectors alone too, and of bodies, each of which is embedded for it.

    Raises:
        ConfigError: the weights of the settings are others.
    """
    texts, _ = fusion.sample_encoded(conn, source, window, encoder, SAMPLE)
    return _compare(conn, settings, texts, encoder, with_vectors=with_vectors) if len(texts) >= LEAST else []


def plan_known_items(
    conn: Connection, settings: Settings, artifacts: ArtifactStore, source: Source, window: Window, encoder: str
) -> Sequence[PlannedCheck]:
    """Plan a check for each set of questions: both must find as well as words alone, but for chance.

    What was found to be well stands for later nights, whatever is kept in `artifacts`, while the same encoder counts as
    much and a tenth of the sampled texts at most is new; see `compare_known_items` for the rest.
    """
    texts, _ = fusion.sample_encoded(conn, source, window, encoder, SAMPLE)
    if len(texts) < LEAST:
        return []
    sampled = {item.petition_id: item.content_hash for item in texts}
    made_by = (RULES, SAMPLE, SEARCH_TOKENIZER, str(source), encoder, fusion.read_search_weight(conn, encoder))
    path = f"known_items/{hashlib.sha256(repr(made_by).encode()).hexdigest()[:16]}.json"
    found = _read_kept(artifacts, path, sampled)
    if not found:
        found = _compare(conn, settings, texts, encoder)
        if not any(item.is_worse for item in found):
            kept = {"sampled": sampled, "found": [asdict(item) for item in found]}
            artifacts.write(path, json.dumps(kept).encode())
    return [plan_known_item(encoder, item.name, fused=item.fused, at_least=item.least) for item in found]


def _compare(
    conn: Connection, settings: Settings, texts: Sequence[PetitionText], encoder: str, *, with_vectors: bool = False
) -> list[Comparison]:
    weight = fusion.read_search_weight(conn, encoder)
    embed, ask = None, None
    if weight > 0 or with_vectors:
        name, ask = load_encoder(SEARCHED, settings, of_questions=True)
        if with_vectors:
            _, embed = load_encoder(SEARCHED, settings)
        if name != encoder:
            raise ConfigError(f"the run is searched by {encoder}, but {ENCODERS[SEARCHED].variables} is {name}")
    whole = vectors.read_embeddings(conn, encoder, [item.petition_id for item in texts])
    return compare(texts, whole, embed, weight, ask)


def _read_kept(artifacts: ArtifactStore, path: str, sampled: Mapping[str, str]) -> list[Comparison]:
    """What was found over nearly the same texts; nothing where there is no such file, or a damaged one."""
    if not artifacts.exists(path):
        return []
    try:
        kept = json.loads(artifacts.read(path))
        common = len(sampled.items() & kept["sampled"].items())
        found = [Comparison(**item) for item in kept["found"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    return found if common >= (1 - MOST_RENEWED) * max(len(sampled), len(kept["sampled"])) else []
