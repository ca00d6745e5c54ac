"""Titles with their bodies in, the pooling of an ELMo's vectors out (see `encoders.sif`), stored beside its weights.

The smoothing, the layers and how far directions are evened out are chosen by how well titles find their bodies among
others, on pairs that the directions were not fitted on; then all pairs fit them.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petitions.encoders.characters import Token
from petitions.encoders.elmo_encoder import LONGEST_WINDOW, load_elmo
from petitions.encoders.sif import SifPooling, write_pooling
from petitions.encoders.windows import to_unit_length
from petitions.errors import ConfigError

logger = logging.getLogger(__name__)

SMOOTHINGS = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
SHRINKAGES = (0.02, 0.1)  # of the variances within pairs, toward their mean
STEPS = 4  # a layer has a share of 0, 1/4, …, 1
MAX_TOKENS = 20_000  # in the table of frequencies
MAX_PAIRS = 6000
MIN_PAIRS = 40
CHOOSE_EVERY = 5  # one pair in five chooses

Floats = npt.NDArray[np.float32]
Directions = tuple[Floats, Floats]  # a mean and a projection, see `SifPooling`
Pair = tuple[Sequence[str], Sequence[str]]  # morphemes of a title and of its body


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingChoice:
    """What was chosen, and how well titles find their bodies by it among the pairs that chose."""

    smoothing: float
    shares: tuple[float, ...]  # of the layers, each at its own mean length
    shrinkage: float
    n_pairs: int  # that chose
    reciprocal_rank: float  # mean
    reciprocal_rank_before: float  # of the plain mean of all layers


def fit_pooling(folder: Path, pairs: Sequence[Pair], accelerator: str = "auto") -> PoolingChoice:
    """Fit the pooling of the ELMo in a folder and write it there; one that is there is replaced.

    Args:
        folder: of the model.
        pairs: titles and bodies; the first 6,000 with both are read, of a body the first 254 tokens.
        accelerator: as `pick_strategy` takes it.

    Raises:
        ConfigError: fewer than forty pairs.
        WeightsError: see `load_elmo`.
    """
    pairs = [(title, body[: LONGEST_WINDOW - 2]) for title, body in pairs if title and body][:MAX_PAIRS]
    if len(pairs) < MIN_PAIRS:
        raise ConfigError(f"at least {MIN_PAIRS} titles with bodies are needed to fit a pooling, got {len(pairs)}")
    counts = Counter(token for pair in pairs for text in pair for token in text)
    total = counts.total()
    shares = {token: count / total for token, count in counts.most_common(MAX_TOKENS)}
    unseen = 0.5 / total
    weigh = _Weights(shares, unseen)
    encoder = load_elmo(str(folder), accelerator)
    # [A + 1, 2, N, L + 1, D], titles first
    sums = np.stack([encoder.sum_layers(texts, weigh) for texts in zip(*pairs, strict=True)], axis=1)
    n_layers, dimensions = sums.shape[-2:]
    before = _rank(_mix(sums[-1], np.ones(n_layers, np.float32)), _identity(dimensions))
    choice, layers = max(_try_all(sums, before), key=lambda item: item[0].reciprocal_rank)
    mean, projection = _fit_directions(_mix(sums[SMOOTHINGS.index(choice.smoothing)], layers), choice.shrinkage)
    write_pooling(
        SifPooling(
            smoothing=choice.smoothing, unseen=unseen, shares=shares, layers=layers, mean=mean, projection=projection
        ),
        folder,
    )
    logger.info("pooling of %s, fitted on %d pairs: %s", folder, len(pairs), choice)
    return choice


class _Weights:
    """Weights of tokens by every smoothing, and 1 last."""

    def __init__(self, shares: dict[str, float], unseen: float) -> None:
        self.shares, self.unseen = shares, unseen

    def __call__(self, tokens: Sequence[Token]) -> Floats:
        share = np.array([self.shares.get(token, self.unseen) if isinstance(token, str) else 1.0 for token in tokens])
        columns = [a / (a + share) for a in SMOOTHINGS]
        return np.stack([*columns, np.ones(len(tokens))], axis=1).astype(np.float32)  # [K, A + 1]


def _try_all(sums: Floats, before: float) -> Iterator[tuple[PoolingChoice, Floats]]:
    """Every choice with the weights of its layers, from sums [A + 1, 2, N, L + 1, D]."""
    chooses = np.arange(sums.shape[2]) % CHOOSE_EVERY == 0  # [N]
    for (at, smoothing), shares in product(enumerate(SMOOTHINGS), _shares(sums.shape[3])):
        layers = np.asarray(np.array(shares) / _lengths(sums[at, 1]), np.float32)  # [L + 1]
        mixed = _mix(sums[at], layers)  # [2, N, D]
        for shrinkage in SHRINKAGES:
            rank = _rank(mixed[:, chooses], _fit_directions(mixed[:, ~chooses], shrinkage))
            yield (
                PoolingChoice(
                    smoothing=smoothing,
                    shares=shares,
                    shrinkage=shrinkage,
                    n_pairs=int(chooses.sum()),
                    reciprocal_rank=rank,
                    reciprocal_rank_before=before,
                ),
                layers,
            )


def _shares(n_layers: int) -> Iterator[tuple[float, ...]]:
    """Every way to share 1 among layers in steps of a quarter."""
    for parts in product(range(STEPS + 1), repeat=n_layers):
        if sum(parts) == STEPS:
            yield tuple(part / STEPS for part in parts)


def _lengths(sums: Floats) -> Floats:
    """How long each layer is beside the first, [L + 1], from sums [N, L + 1, D]."""
    lengths = np.linalg.norm(sums, axis=2)  # [N, L + 1]
    return np.asarray(np.mean(lengths / np.maximum(lengths[:, :1], 1e-9), axis=0), np.float32)


def _mix(sums: Floats, layers: Floats) -> Floats:
    """Unit vectors [2, N, D] from sums [2, N, L + 1, D]."""
    return np.stack([to_unit_length(np.einsum("l,nld->nd", layers, texts)) for texts in sums])


def _fit_directions(pairs: Floats, shrinkage: float) -> Directions:
    """What both texts of pairs [2, N, D] have in common, [D], and what evens out their differences, [D, D]."""
    mean = pairs.mean(axis=(0, 1))  # [D]
    within = np.cov((pairs[0] - pairs[1]).astype(np.float64), rowvar=False)  # [D, D]; a mean difference falls out
    variances, directions = np.linalg.eigh(within)
    variances = np.maximum(variances, 0.0)
    scales = (variances + shrinkage * variances.mean()) ** -0.5  # [D]
    return mean, np.asarray(directions * scales / scales.max(), np.float32)


def _rank(pairs: Floats, directions: Directions) -> float:
    """Mean reciprocal rank of a title's own body, of pairs [2, N, D]."""
    mean, projection = directions
    titles, bodies = (to_unit_length((rows - mean) @ projection) for rows in pairs)
    similar = titles @ bodies.T  # [N, N]
    places = (similar > np.diag(similar)[:, np.newaxis]).sum(axis=1) + 1
    return float(np.mean(1 / places))


def _identity(dimensions: int) -> Directions:
    return np.zeros(dimensions, np.float32), np.eye(dimensions, dtype=np.float32)
