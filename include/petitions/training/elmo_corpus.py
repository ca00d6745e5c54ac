"""Documents as lists of morphemes in, one stream of numbers a split out; written once and read again by a later run."""

import json
import os
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petitions.encoders.names import hash_text
from petitions.errors import ConfigError
from petitions.sources.lines import split_lines
from petitions.training.corpus import read_corpus

BEGIN, END = 0, 1  # numbers of the two marks that frame a sentence; text begins behind them
HELD_OUT_EVERY = 50  # one document in 50 is kept from training
CORPUS_FILE = "corpus.npz"

Ints = npt.NDArray[np.int32]
Split = Callable[[str], list[str]]
Document = Iterable[Sequence[str]]  # sentences, each a list of tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A text as numbers, each sentence between its marks."""

    tokens: tuple[str, ...]  # the distinct tokens; number 2 is the first
    training: Ints
    held_out: Ints
    only_words: Ints  # from which word vectors are learnt, and no more


def number_corpus(documents: Iterable[Document], only_words: Iterable[Document] = ()) -> Corpus:
    """Number documents; an empty sentence, and a document without any, is left out.

    Args:
        documents: read once; every fiftieth is held out whole.
        only_words: of which nothing is held out and no language model is trained.

    Raises:
        ConfigError: fewer than two documents, so that nothing can be held out.
    """
    index: dict[str, int] = {}
    training, held_out, extra = (array("i") for _ in range(3))
    n_documents = 0
    for document in documents:
        n_documents += _append(document, held_out if n_documents % HELD_OUT_EVERY == 1 else training, index)
    if n_documents < 2:
        raise ConfigError(f"at least 2 documents are needed to train an ELMo, got {n_documents}")
    for document in only_words:
        _append(document, extra, index)
    streams = (np.array(stream, dtype=np.int32) for stream in (training, held_out, extra))
    return Corpus(tokens=tuple(index), **dict(zip(("training", "held_out", "only_words"), streams, strict=True)))


def keep_corpus(paths: Sequence[Path], only_words: Sequence[Path], work: Path, *, split: Split, name: str) -> Corpus:
    """Number the documents of files, once: later runs over the same files read the work folder.

    Args:
        paths: as `training.corpus.read_corpus` takes them.
        only_words: the same, see `number_corpus`.
        work: the folder.
        split: gives the tokens of a line.
        name: of the tokenizer.

    Raises:
        ConfigError: see `training.corpus.read_corpus` and `number_corpus`.
    """
    found = (str((path.resolve(), path.stat().st_size)) for path in (*paths, *only_words) if path.is_file())
    key = hash_text(name, str(len(paths)), *found)
    if corpus := read_corpus_file(work, key):
        return corpus
    documents, others = (
        ([split(line) for line in split_lines(document)] for document in read_corpus(files))
        for files in (paths, only_words)
    )
    corpus = number_corpus(documents, others)
    write_corpus(corpus, work, key)
    return corpus


def write_corpus(corpus: Corpus, work: Path, key: str) -> None:
    """Write a corpus to the work folder, all at once; `key` says of what it was made."""
    work.mkdir(parents=True, exist_ok=True)
    unfinished = work / (CORPUS_FILE + ".part")
    with unfinished.open("wb") as file:
        np.savez(
            file,
            key=np.array(key),
            tokens=np.frombuffer(json.dumps(corpus.tokens).encode(), np.uint8),  # a lone surrogate passes
            training=corpus.training,
            held_out=corpus.held_out,
            only_words=corpus.only_words,
        )
    os.replace(unfinished, work / CORPUS_FILE)


def read_corpus_file(work: Path, key: str | None = None) -> Corpus | None:
    """Read a corpus; None where there is none, or one that was made of something else than `key` says."""
    path = work / CORPUS_FILE
    if not path.is_file():
        return None
    try:
        with np.load(path) as arrays:
            if key is not None and str(arrays["key"]) != key:
                return None
            streams = {name: arrays[name] for name in ("training", "held_out", "only_words")}
            return Corpus(tokens=tuple(json.loads(arrays["tokens"].tobytes())), **streams)
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise ConfigError(f"{path} is damaged: remove it to read the text again ({error!r})") from error


def _append(document: Document, stream: "array[int]", index: dict[str, int]) -> bool:
    """Append the sentences of a document; whether there were any."""
    n_before = len(stream)
    for sentence in document:
        if sentence:
            stream.append(BEGIN)
            stream.extend(index.setdefault(token, len(index) + 2) for token in sentence)
            stream.append(END)
    return len(stream) > n_before
