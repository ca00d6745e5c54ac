"""The command `petitions pretrain bert|elmo|pooling`: weights from files of text."""

import logging
from dataclasses import asdict
from pathlib import Path

import click

from petitions.commands.console import print_rows
from petitions.commands.options import Group, json_option
from petitions.commands.pretrain_stages import STAGE_COMMANDS
from petitions.encoders.quiet_start import import_tensorflow
from petitions.settings import Settings

logger = logging.getLogger(__name__)

WEIGHTS_FILE = "model.safetensors"
N_DIGITS = 12  # of the hash in a folder's name

files_option = click.option(
    "--corpus",
    "corpus",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A .jsonl(.gz) of petitions or articles, a .tsv.gz of reviews or a .txt; may be given several times.",
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
    """Masked-LM and next-sentence prediction (Devlin and others 2019)."""
    import_tensorflow()
    from petitions.training.bert_trainer import BertTrainingSettings
    from petitions.training.corpus import read_corpus
    from petitions.training.pretrain_bert import pretrain_bert

    pretrain_bert(read_corpus(corpus), output, BertTrainingSettings(minutes=minutes, random_seed=seed))


@pretrain.command()
@files_option
@click.option(
    "--words-corpus",
    multiple=True,
    type=click.Path(path_type=Path),
    help="More of the same, for the word vectors alone; may be given several times.",
)
@output_option
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="Folder of text, word vectors and state; a run goes on from there.  [default: OUTPUT-work]",
)
@minutes_option
@click.option("--steps", type=click.IntRange(min=1), help="In place of the minutes: the same curve on any machine.")
@click.option(
    "--precision",
    type=click.Choice(("auto", "float32", "bfloat16")),
    default="auto",
    show_default=True,
    help="Of products; auto is bfloat16 where the device has it. A run goes on in what it began with.",
)
@seed_option
def elmo(
    corpus: tuple[Path, ...],
    words_corpus: tuple[Path, ...],
    output: Path,
    work: Path | None,
    minutes: float,
    steps: int | None,
    precision: str,
    seed: int,
) -> None:
    """Forward and backward language model over morphemes (Peters and others 2018)."""
    from dataclasses import replace

    import_tensorflow()
    from petitions.text.tokenizer import TOKENIZER, Tokenizer
    from petitions.training.elmo_corpus import keep_corpus
    from petitions.training.elmo_settings import settings_of_minutes
    from petitions.training.pretrain_elmo import pretrain_elmo

    work = work or output.with_name(f"{output.name}-work")
    accelerator = Settings.from_env().accelerator
    settings = replace(settings_of_minutes(minutes, seed=seed, accelerator=accelerator), precision=precision)
    if steps:
        settings = replace(settings, minutes=None, n_steps=steps)
    numbered = keep_corpus(corpus, words_corpus, work, split=Tokenizer().morphemes, name=TOKENIZER)
    pretrain_elmo(numbered, work, output, settings)


@pretrain.command()
@files_option
@click.option("--model", required=True, type=click.Path(path_type=Path), help="Folder of an ELMo.")
@json_option
def pooling(corpus: tuple[Path, ...], model: Path, as_json: bool) -> None:
    """Weigh an ELMo's tokens, layers and directions so that titles find their bodies (Arora and others 2017)."""
    from petitions.text.tokenizer import Tokenizer
    from petitions.training.corpus import read_corpus
    from petitions.training.fit_pooling import fit_pooling

    tokenizer = Tokenizer()
    documents = (document.partition("\n") for document in read_corpus(corpus))
    pairs = [(tokenizer.morphemes(title), tokenizer.morphemes(body)) for title, _, body in documents if body]
    choice = fit_pooling(model, pairs, Settings.from_env().accelerator)
    print_rows([asdict(choice)], as_json=as_json, title=f"pooling of {model}")


@pretrain.command()
@click.option("--model", required=True, type=click.Path(path_type=Path), help="Folder of an ELMo.")
@output_option
def bilm(model: Path, output: Path) -> None:
    """Write an ELMo as options.json and weights.hdf5, which bilm-tf, AllenNLP and simple_elmo read."""
    from petitions.encoders.elmo_checkpoint import read_weights, write_bilm_tf
    from petitions.encoders.elmo_options import read_options
    from petitions.encoders.names import OPTIONS_FILE, find_weights

    write_bilm_tf(output, read_options(model / OPTIONS_FILE), read_weights(find_weights(model)))


for command in STAGE_COMMANDS:
    pretrain.add_command(command)

COMMANDS = (pretrain,)
