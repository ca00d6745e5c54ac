"""The small BERT that ships, made in stages: each a command of its own, which goes on where it was stopped.

    vocabulary  a WordPiece of our own, from petitions, titles, civic text and sentence pairs
    teach       the teacher's vectors of titles, sentences and pairs, computed once
    train       one stage (distil, match, follow, refine, fill); the student is made of the teacher at the first
    export      the folder that `PETITIONS_BERT_MODEL` may name

All lies in one work folder: `tokenizer.json`, `vectors/`, `state.npz`.
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import keras

from petitions.encoders.bert_checkpoint import name_backbone, name_masked_lm, name_next_sentence, write_tensors
from petitions.encoders.hub import load_tokenizer
from petitions.encoders.names import WEIGHTS_FILE
from petitions.errors import ConfigError
from petitions.training.draws import SENTENCE_TOKENS, Drawer, DrawSizes
from petitions.training.material import Material, load_material
from petitions.training.model_folder import write_config, write_tokenizer
from petitions.training.sources import (
    read_alike,
    read_civic,
    read_petitions,
    read_scored_pairs,
    read_titles,
    split_sentences,
)
from petitions.training.stage_state import Progress, read_state
from petitions.training.stage_trainer import Stage, StageTrainer
from petitions.training.student import Network, centre, expect_frequencies, make_student
from petitions.training.teacher_vectors import Teacher, compute_vectors
from petitions.training.wordpiece import train_wordpiece

logger = logging.getLogger(__name__)

CIVIC_STEP = 8  # every eighth civic document is in the vocabulary's text
CIVIC_LENGTH = 1500
N_CENTRE = 512  # texts that the common component is taken from


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What the student is made of, and how it is trained in any stage."""

    vocab_size: int = 10_500  # with four layers of 384 these are 23 MB in float16
    layers: tuple[int, ...] = (0, 1, 10, 11)  # of twelve: of ten choices the one that starts nearest to the teacher
    n_positions: int = 256
    sizes: DrawSizes = DrawSizes()
    seed: int = 0
    checkpoint_s: float = 150.0
    accelerator: str = "auto"


# Shares are of the steps. Distillation alone makes the best vectors by far, and words that are masked, pairs and human
# scores pull them away from it (docs/training.md has the figures): so it stays the larger part of every stage.
STAGES = {
    stage.name: stage
    for stage in (
        Stage(name="distil", n_steps=150, shares={"distill": 0.7, "joint": 0.3}, rate=4e-4, n_rise=60),
        Stage(name="match", n_steps=450, shares={"distill": 0.74, "match": 0.26}, rate=4e-4, n_rise=10, is_last=True),
        Stage(
            name="follow",
            n_steps=3400,
            shares={"distill": 0.35, "match": 0.2, "next": 0.45},
            rate=3e-4,
            n_rise=30,
            is_last=True,
        ),
        # Once more from a rate of its own: a second descent gained on all counts.
        Stage(
            name="refine",
            n_steps=1500,
            shares={"distill": 0.25, "match": 0.3, "next": 0.45},
            rate=2.5e-4,
            n_rise=30,
            is_last=True,
        ),
        # Vectors are held to what they are while the network learns to fill masks, which it reads other texts for.
        Stage(
            name="fill",
            n_steps=2200,
            shares={"fill": 0.65, "hold": 0.27, "next": 0.08},
            rate=4e-4,
            n_rise=50,
            is_last=True,
            head_factor=3.0,
        ),
    )
}


def make_vocabulary(data: Path, work: Path, recipe: Recipe) -> None:
    """Train a WordPiece on what the stages read, and write it to `work`.

    Raises:
        ConfigError: a file of `data` is missing or damaged.
    """
    petitions = (f"{document.title}\n{document.body}" for document in read_petitions(data))
    civic = (f"{document.title}\n{document.body[:CIVIC_LENGTH]}" for document in read_civic(data)[::CIVIC_STEP])
    documents = chain(petitions, read_titles(data), _unique(_sentences_of_pairs(data)), civic)
    work.mkdir(parents=True, exist_ok=True)
    write_tokenizer(work, train_wordpiece(documents, recipe.vocab_size, recipe.n_positions))


def teach(data: Path, teacher: Path, work: Path, recipe: Recipe) -> None:
    """Compute the teacher's vectors of all titles, sentences and pairs, in random order: any part of it will do.

    Raises:
        ConfigError: a file of `data` is missing or damaged, or the vectors in `work` are of other texts.
    """
    sentences = (sentence for document in read_petitions(data) for sentence in split_sentences(document.body))
    texts = _unique(chain(read_titles(data), _sentences_of_pairs(data), sentences))
    random.Random(recipe.seed).shuffle(texts)  # noqa: S311  (an order, no secret)
    compute_vectors(Teacher(teacher, accelerator=recipe.accelerator), texts, work / "vectors")


def train(data: Path, teacher: Path, work: Path, stage: Stage, recipe: Recipe) -> Progress:
    """Train one stage, from the state in `work` where there is one.

    Raises:
        ConfigError: vocabulary, teacher vectors or a file of `data` is missing, or the state is of another network.
    """
    keras.utils.set_random_seed(recipe.seed)  # fresh heads are drawn from noise
    tokenizer = load_tokenizer(work)
    network = make_student(teacher, tokenizer, recipe.layers, recipe.n_positions)
    material = load_material(data, work / "vectors", tokenizer)
    drawer = Drawer(material, tokenizer, recipe.sizes)
    prepare(network, material, drawer)
    trainer = StageTrainer(network, drawer, work, seed=recipe.seed, accelerator=recipe.accelerator)
    return trainer.run(stage, recipe.checkpoint_s)


def prepare(network: Network, material: Material, drawer: Drawer) -> None:
    """Give a fresh student what can be counted instead of learned."""
    centre(network, *drawer.pad_texts(material.taught[:N_CENTRE], SENTENCE_TOKENS))
    expect_frequencies(network.masked_lm, (body for _, body in material.petitions.titled))


def export(teacher: Path, work: Path, output: Path, recipe: Recipe, *, heads: str) -> Progress:
    """Write the network of the last state as a folder that this package and transformers read.

    Args:
        teacher: as for `train`.
        work: with the state.
        output: a folder, made where it is missing.
        recipe: as for `train`.
        heads: "none", "next" or "both"; a head that was not trained stays out, so that nobody takes it for a score.

    Raises:
        ConfigError: `work` has no state.
    """
    tokenizer = load_tokenizer(work)
    network = make_student(teacher, tokenizer, recipe.layers, recipe.n_positions)
    progress = read_state(work, network.variables, [])
    if progress is None:
        raise ConfigError(f"{work} has no state of a training")
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.model_max_length = network.bert.size.max_position_embeddings  # transformers cuts by it; we do not
    write_tokenizer(output, tokenizer)
    write_config(output, network.bert.size, architecture="BertForMaskedLM" if heads == "both" else "BertModel")
    tensors = [name_backbone(network.bert)]
    if heads == "both":
        tensors.append(name_masked_lm(network.masked_lm))
    if heads != "none":
        tensors.append(name_next_sentence(network.next_sentence))
    write_tensors(output / WEIGHTS_FILE, chain(*tensors))
    return progress


def _sentences_of_pairs(data: Path) -> Iterable[str]:
    for scored in read_scored_pairs(data):
        yield from (scored.first, scored.second)
    for alike in read_alike(data):
        yield from (alike.first, alike.second)


def _unique(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
