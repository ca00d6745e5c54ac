"""What makes weights: the command `petitions pretrain bert|elmo`, and the same over the stored petitions."""

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import Connection

from petitions.errors import ConfigError
from petitions.pipeline import Pipeline
from petitions.records import Source, Window
from petitions.sources.lines import split_lines
from petitions.store.petitions import read_texts

logger = logging.getLogger(__name__)

WEIGHTS_FILE = "model.safetensors"
N_DIGITS = 12  # of the hash in a folder's name

files_option = click.option(
    "--corpus",
    "corpus",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A .jsonl(.gz) of petitions, a .tsv.gz of reviews or a .txt; may be given several times.",
)
output_option = click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Folder for weights and model card."
)
minutes_option = click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=30.0, show_default=True, help="Time to train."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True)


@click.group()
def pretrain() -> None:
    """Pre-train a small encoder on Korean text."""


@pretrain.command()
@files_option
@output_option
@minutes_option
@seed_option
def bert(corpus: tuple[Path, ...], output: Path, minutes: float, seed: int) -> None:
    """Masked-LM and next-sentence prediction (Devlin et al. 2019)."""
    from petitions.training.bert_trainer import BertTrainingSettings
    from petitions.training.corpus import read_corpus
    from petitions.training.pretrain_bert import pretrain_bert

    pretrain_bert(read_corpus(corpus), output, BertTrainingSettings(minutes=minutes, random_seed=seed))


@pretrain.command()
@files_option
@output_option
@minutes_option
@seed_option
def elmo(corpus: tuple[Path, ...], output: Path, minutes: float, seed: int) -> None:
    """Forward and backward language model over morphemes (Peters et al. 2018)."""
    from petitions.text.tokenizer import Tokenizer
    from petitions.training.corpus import read_corpus
    from petitions.training.pretrain_elmo import ElmoTrainingSettings, pretrain_elmo

    tokenizer = Tokenizer()
    sentences = (tokenizer.morphemes(line) for document in read_corpus(corpus) for line in split_lines(document))
    settings = ElmoTrainingSettings(minutes=minutes, minutes_of_warm_start=warm_start(minutes), seed=seed)
    pretrain_elmo(sentences, output, settings)


def warm_start(minutes: float) -> float:
    """The minutes in which an ELMo's characters are fitted, before so many minutes of training: eight, or less."""
    return min(8.0, 0.3 * minutes)


def train_weights(pipeline: Pipeline, encoder: str, minutes: float) -> str:
    """Pre-train an encoder on the stored petitions of the window, and put it into the artifact store.

    Nothing encodes with it before an operator sets PETITIONS_BERT_MODEL or PETITIONS_ELMO_MODEL to a copy of it.

    Args:
        pipeline: whose window is read; hidden petitions are left out.
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
    with pipeline.engine.connect() as conn:
        documents = read_documents(conn, pipeline.source, pipeline.window)
    with tempfile.TemporaryDirectory() as name:
        held_out = _train(encoder, documents, Path(name), minutes, pipeline.settings.accelerator)
        digest = hashlib.sha256((Path(name) / WEIGHTS_FILE).read_bytes()).hexdigest()[:N_DIGITS]
        folder = f"weights/{encoder}-{digest}"
        for path in sorted(Path(name).iterdir()):
            pipeline.artifacts.write(f"{folder}/{path.name}", path.read_bytes())
    logger.info("%s from %d petitions, held out: %s", folder, len(documents), held_out)
    return folder


def read_documents(conn: Connection, source: Source, window: Window) -> list[str]:
    """Read the texts of a window as they are encoded, in the order of their ids; hidden petitions are left out."""
    return [item.whole for item in read_texts(conn, source, window)]


def _train(encoder: str, documents: Sequence[str], output: Path, minutes: float, accelerator: str) -> object:
    """Write a model to a folder; returns its figures on the text held out."""
    if encoder == "bert":
        from petitions.training.bert_trainer import BertTrainingSettings
        from petitions.training.pretrain_bert import pretrain_bert

        return pretrain_bert(documents, output, BertTrainingSettings(minutes=minutes, accelerator=accelerator)).quality

    from petitions.text.tokenizer import Tokenizer
    from petitions.training.pretrain_elmo import ElmoTrainingSettings, pretrain_elmo

    tokenizer = Tokenizer()
    sentences = (tokenizer.morphemes(line) for document in documents for line in split_lines(document))
    settings = ElmoTrainingSettings(minutes=minutes, minutes_of_warm_start=warm_start(minutes), accelerator=accelerator)
    return pretrain_elmo(sentences, output, settings)[-1]


COMMANDS = (pretrain,)
