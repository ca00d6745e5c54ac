"""The labels of the models of PETITIONS_SCORERS, a part of the step score: each under its own name."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from petitions.encoders.labels import is_head
from petitions.encoders.scorers import find_scorer, find_shipped, name_scorer
from petitions.errors import ConfigError
from petitions.records import PetitionText
from petitions.steps.step import CHUNK, Run, read_chunks
from petitions.store import labels
from petitions.store.labels import GivenLabels
from petitions.store.parts import WHOLE, Part

if TYPE_CHECKING:
    from petitions.encoders.classifier import TextClassifier
    from petitions.encoders.head import HeadClassifier

    Classifier = TextClassifier | HeadClassifier

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
                opened = open_scorer(model, run.settings.accelerator, run.settings.cpu_engine, name)
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


def give_labels(classifier: "Classifier", name: str, texts: Sequence[PetitionText]) -> list[GivenLabels]:
    """The likeliest labels of each text."""
    from petitions.encoders.probabilities import to_probabilities

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
def open_scorer(model: str, accelerator: str, cpu_engine: str, name: str) -> "Classifier":
    """A model of PETITIONS_SCORERS, loaded once a process; by its name too, since a folder may be replaced."""
    folder = Path(find_shipped(model))
    if folder.is_dir() and is_head(folder):
        from petitions.encoders.head import load_head
        from petitions.text.tokenizer import Tokenizer

        return load_head(folder, accelerator, cpu_engine, Tokenizer().morphemes)
    from petitions.encoders.classifier import load_classifier

    return load_classifier(model, accelerator, cpu_engine)
