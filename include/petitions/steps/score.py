"""The step score: next-sentence score and keywords of petitions by BERT, which are of a text alone and of no fit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from petitions.errors import ConfigError
from petitions.steps.step import CHUNK, Run, read_chunks, read_made_by
from petitions.store import scores
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import PetitionText
from petitions.store.scores import Keywords, Score

if TYPE_CHECKING:
    from petitions.encoders.bert_encoder import BertEncoder

KEYWORDS = 5  # for each petition

Judge = Callable[[Sequence[PetitionText]], tuple[list[Score], list[Keywords]]]


def score_texts(run: Run, part: Part = WHOLE) -> int:
    """Score the texts of a part that BERT has not scored; returns how many.

    Raises:
        ConfigError: they are not encoded yet, or by other weights than the setting names.
    """
    with run.step("score bert", part) as progress:
        progress.made_by = name = read_made_by(run, "encode bert")
        read = partial(scores.read_unscored, encoder=name, score="next_sentence", limit=CHUNK, part=part)
        judge = None
        for chunk in read_chunks(run, read, progress):
            if judge is None:  # TensorFlow and the weights, which a part without new petitions need not wait for
                judge = _load_judge(run, name)
            found, words = judge(chunk)
            with run.engine.begin() as conn:
                scores.upsert_keywords(conn, words)
                scores.upsert_scores(conn, found)
    return progress.rows_out


def _load_judge(run: Run, encoder: str) -> Judge:
    """What gives petitions their next-sentence score and their keywords, by the BERT that has encoded them.

    Raises:
        ConfigError: the setting names other weights than those of `encoder`, the name that the run's step gave.
        WeightsError: the weights lack the head that a score needs.
    """
    from petitions.steps.encoders import open_bert

    bert = open_bert(run.settings)
    if bert.name != encoder:
        raise ConfigError(f"the run was encoded by {encoder}, but PETITIONS_BERT_MODEL is {bert.name}: encode again")
    return make_judge(bert)


def make_judge(bert: "BertEncoder") -> Judge:
    """What gives petitions their next-sentence score and their keywords."""
    from petitions.scoring.masked_lm import extract_keywords
    from petitions.scoring.next_sentence import score_next_sentence
    from petitions.text.tokenizer import Tokenizer

    tokenizer = Tokenizer()

    def judge(texts: Sequence[PetitionText]) -> tuple[list[Score], list[Keywords]]:
        whole = [text.whole for text in texts]
        follows = score_next_sentence(bert, [(text.title, text.below_title) for text in texts])
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
