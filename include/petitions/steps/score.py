"""The step score: the scores of a text alone, of no fit, and its keywords, by the encoders that give any."""

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
            words = extract_words(opened, chunk) if entry.has_keywords else []
            with run.engine.begin() as conn:
                scores.upsert_keywords(conn, words)
                scores.upsert_scores(conn, found)
    return progress.rows_out


def make_scores(opened: "Encoder", encoder: str, texts: Sequence[PetitionText]) -> list[Score]:
    """The scores of each text by an encoder; the registry says which."""
    entry = find_encoder(encoder)
    return [
        Score(
            petition_id=text.petition_id,
            encoder=opened.name,
            score=name,
            value=round(float(value), 6),
            content_hash=text.content_hash,
        )
        for name in entry.text_scores
        for text, value in zip(texts, entry.scores[name].load()(opened, texts), strict=True)
    ]


def extract_words(opened: Any, texts: Sequence[PetitionText]) -> list[Keywords]:
    """The keywords of each text by masked words."""
    from petitions.scoring.masked_lm import extract_keywords
    from petitions.text.tokenizer import Tokenizer

    tokenizer = Tokenizer()
    whole = [text.whole for text in texts]
    words = extract_keywords(opened, whole, [tokenizer.tokenize(text) for text in whole], KEYWORDS)
    return [
        Keywords(
            petition_id=text.petition_id,
            encoder=opened.name,
            content_hash=text.content_hash,
            words=[(item.word, item.probability) for item in found],
        )
        for text, found in zip(texts, words, strict=True)
    ]


def _open(run: Run, encoder: str, name: str) -> "Encoder":
    """The encoder, which must be the one that has encoded the texts."""
    from petitions.steps.encoders import open_encoder

    opened = open_encoder(encoder, run.settings)
    if opened.name != name:
        setting = f"PETITIONS_{find_encoder(encoder).setting.upper()}"
        raise ConfigError(f"the run was encoded by {name}, but {setting} is {opened.name}: encode again")
    return opened
