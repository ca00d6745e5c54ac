"""The step score: the scores of a text alone, of no fit, and its keywords, by the encoders that give any.

Where an encoder reads a text once for vectors and scores, the step encode has stored these, and what is left here are
keywords, and scores that are newer than a text's vectors.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from petitions.encoders.registry import find_encoder
from petitions.errors import ConfigError
from petitions.records import PetitionText
from petitions.steps.step import CHUNK, Run, read_chunks, read_made_by
from petitions.store import scores
from petitions.store.parts import WHOLE, Part
from petitions.store.scores import Keywords, Score

if TYPE_CHECKING:
    from petitions.encoders.registry import Encoder
    from petitions.text.tokenizer import Tokenizer

Words = list[tuple[str, float]]  # the weightiest first
KEYWORDS = 5  # for each petition


def score_texts(run: Run, encoder: str, part: Part = WHOLE) -> int:
    """Score the texts of a part that lack a score of an encoder, such as "bert"; returns how many.

    Raises:
        ConfigError: they are not encoded yet, or by other weights than the setting names.
        WeightsError: the weights lack the head that a score needs.
    """
    entry = find_encoder(encoder)
    with run.step(f"score {encoder}", part) as progress:
        progress.made_by = name = read_made_by(run, f"encode {encoder}")
        read = partial(scores.read_unscored, encoder=name, scores=entry.text_scores, limit=CHUNK, part=part)
        opened = None
        for chunk in read_chunks(run, read, progress):
            if opened is None:  # TensorFlow and the weights, which a part without new petitions need not wait for
                opened = _open(run, encoder, name)
            found = make_scores(opened, encoder, chunk)
            with run.engine.begin() as conn:
                scores.upsert_scores(conn, found)
        if entry.has_keywords:
            n_written = _write_keywords(run, encoder, name, part)
            progress.rows_in = max(progress.rows_in, n_written)
            progress.rows_out = max(progress.rows_out, n_written)
    return progress.rows_out


def count_left(run: Run, encoder: str) -> int:
    """Count the texts that lack a score of an encoder, or whose keywords are old; nothing is loaded for it.

    Raises:
        WeightsError: the weights are missing or damaged.
    """
    from petitions.text.keywords import name_extractor

    entry = find_encoder(encoder)
    name, place = entry.name(run.settings), (run.source, run.window)
    with run.engine.connect() as conn:
        n_left = scores.count_unscored(conn, *place, name, entry.text_scores)
        if entry.has_keywords:
            n_left = max(n_left, scores.count_old_keywords(conn, *place, name, name_extractor(entry.masked_weight)))
    return n_left


def make_scores(opened: "Encoder", encoder: str, texts: Sequence[PetitionText]) -> list[Score]:
    """The scores of each text by an encoder; the registry says which."""
    entry = find_encoder(encoder)
    values = {name: entry.scores[name].load()(opened, texts) for name in entry.text_scores}
    return scores.name_scores(opened.name, texts, values)


def extract_words(
    texts: Sequence[str], masked: "Encoder | None" = None, weight: float = 0.0, top_k: int = KEYWORDS
) -> list[Words]:
    """The keywords of each text, with their weights; `masked` is asked where its words have a weight."""
    from petitions.text.keywords import extract_keywords
    from petitions.text.tokenizer import get_tokenizer

    tokenizer = get_tokenizer()
    ratios = _read_ratios(masked, tokenizer, texts) if masked and weight else [{} for _ in texts]
    return [
        [
            (item.word, item.weight)
            for item in extract_keywords(tokenizer, text, top_k, masked_weight=weight, masked_ratios=masked_ratios)
        ]
        for text, masked_ratios in zip(texts, ratios, strict=True)
    ]


def _write_keywords(run: Run, encoder: str, name: str, part: Part) -> int:
    """Write the keywords of the texts of a part that lack them; returns of how many."""
    from petitions.text.keywords import name_extractor

    weight = find_encoder(encoder).masked_weight
    extractor, masked = name_extractor(weight), None
    after, n_written = "", 0
    while True:
        with run.engine.connect() as conn:
            chunk = scores.read_without_keywords(
                conn, run.source, run.window, name, extractor, after=after, limit=CHUNK, part=part
            )
        if not chunk:
            return n_written
        if weight and masked is None:
            masked = _open(run, encoder, name)
        rows = [
            Keywords(
                petition_id=text.petition_id,
                encoder=name,
                content_hash=text.content_hash,
                extractor=extractor,
                words=words,
            )
            for text, words in zip(chunk, extract_words([text.whole for text in chunk], masked, weight), strict=True)
        ]
        with run.engine.begin() as conn:
            scores.upsert_keywords(conn, rows)
        after, n_written = chunk[-1].petition_id, n_written + len(chunk)


def _read_ratios(masked: Any, tokenizer: "Tokenizer", texts: Sequence[str]) -> list[dict[str, float]]:
    from petitions.scoring.masked_lm import read_masked_ratios
    from petitions.text.noun_phrases import find_phrases

    words = [{word for item in find_phrases(tokenizer, text) for word in (item.word, *item.parts)} for text in texts]
    return read_masked_ratios(masked, texts, words)


def _open(run: Run, encoder: str, name: str) -> "Encoder":
    """The encoder, which must be the one that has encoded the texts."""
    from petitions.steps.encoders import open_encoder

    opened = open_encoder(encoder, run.settings)
    if opened.name != name:
        setting = find_encoder(encoder).variables
        raise ConfigError(f"the run was encoded by {name}, but {setting} is {opened.name}: encode again")
    return opened
