"""How well words, vectors and both, as they are served, find what is known to be the answer, among n petitions."""

from collections.abc import Sequence

from sqlalchemy import Connection

from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.steps.encoders import load_encoder
from petitions.store import fusion, vectors
from petitions.store.checks import PlannedCheck, plan_known_item
from petitions.text.known_questions import Comparison, compare

SAMPLE, LEAST = 300, 100  # petitions; among fewer words find everything, and chance is wide


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
    if len(texts) < LEAST:
        return []
    weight = fusion.read_search_weight(conn, encoder)
    embed, ask = None, None
    if weight > 0 or with_vectors:
        name, ask = load_encoder(SEARCHED, settings, of_questions=True)
        if with_vectors:
            _, embed = load_encoder(SEARCHED, settings)
        if name != encoder:
            raise ConfigError(f"{source} is searched by {encoder}, but {ENCODERS[SEARCHED].variables} is {name}")
    whole = vectors.read_embeddings(conn, encoder, [item.petition_id for item in texts])
    return compare(texts, whole, embed, weight, ask)


def plan_known_items(
    conn: Connection, settings: Settings, source: Source, window: Window, encoder: str
) -> Sequence[PlannedCheck]:
    """Plan a check for each set of questions: both must find as well as words alone, but for chance."""
    found = compare_known_items(conn, settings, source, window, encoder)
    return [plan_known_item(encoder, item.name, fused=item.fused, at_least=item.least) for item in found]
