"""The command weigh-search: does an encoder help plain words to find, and how much should it count?"""

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from petitions.commands.console import print_rows
from petitions.commands.options import json_option, open_store, source_option, source_or_setting
from petitions.commands.search import refuse_other_weights
from petitions.encoders.registry import SEARCHED
from petitions.errors import ConfigError
from petitions.records import PetitionText, Source
from petitions.settings import Settings

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from petitions.steps.encoders import Embed
    from petitions.text.known_items import Choice, Lists

LEAST = 100  # petitions: under so many a gain is chance
Values = dict[float, dict[str, float]]  # by weight of the vectors, by question set


@click.command("weigh-search")
@source_option
@click.option(
    "-n", "n", type=click.IntRange(LEAST, 5000), default=1000, show_default=True, help="Petitions to ask for."
)
@click.option("--write", is_flag=True, help="Store the weights in the results database: search takes them at once.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write them as search.json of the folder of the encoder."
)
@json_option
def weigh_search(source: Source | None, n: int, write: bool, output: Path | None, as_json: bool) -> None:
    """Measure what words, vectors and both find of the published petitions, and the weight that vectors deserve.

    Known items: all words of a title, or two of them, must find the petition, and the title must find the body.
    The petitions most like one should be of its category.
    """
    from petitions.steps.encoders import load_encoder
    from petitions.store.fusion import EncoderWeight, sample_published, upsert_weight
    from petitions.store.vectors import read_embeddings
    from petitions.text.known_items import choose_weight

    settings, source = Settings.from_env(), source_or_setting(source)
    engine = open_store()
    with engine.connect() as conn:
        refuse_other_weights(conn, settings, source)
        texts, categories = sample_published(conn, source, n)
        if len(texts) < LEAST:
            raise ConfigError(f"{source} has {len(texts)} published petitions with vectors, {LEAST} are needed")
        name, embed = load_encoder(SEARCHED, settings)
        _, ask = load_encoder(SEARCHED, settings, of_questions=True)
        whole = read_embeddings(conn, name, [item.petition_id for item in texts])
    search, similar = measure(texts, categories, whole, embed, ask)
    chosen = {"search": choose_weight(search, len(texts)), "similar": choose_weight(similar, len(texts))}
    weight = EncoderWeight(encoder=name, search_weight=chosen["search"].weight, similar_weight=chosen["similar"].weight)
    if write:
        with engine.begin() as conn:
            upsert_weight(conn, weight)
    if output:
        kept = {"search_weight": weight.search_weight, "similar_weight": weight.similar_weight}
        output.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    print_rows([row for kind, choice in chosen.items() for row in _tell(kind, choice)], as_json=as_json, title=name)


def _tell(kind: str, choice: "Choice") -> Iterable[Mapping[str, Any]]:
    for name, value in choice.words.items():
        yield {
            "of": kind, "set": name, "words": value, "vectors": choice.vectors[name], "fused": choice.fused[name],
            "weight": choice.weight,
        }  # fmt: skip


def measure(
    texts: Sequence[PetitionText], categories: Sequence[str], whole: Any, embed: "Embed", ask: "Embed | None" = None
) -> tuple[Values, Values]:
    """Measure search and similar petitions at each weight.

    Args:
        texts: N petitions.
        categories: of each.
        whole: their vectors, float32 [N, D].
        embed: gives a vector of a text, by the same encoder.
        ask: that of a question; without it the same.
    """
    from petitions.text import known_items
    from petitions.text.bm25 import weigh_words
    from petitions.text.search_words import split_many

    ask = ask or embed
    titles = split_many([item.title for item in texts])
    bodies = split_many([item.below_title for item in texts])
    chance = random.Random(0)  # noqa: S311 - to draw questions
    pairs = [chance.sample(item.title.split(), min(2, len(item.title.split()))) for item in texts]
    make = _make_matrices([*titles, *bodies])
    weights = make([weigh_words(title, body) for title, body in zip(titles, bodies, strict=True)])
    below = make([weigh_words([], body) for body in bodies])
    asked_titles = make([dict.fromkeys(title, 1.0) for title in titles])
    asked_pairs = make([dict.fromkeys(words, 1.0) for words in split_many([" ".join(pair) for pair in pairs])])
    title_vectors = ask([item.title for item in texts])
    by_title = (known_items.rank_words(weights, asked_titles), known_items.rank_vectors(whole, title_vectors))
    pair_vectors = ask([" ".join(pair) or " " for pair in pairs])
    by_pair = (known_items.rank_words(weights, asked_pairs), known_items.rank_vectors(whole, pair_vectors))
    below_vectors = embed([item.below_title or " " for item in texts])
    of_body = (known_items.rank_words(below, asked_titles), known_items.rank_vectors(below_vectors, title_vectors))
    like = (
        known_items.rank_words(weights, _keep_heaviest(weights), without_self=True),
        known_items.rank_vectors(whole, whole, without_self=True),
    )
    answers = range(len(texts))

    def rank(lists: "tuple[Lists, Lists]", weight: float) -> float:
        return known_items.measure_reciprocal_rank(*lists, answers, weight)

    tried = (*known_items.WEIGHTS, known_items.VECTORS_ALONE)
    bodies_found = {weight: rank(of_body, weight) for weight in tried}
    search = {
        weight: {
            "title": rank(by_title, weight),
            "two words of the title": rank(by_pair, weight),
            "body from title": bodies_found[weight],
        }
        for weight in tried
    }
    similar = {
        weight: {
            "body from title": bodies_found[weight],
            "category of the nearest ten": known_items.measure_agreement(*like, categories, weight),
        }
        for weight in tried
    }
    return search, similar


def _make_matrices(known: Iterable[Iterable[str]]) -> "Callable[[Sequence[Mapping[str, float]]], csr_matrix]":
    """What makes [N, V] of N mappings from word to weight; words that no petition has are left out."""
    import numpy as np
    from scipy.sparse import csr_matrix

    places = {word: place for place, word in enumerate(sorted({word for words in known for word in words}))}

    def make(rows: Sequence[Mapping[str, float]]) -> "csr_matrix":
        cells = [
            (row, places[word], weight)
            for row, words in enumerate(rows)
            for word, weight in words.items()
            if word in places
        ]
        numbers, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
        return csr_matrix((np.array(values, float), (numbers, columns)), shape=(len(rows), len(places)))

    return make


def _keep_heaviest(weights: "csr_matrix", n: int = 32) -> "csr_matrix":
    """What similar_petitions asks by: of each petition the n words that weigh most, those of itself alone left out."""
    import numpy as np

    from petitions.text.known_items import weigh_rarity

    kept = weights.copy()
    rarity = weigh_rarity(weights)
    alone = np.bincount(weights.indices, minlength=weights.shape[1]) < 2
    for row in range(kept.shape[0]):
        part = slice(kept.indptr[row], kept.indptr[row + 1])
        columns = kept.indices[part]
        value = np.where(alone[columns], 0.0, kept.data[part] * rarity[columns])
        kept.data[part][np.argsort(-value, kind="stable")[n:]] = 0.0
        kept.data[part][alone[columns]] = 0.0
    return kept


COMMANDS = (weigh_search,)
