"""Pre-train a small BERT on given text: documents in, a checkpoint folder in PyTorch's layout out.

Masked words and next sentence as in Devlin et al. 2019, within a budget of minutes: the learning rate follows the
clock, and the weights are written anew every few minutes, so that stopping at any moment leaves a usable model.
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gensim.models import Word2Vec

from petitions.encoders.bert import INITIALIZER_STDDEV
from petitions.encoders.bert_checkpoint import (
    name_backbone,
    name_masked_lm,
    name_next_sentence,
    write_tensors,
)
from petitions.encoders.names import WEIGHTS_FILE
from petitions.errors import ConfigError
from petitions.training.bert_examples import Batch, EncodedCorpus, ExampleSampler, encode_corpus, split_corpus
from petitions.training.bert_trainer import BertQuality, BertTrainer, BertTrainingSettings, Course
from petitions.training.model_folder import write_config, write_tokenizer
from petitions.training.wordpiece import train_wordpiece

logger = logging.getLogger(__name__)

MIN_TITLED = 20
N_HELD_OUT_BATCHES = 24
WARM_START_LINES = 200_000  # single-line documents that the warm start reads; it stays within two minutes

MODEL_CARD = """# A small Korean BERT

Trained by `petitions pretrain bert` with masked words (whole words, 15 %) and next sentence (seven pairs in ten are a
title and its body; embeddings start from word2vec over the same text).

| | |
|---|---|
| network | {n_layers} layers, hidden {hidden_size}, {vocab_size} word pieces, {n_positions} positions, float16 |
| text | {n_titled} documents with title and body, {n_lines} single lines |
| training | {minutes:.0f} minutes, {n_steps} steps, {n_tokens} tokens, seed {random_seed} |
| masked words, held out | loss {masked_lm_loss:.3f} nats a piece, accuracy {masked_lm_accuracy:.3f} |
| next sentence, held out | accuracy {next_sentence_accuracy:.3f} |

Held out: {n_held_out} documents with a title and a body, masked as in training.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BertTraining:
    """What a training did, and how good its model is on the documents held out from it."""

    course: Course
    quality: BertQuality


def pretrain_bert(documents: Iterable[str], output: Path, settings: BertTrainingSettings) -> BertTraining:
    """Train a vocabulary and a BERT, and write config, tokenizer, weights (float16) and model card to `output`.

    Args:
        documents: text as `read_corpus` gives it; a document with a line break is a title and a body.
        output: a folder, made where it is missing; a model that is there is overwritten.
        settings: the budget of minutes counts from the first step.

    Raises:
        ConfigError: fewer than 20 documents with a title and a body of some length.
    """
    documents = list(documents)
    tokenizer = train_wordpiece(documents, settings.vocab_size, settings.n_positions)
    corpus = encode_corpus(documents, tokenizer)
    if len(corpus.titled) < MIN_TITLED:
        raise ConfigError(f"{MIN_TITLED} documents with a title and a body are needed, got {len(corpus.titled)}")
    settings = replace(settings, vocab_size=len(tokenizer))
    seen, held_out = split_corpus(corpus, settings.held_out_share, settings.random_seed)
    trainer = BertTrainer(settings, train_piece_vectors(seen, settings))
    output.mkdir(parents=True, exist_ok=True)
    write_tokenizer(output, tokenizer)
    write_config(output, settings.size)
    held_out_sampler = ExampleSampler(held_out, tokenizer, 1.0, settings.random_seed)
    batches = [held_out_sampler.draw_batch(settings.batch_size, settings.length) for _ in range(N_HELD_OUT_BATCHES)]
    sampler = ExampleSampler(seen, tokenizer, settings.titled_share, settings.random_seed)
    course = trainer.train(sampler, lambda: _save(output, trainer, batches))
    quality = _save(output, trainer, batches)
    counts = {"n_titled": len(seen.titled), "n_lines": len(seen.lines), "n_held_out": len(held_out.titled)}
    card = MODEL_CARD.format(**asdict(settings) | asdict(course) | asdict(quality) | counts)
    (output / "README.md").write_text(card, encoding="utf-8")
    return BertTraining(course=course, quality=quality)


def train_piece_vectors(corpus: EncodedCorpus, settings: BertTrainingSettings) -> npt.NDArray[np.float32]:
    """Train word2vec over the pieces: a start for the embeddings that costs a minute and spares several.

    Returns:
        float32 [V, D], centred, with the spread of BERT's own initialization.
    """
    texts = chain((np.concatenate(pair) for pair in corpus.titled), corpus.lines[:WARM_START_LINES])
    sentences = [list(map(str, text.tolist())) for text in texts]
    model = Word2Vec(
        sentences,
        vector_size=settings.hidden_size,
        sg=1,
        window=5,
        min_count=1,
        epochs=1,
        workers=1,
        seed=settings.random_seed,
    )
    random = np.random.default_rng(settings.random_seed)
    vectors = random.standard_normal((settings.vocab_size, settings.hidden_size)).astype(np.float32)
    known = [int(piece) for piece in model.wv.index_to_key]
    trained = model.wv.vectors - model.wv.vectors.mean(axis=0)
    vectors[known] = trained / trained.std()
    return vectors * INITIALIZER_STDDEV


def _save(output: Path, trainer: BertTrainer, batches: list[Batch]) -> BertQuality:
    names = chain(
        name_backbone(trainer.bert), name_masked_lm(trainer.masked_lm), name_next_sentence(trainer.next_sentence)
    )
    write_tensors(output / WEIGHTS_FILE, names)
    quality = trainer.measure(batches)
    logger.info("held out: %s", quality)
    return quality
