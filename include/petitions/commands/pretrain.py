"""The command `petitions pretrain bert|elmo`: weights from files of text."""

import logging
from pathlib import Path

import click

from petitions.commands.options import Group
from petitions.commands.pretrain_stages import STAGE_COMMANDS
from petitions.sources.lines import split_lines

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


@click.group(cls=Group)
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
    from petitions.training.pretrain_elmo import ElmoTrainingSettings, pretrain_elmo, warm_start

    tokenizer = Tokenizer()
    sentences = (tokenizer.morphemes(line) for document in read_corpus(corpus) for line in split_lines(document))
    settings = ElmoTrainingSettings(minutes=minutes, minutes_of_warm_start=warm_start(minutes), seed=seed)
    pretrain_elmo(sentences, output, settings)


for command in STAGE_COMMANDS:
    pretrain.add_command(command)

COMMANDS = (pretrain,)
