"""The labels of fine-tuned models, a part of the step score: those of PETITIONS_SCORERS, each under its own name."""

from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from petitions.encoders.scorers import find_scorer, name_scorer
from petitions.errors import ConfigError
from petitions.records import PetitionText
from petitions.steps.step import CHUNK, Run, read_chunks
from petitions.store import labels
from petitions.store.labels import GivenLabels
from petitions.store.parts import WHOLE, Part

if TYPE_CHECKING:
    from petitions.encoders.classifier import TextClassifier

KEPT = 3  # labels of each petition, the likeliest; of two both are kept


def label_texts(run: Run, scorer: str, part: Part = WHOLE) -> int:
    """Label the texts of a part that a scorer, by its folder's name, has not seen; returns how many.

    Raises:
        ConfigError: the setting names no such scorer, or its weights were replaced while this began.
        WeightsError: the weights are missing or damaged, or give no labels.
    """
    model = find_scorer(run.settings.scorers, scorer)
    with run.step(f"score {scorer}", part) as progress:
        progress.made_by = name = name_scorer(model)
        read = partial(labels.read_unlabelled, scorer=name, limit=CHUNK, part=part)
        opened = None
        for chunk in read_chunks(run, read, progress):
            if opened is None:  # TensorFlow and the weights, which a part without new petitions need not wait for
                opened = _open(model, run.settings.accelerator, run.settings.cpu_engine, name)
                if opened.name != name:
                    raise ConfigError(f"the weights of {model} were replaced: {name} is {opened.name} now, try again")
            given = give_labels(opened, name, chunk)
            with run.engine.begin() as conn:
                labels.upsert_labels(conn, given)
    return progress.rows_out


def count_left(run: Run, scorer: str) -> int:
    """Count the texts that a scorer has not seen; nothing is loaded for it.

    Raises:
        ConfigError, WeightsError: as by `label_texts`.
    """
    name = name_scorer(find_scorer(run.settings.scorers, scorer))
    with run.engine.connect() as conn:
        return labels.count_unlabelled(conn, run.source, run.window, name)


def give_labels(classifier: "TextClassifier", name: str, texts: Sequence[PetitionText]) -> list[GivenLabels]:
    """The likeliest labels of each text."""
    from petitions.encoders.classifier import to_probabilities

    probabilities = to_probabilities(classifier.classify([text.whole for text in texts]))  # [N, L]
    likeliest = (-probabilities).argsort(axis=1, kind="stable")[:, :KEPT]  # [N, K]
    names = classifier.labels.names
    return [
        GivenLabels(
            petition_id=text.petition_id,
            scorer=name,
            content_hash=text.content_hash,
            labels=[(names[number], float(row[number])) for number in numbers],
        )
        for text, row, numbers in zip(texts, probabilities, likeliest, strict=True)
    ]


@cache
def _open(model: str, accelerator: str, cpu_engine: str, name: str) -> "TextClassifier":
    # By its name too: a folder may be replaced.
    from petitions.encoders.classifier import load_classifier

    return load_classifier(model, accelerator, cpu_engine)
