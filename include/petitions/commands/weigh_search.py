"""The command weigh-search: does an encoder help plain words to find, and how much should it count?"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from petitions.commands.console import print_rows
from petitions.commands.options import json_option, open_store, source_option, source_or_setting
from petitions.commands.search import refuse_other_weights
from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import Source
from petitions.settings import Settings

if TYPE_CHECKING:
    from petitions.text.known_items import Choice

LEAST = 100  # petitions: under so many a gain is chance


@click.command("weigh-search")
@source_option
@click.option(
    "-n", "n", type=click.IntRange(LEAST, 5000), default=1000, show_default=True, help="Petitions to ask for."
)
@click.option("--write", is_flag=True, help="Store the weights in the results database: search takes them at once.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write them as search.json of the folder of the encoder."
)
@click.option(
    "--encoder",
    type=click.Choice(list(ENCODERS)),
    default=SEARCHED,
    show_default=True,
    help=f"Search asks {SEARCHED}; any can be measured.",
)
@json_option
def weigh_search(source: Source | None, n: int, write: bool, output: Path | None, encoder: str, as_json: bool) -> None:
    """Measure what words, vectors and both find of the published petitions, and the weight that vectors deserve.

    Known items: all words of a title, or two of them, must find the petition, and the title must find the body.
    The petitions most like one should be of its category.
    """
    from petitions.steps.encoders import load_encoder
    from petitions.store.fusion import EncoderWeight, sample_published, upsert_weight
    from petitions.store.topic_reads import read_published
    from petitions.store.vectors import read_embeddings
    from petitions.text.known_items import choose_weight
    from petitions.text.known_questions import measure

    settings, source = Settings.from_env(), source_or_setting(source)
    engine = open_store()
    with engine.connect() as conn:
        if read_published(conn, source) is None:
            raise ConfigError(f"nothing of {source} is published")
        if encoder == SEARCHED:
            refuse_other_weights(conn, settings, source)
        texts, categories = sample_published(conn, source, n, ENCODERS[encoder].name(settings))
        if len(texts) < LEAST:
            raise ConfigError(f"{source} has {len(texts)} published petitions with vectors, {LEAST} are needed")
        name, embed = load_encoder(encoder, settings)
        _, ask = load_encoder(encoder, settings, of_questions=True)
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


COMMANDS = (weigh_search,)
