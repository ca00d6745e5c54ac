"""The task train of the DAG petition_models: weights from the stored petitions, into the artifact store."""

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from petitions.encoders.names import WEIGHTS_FILE
from petitions.encoders.quiet_start import import_tensorflow
from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.sources.lines import split_lines
from petitions.steps.step import Run
from petitions.store.petitions import read_texts

logger = logging.getLogger(__name__)

N_DIGITS = 12  # of the hash in a folder's name


def train_weights(run: Run, encoder: str, minutes: float) -> str:
    """Pre-train an encoder on the stored petitions of the window, and put it into the artifact store.

    Nothing encodes with it before an operator sets PETITIONS_BERT_MODEL or PETITIONS_ELMO_MODEL to a copy of it.

    Args:
        run: whose window is read; hidden petitions are left out.
        encoder: "bert" or "elmo".
        minutes: to train.

    Returns:
        The folder in the artifact store, named by the hash of the weights; its README.md is the model card, with the
        figures on what was held out.

    Raises:
        ConfigError: an unknown encoder, or too few petitions.
    """
    if encoder not in ("bert", "elmo"):
        raise ConfigError(f"encoder must be bert or elmo, got {encoder!r}")
    with run.engine.connect() as conn:
        documents = read_documents(conn, run.source, run.window)
    with tempfile.TemporaryDirectory() as name:
        held_out = _train(encoder, documents, Path(name), minutes, run.settings.accelerator)
        digest = hashlib.sha256((Path(name) / WEIGHTS_FILE).read_bytes()).hexdigest()[:N_DIGITS]
        folder = f"weights/{encoder}-{digest}"
        for path in sorted(Path(name).iterdir()):
            run.artifacts.write(f"{folder}/{path.name}", path.read_bytes())
    logger.info("%s from %d petitions, held out: %s", folder, len(documents), held_out)
    return folder


def read_documents(conn: Connection, source: Source, window: Window) -> list[str]:
    """Read the texts of a window as they are encoded, in the order of their ids; hidden petitions are left out."""
    return [item.whole for item in read_texts(conn, source, window)]


def _train(encoder: str, documents: Sequence[str], output: Path, minutes: float, accelerator: str) -> object:
    """Write a model to a folder; returns its figures on the text held out."""
    if encoder == "bert":
        import_tensorflow()
        from petitions.training.bert_trainer import BertTrainingSettings
        from petitions.training.pretrain_bert import pretrain_bert

        return pretrain_bert(documents, output, BertTrainingSettings(minutes=minutes, accelerator=accelerator)).quality

    import_tensorflow()
    from petitions.text.tokenizer import Tokenizer
    from petitions.training.elmo_corpus import number_corpus
    from petitions.training.elmo_settings import settings_of_minutes
    from petitions.training.pretrain_elmo import pretrain_elmo

    tokenizer = Tokenizer()
    corpus = number_corpus([tokenizer.morphemes(line) for line in split_lines(document)] for document in documents)
    with tempfile.TemporaryDirectory() as work:
        progress = pretrain_elmo(corpus, Path(work), output, settings_of_minutes(minutes, accelerator=accelerator))
    return progress.curve[-1]
