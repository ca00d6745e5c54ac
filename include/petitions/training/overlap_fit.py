"""What network and shared letters weigh in next sentence: petitions that no stage read in, tensors out."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

from petitions.encoders.bert_checkpoint import write_arrays
from petitions.encoders.bert_encoder import BertEncoder, load_bert
from petitions.encoders.names import WEIGHTS_FILE
from petitions.encoders.overlap import LENGTH, SHARES, WEIGHTS, Pair, count_shares
from petitions.encoders.pairs import read_margins
from petitions.errors import ConfigError
from petitions.training.material import find_neighbours
from petitions.training.sources import read_calibration

N_PAIRED = 400  # petitions whose pairs are read
FEWEST = 20
LARGE = 10.0
BEFORE = "cls.overlap."  # what an earlier version wrote
STRENGTH = 100.0  # of the regression, whose three numbers need no holding back

# Of the wrong pairs' weight is that of the most similar bodies: so random and similar ones have one calibration error.
ALIKE_SHARE = 0.35

Pairs = list[Pair]


def calibrate(folder: Path, data: Path, *, accelerator: str = "auto", seed: int = 0) -> npt.NDArray[np.float32]:
    """Fit what network and shared letters weigh, and write it into the folder's weights; what was there is replaced.

    Half of the weight have titles with their bodies, half those with the body of another petition: a random one, and
    the one that is most like the right one by words.

    Returns:
        float32 [3], the weights of network, shared letters and neither.

    Raises:
        ConfigError: there are too few petitions.
        WeightsError: the folder has no next-sentence head.
    """
    documents = [(document.title, document.body) for document in read_calibration(data)]
    if len(documents) < FEWEST:
        raise ConfigError(f"{FEWEST} petitions are needed to calibrate, {data} has {len(documents)}")
    bert, letters = load_bert(str(folder), accelerator), count_shares(documents)
    own = [documents[i] for i in np.random.default_rng(seed).permutation(len(documents))[:N_PAIRED]]
    random, alike = draw_wrong(bert, own)
    pairs = [*own, *random, *alike]
    shared = [letters.measure(first, second) for first, second in pairs]
    labels = np.repeat([1, 0, 0], len(own))
    balance = np.repeat([1, 1 - ALIKE_SHARE, ALIKE_SHARE], len(own))
    # Its steps need numbers of one size; the letters' are tens.
    features = np.column_stack([read_margins(bert, pairs), np.array(shared) / LARGE])
    fitted = LogisticRegression(C=STRENGTH, max_iter=1000).fit(features, labels, balance)
    network, by_letters = fitted.coef_[0]
    weights = np.array([network, by_letters / LARGE, fitted.intercept_[0]], np.float32)
    path = folder / WEIGHTS_FILE
    kept = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(BEFORE)}
    kept |= {SHARES: letters.shares.astype(np.float16), LENGTH: np.array([letters.length], np.float32)}
    write_arrays(path, kept | {WEIGHTS: weights})
    return weights


def draw_wrong(bert: BertEncoder, own: Pairs) -> tuple[Pairs, Pairs]:
    """Titles with a wrong body: that of the next petition, and the one most like the right one by words."""
    bodies = [np.array(ids, np.int32) for ids in bert.encode_pieces(body for _, body in own)]
    alike = find_neighbours(bodies, bert.vocab_size)[:, 0]
    following = np.roll(np.arange(len(own)), 1)
    first, second = ([(own[i][0], own[j][1]) for i, j in enumerate(others.tolist())] for others in (following, alike))
    return first, second
