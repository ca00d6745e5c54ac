"""Sums of a text's layers in, its vector out: smooth inverse frequency, less what is common (Arora et al. 2017).

A token weighs a / (a + p), p being its share of the text that the weights were fitted on. Then the layers are mixed,
the sum is scaled to unit length and centred, and its directions are scaled by what the title and the body of one
petition do not share: Arora's first components are the strongest of these. `training.fit_pooling` fits all of it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from petitions.encoders.names import POOLING_FILE, require_finite
from petitions.encoders.windows import to_unit_length
from petitions.errors import WeightsError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SifPooling:
    """How the states of tokens become one vector."""

    smoothing: float  # a: the share at which a token's weight is halved
    unseen: float  # share of a token that is not in the table
    shares: Mapping[str, float]  # of tokens in the text that was fitted on, the frequent ones alone
    layers: Floats  # [L + 1], weight of each layer
    mean: Floats  # [D]
    projection: Floats  # [D, D']

    def weigh(self, tokens: Sequence[object]) -> Floats:
        """Weights float32 [K] of tokens, 0 for what is no text."""
        shares = [self.shares.get(token, self.unseen) if isinstance(token, str) else np.inf for token in tokens]
        return np.asarray(self.smoothing / (self.smoothing + np.array(shares)), np.float32)

    def project(self, sums: Floats) -> Floats:
        """Make unit vectors float32 [N, D'] of weighted sums [N, L + 1, D]; a sum of zeros stays zero."""
        mixed = to_unit_length(np.einsum("l,nld->nd", self.layers, sums))  # [N, D]
        is_text = mixed.any(axis=1, keepdims=True)  # [N, 1]
        return to_unit_length(np.where(is_text, (mixed - self.mean) @ self.projection, 0.0))


def plain_pooling(n_layers: int, dimensions: int, scores: Floats | None = None) -> SifPooling:
    """The mean of all tokens, for weights that nothing was fitted to.

    Args:
        n_layers: L + 1.
        dimensions: D.
        scores: float32 [L + 1], of the scalar mix that a fine-tuned model brings; without it the layers count alike.

    Raises:
        WeightsError: the scores are of another number of layers.
    """
    scores = np.zeros(n_layers, np.float32) if scores is None else scores
    if scores.shape != (n_layers,):
        raise WeightsError(f"the weight scalar_mix/weights must be [{n_layers}], got {list(scores.shape)}")
    layers = np.exp(scores - scores.max())
    return SifPooling(
        smoothing=1.0,
        unseen=0.0,
        shares={},
        layers=np.asarray(layers / layers.sum(), np.float32),
        mean=np.zeros(dimensions, np.float32),
        projection=np.eye(dimensions, dtype=np.float32),
    )


def read_pooling(folder: Path, n_layers: int, dimensions: int) -> SifPooling | None:
    """Read what was fitted to the weights of a folder; None where nothing was.

    Raises:
        WeightsError: the file is damaged, or was fitted to a network of other sizes.
    """
    path = folder / POOLING_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "np") as file:
            told = json.loads(file.metadata()["pooling"])
            shares, layers, mean, projection = (
                file.get_tensor(name).astype(np.float32) for name in ("shares", "layers", "mean", "projection")
            )
        pooling = SifPooling(
            smoothing=float(told["smoothing"]),
            unseen=float(told["unseen"]),
            shares=dict(zip(told["tokens"], shares.tolist(), strict=True)),
            layers=layers,
            mean=mean,
            projection=projection,
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} cannot be read as the pooling of an ELMo: {error!r}") from error
    if layers.shape != (n_layers,) or mean.shape != (dimensions,) or projection.shape[:1] != (dimensions,):
        raise WeightsError(
            f"{path} was fitted to {len(layers)} layers of {len(mean)} dimensions, "
            f"the network has {n_layers} of {dimensions}: fit it again"
        )
    require_finite(projection, f"{path}: projection")
    return pooling


def write_pooling(pooling: SifPooling, folder: Path) -> None:
    """Write it beside the weights, all at once."""
    arrays = {
        "shares": np.array(list(pooling.shares.values()), np.float32),
        "layers": pooling.layers,
        "mean": pooling.mean,
        "projection": pooling.projection.astype(np.float16),
    }
    told = {"smoothing": pooling.smoothing, "unseen": pooling.unseen, "tokens": list(pooling.shares)}
    unfinished = folder / f"{POOLING_FILE}.part"
    unfinished.write_bytes(save(arrays, metadata={"pooling": json.dumps(told, ensure_ascii=False)}))
    os.replace(unfinished, folder / POOLING_FILE)
