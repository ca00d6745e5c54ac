"""All that the stages train on, as piece ids: a data folder, cached teacher vectors and a tokenizer in, arrays out."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from petitions.encoders.hub import PreTrainedTokenizerFast
from petitions.errors import ConfigError
from petitions.training.bert_examples import EncodedCorpus, Ids, encode_corpus
from petitions.training.sources import (
    Document,
    read_alike,
    read_civic,
    read_petitions,
    read_scored_pairs,
    read_titles,
)
from petitions.training.teacher_vectors import read_vectors

logger = logging.getLogger(__name__)

CIVIC_STEP = 5  # every fifth civic document is read: a night on one core sees no more of them
CIVIC_LENGTH = 1200  # characters of each
N_NEIGHBOURS = 4
MOST_ALIKE = 0.6  # cosine of words; a body that is nearer is the same petition once more, no other one
MIN_DOCUMENTS = 20
NEIGHBOUR_ROWS = 512  # bodies compared with all others at once

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Encoded texts without special tokens; the arrays of one field have one length."""

    petitions: EncodedCorpus  # with the titles that have no body as lines
    civic: EncodedCorpus
    neighbours: npt.NDArray[np.int64]  # [petitions, K], the most similar other bodies by words, nearest first
    taught: Sequence[Ids]
    vectors: Floats  # [taught, D], of unit length
    scored: Sequence[tuple[Ids, Ids]]
    scores: Floats  # [scored], 0 to 1
    alike: Sequence[tuple[Ids, Ids, Ids]]  # the third is empty where there is none


def load_material(data: Path, cache: Path, tokenizer: PreTrainedTokenizerFast) -> Material:
    """Read and encode everything; some minutes.

    Raises:
        ConfigError: a file is missing or damaged, there are too few petitions, or no teacher vectors.
    """
    texts, vectors = read_vectors(cache)
    petitions = encode_corpus([*_join(read_petitions(data)), *read_titles(data)], tokenizer)
    if len(petitions.titled) < MIN_DOCUMENTS:
        raise ConfigError(f"{MIN_DOCUMENTS} petitions with a body are needed, {data} has {len(petitions.titled)}")
    civic = encode_corpus(_join(read_civic(data)[::CIVIC_STEP], CIVIC_LENGTH), tokenizer)
    scored, alike = read_scored_pairs(data), read_alike(data)
    columns = zip(*((pair.first, pair.second, pair.unlike) for pair in alike), strict=True)
    firsts, seconds, unlike = (encode_lines(column, tokenizer) for column in columns)
    material = Material(
        petitions=petitions,
        civic=civic,
        neighbours=find_neighbours([body for _, body in petitions.titled], len(tokenizer)),
        taught=encode_lines(texts, tokenizer),
        vectors=vectors,
        scored=list(
            zip(
                encode_lines((pair.first for pair in scored), tokenizer),
                encode_lines((pair.second for pair in scored), tokenizer),
                strict=True,
            )
        ),
        scores=np.array([pair.score for pair in scored], np.float32),
        alike=list(zip(firsts, seconds, unlike, strict=True)),
    )
    logger.info(
        "%d petitions, %d titles, %d civic documents, %d taught texts, %d scored and %d alike pairs",
        *(len(petitions.titled), len(petitions.lines), len(civic.titled)),
        *(len(material.taught), len(material.scored), len(material.alike)),
    )
    return material


def find_neighbours(bodies: Sequence[Ids], vocab_size: int) -> npt.NDArray[np.int64]:
    """The most similar other bodies by the TF-IDF of their pieces, leaving out what is nearly the same.

    Returns:
        int64 [N, K], nearest first.
    """
    rows = np.repeat(np.arange(len(bodies)), [len(body) for body in bodies])
    counts = sparse.csr_matrix(
        (np.ones(len(rows), np.float32), (rows, np.concatenate(bodies))), shape=(len(bodies), vocab_size)
    )
    counts.sum_duplicates()
    n_containing = np.bincount(counts.indices, minlength=vocab_size)
    weights = np.log(len(bodies) / np.maximum(n_containing, 1)).astype(np.float32)
    counts.data = (1 + np.log(counts.data)) * weights[counts.indices]
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts = sparse.diags(1 / np.maximum(norms, 1e-9)) @ counts  # [N, V], rows of unit length
    found = []
    for start in range(0, len(bodies), NEIGHBOUR_ROWS):
        alike = (counts[start : start + NEIGHBOUR_ROWS] @ counts.T).toarray()  # [R, N]
        alike[alike > MOST_ALIKE] = -1.0  # itself among them
        found.append(np.argsort(-alike, axis=1, kind="stable")[:, :N_NEIGHBOURS])
    return np.concatenate(found)


def encode_lines(texts: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> list[Ids]:
    """Piece ids of each text, without special tokens."""
    encodings = tokenizer.backend_tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return [np.array(encoding.ids, np.int32) for encoding in encodings]


def _join(documents: Iterable[Document], longest: int | None = None) -> list[str]:
    return [f"{document.title}\n{document.body[:longest]}" for document in documents]
