"""A file of pairs in, the probability that each second text follows its first out, in the order of the lines."""

import logging
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_encoder import BertEncoder
from petitions.errors import ConfigError
from petitions.scoring.next_sentence import score_next_sentence
from petitions.sources.lines import read_lines

logger = logging.getLogger(__name__)

CHUNK = 4096  # pairs held at once


def score_pair_file(load: Callable[[], BertEncoder], pairs: Path, output: Path) -> int:
    """Score the pairs of a file some thousands at a time; `output` is written whole at the end, or not at all.

    The whole file is looked through before the weights are loaded, so that a bad line is told at once.

    Args:
        load: makes the BERT.
        pairs: UTF-8, a line a pair: the first text, a tab, the second.
        output: float32 [lines] as `.npy`.

    Returns:
        The number of pairs.

    Raises:
        ConfigError: the file is missing, no UTF-8, or a line has not exactly one tab.
        WeightsError: as `score_next_sentence` raises it.
    """
    n_pairs = sum(1 for _ in read_pairs(pairs))
    bert = load()
    probabilities: npt.NDArray[np.float32] = np.zeros(n_pairs, np.float32)
    n_done = 0
    lines = read_pairs(pairs)
    while chunk := list(islice(lines, CHUNK)):
        probabilities[n_done : n_done + len(chunk)] = score_next_sentence(bert, chunk)
        n_done += len(chunk)
        logger.info("%d of %d pairs", n_done, n_pairs)
    unfinished = output.with_name(output.name + ".part")
    with unfinished.open("wb") as file:
        np.save(file, probabilities)
    unfinished.replace(output)
    return n_pairs


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a file, one at a time; see `score_pair_file`."""
    if not path.is_file():
        raise ConfigError(f"no such file of pairs: {path}")
    for number, line in enumerate(read_lines(path), start=1):
        texts = line.split("\t")
        if len(texts) != 2:
            raise ConfigError(f"{path}, line {number}: first, tab, second expected, got {len(texts) - 1} tabs")
        yield texts[0], texts[1]
