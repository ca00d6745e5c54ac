"""What network and shared pieces weigh in next sentence: petitions that no stage read in, tensors out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

from petitions.encoders.bert_checkpoint import write_arrays
from petitions.encoders.bert_encoder import BertEncoder, load_bert
from petitions.encoders.names import WEIGHTS_FILE
from petitions.encoders.overlap import RARITY, WEIGHTS, measure_overlap
from petitions.encoders.pairs import read_margins
from petitions.errors import ConfigError
from petitions.training.material import find_neighbours
from petitions.training.sources import Document, read_calibration

N_PAIRED = 400  # petitions whose pairs are read
FEWEST = 20
STRENGTH = 100.0  # of the regression, whose three numbers need no holding back

Pairs = list[tuple[str, str]]


def calibrate(folder: Path, data: Path, *, accelerator: str = "auto", seed: int = 0) -> npt.NDArray[np.float32]:
    """Fit what network and shared pieces weigh, and write it into the folder's weights; what was there is replaced.

    Half of the pairs are titles with their bodies; of the others half have a random body, half the one that is most
    like the right one by words.

    Returns:
        float32 [3], the weights of network, shared pieces and neither.

    Raises:
        ConfigError: there are too few petitions.
        WeightsError: the folder has no next-sentence head.
    """
    documents = read_calibration(data)
    if len(documents) < FEWEST:
        raise ConfigError(f"{FEWEST} petitions are needed to calibrate, {data} has {len(documents)}")
    bert = load_bert(str(folder), accelerator)
    rarity = count_rarity(bert, documents)
    chosen = [documents[i] for i in np.random.default_rng(seed).permutation(len(documents))[:N_PAIRED]]
    own, wrong = draw_pairs(bert, chosen)
    margins, firsts, seconds = read_margins(bert, [*own, *wrong])
    shared = [measure_overlap(first, second, rarity) for first, second in zip(firsts, seconds, strict=True)]
    labels = np.repeat([1, 0], [len(own), len(wrong)])
    balance = np.where(labels == 1, 1.0, len(own) / len(wrong))
    fitted = LogisticRegression(C=STRENGTH).fit(np.column_stack([margins, shared]), labels, balance)
    weights = np.array([*fitted.coef_[0], fitted.intercept_[0]], np.float32)
    path = folder / WEIGHTS_FILE
    write_arrays(path, load_file(path) | {RARITY: rarity.astype(np.float16), WEIGHTS: weights})
    return weights


def count_rarity(bert: BertEncoder, documents: Sequence[Document]) -> npt.NDArray[np.float32]:
    """The logarithm of all documents by those that hold a piece, float32 [V]; one that none holds counts as in one."""
    counts = np.zeros(bert.vocab_size)  # [V]
    for ids in bert.encode_pieces(f"{document.title}\n{document.body}" for document in documents):
        counts[np.unique(ids)] += 1
    return np.log((len(documents) + 1) / (counts + 1)).astype(np.float32)


def draw_pairs(bert: BertEncoder, documents: Sequence[Document]) -> tuple[Pairs, Pairs]:
    """Titles with their own bodies, and with two wrong ones each: that of the next petition, and the most similar."""
    bodies = [np.array(ids, np.int32) for ids in bert.encode_pieces(document.body for document in documents)]
    alike = find_neighbours(bodies, bert.vocab_size)[:, 0]
    following = np.roll(np.arange(len(documents)), 1)
    own = [(document.title, document.body) for document in documents]
    wrong = [(own[i][0], own[j][1]) for others in (following, alike) for i, j in enumerate(others.tolist())]
    return own, wrong
